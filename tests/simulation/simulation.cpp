// SPDX-License-Identifier: BSL-1.0

#include "simulation/simulation.hpp"

#include "simulation/process.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <iterator>
#include <utility>

namespace waybill::simulation {

simulation::simulation(const settings& how)
    : how_(how), random_(how.seed), server_(jobs_, files_), checker_(jobs_, files_, server_, *disk_) {}

simulation::~simulation() = default;

counts simulation::run() {
    start();
    chaos();
    heal();
    counts_.jobs = jobs_.size();
    counts_.completed = checker_.completed();
    counts_.commits = disk_->commits;
    counts_.trace = checker_.trace() ^ counts_.turns;
    return counts_;
}

void simulation::chaos() {
    const std::uint64_t most = 300 + random_.below(1500);
    for (std::uint64_t i = 0; i < most; ++i) {
        if (jobs_.empty() || random_.chance(0.02)) {
            act();
        }
        if (random_.chance(0.003)) {
            crash();
            start();
        }
        if (process_->ended()) {
            say("the store failed: started again");
            crash();
            start();
        }
        if (!turn() && !clock_->advance_to_next()) {
            act();
        }
        if (random_.chance(0.1)) {
            clock_->advance(std::chrono::milliseconds(random_.below(200)));
        }
    }
}

void simulation::heal() {
    say("everything heals");
    server_.healed = true;
    full_writes_ = 0;
    rest("after everything healed");
    for (auto& [id, job] : jobs_) {
        if (stored(id) == status::unknown_outcome) {
            resolve(job, random_.chance(0.5) ? resolution::retry : resolution::completed);
        }
    }
    rest("after the app decided");
    for (const auto& [seq, whole] : disk_->jobs) {
        if (is_parked(whole.job.state.now)) {
            throw broken(whole.job.spec.id.str() + ": is parked though the app decided and the server answers");
        }
    }
    stop_cleanly();
    start();
    rest("after a last start");
}

// Everything must come to rest: in bounded time and turns, by itself.
void simulation::rest(const std::string& when) {
    const auto begun = clock_->steady_now();
    for (int turns = 0; turns < 300'000; ++turns) {
        if (process_->ended()) {
            crash();  // the store had failed just before everything healed
            start();
        }
        if (turn()) {
            continue;
        }
        const std::shared_ptr<const snapshot> seen = process_->up().latest();
        if (seen->version() > 0 && seen->idle()) {
            checker_.look_for_jobs();
            checker_.look_at_end(*seen);
            return;
        }
        if (clock_->steady_now() - begun > std::chrono::hours(24 * 10) || !clock_->advance_to_next()) {
            break;
        }
    }
    throw broken("jobs: some never come to rest " + when);
}

bool simulation::turn() {
    const bool something = process_->turn();
    if (something) {
        ++counts_.turns;
        check();
    }
    return something;
}

void simulation::check() {
    if (!server_.violation.empty()) {
        throw broken("server: " + server_.violation);
    }
    if (disk_->commits != seen_commits_) {
        seen_commits_ = disk_->commits;
        checker_.look_at_disk();
        checker_.look_for_jobs();
        for (const auto& [seq, whole] : how_.verbose ? disk_->jobs : std::map<job_seq, loaded_job>()) {
            const job_state& now = whole.job.state;
            say("on disk " + whole.job.spec.id.str() + ": " + std::string(to_string(now.now)) + ", attempt " +
                std::to_string(now.attempt) + ", marked " + std::to_string(now.tail_attempt) + ", failures " +
                std::to_string(now.failures));
        }
        if (how_.planted == plant::unsynced) {
            history_.push_back(*disk_);
            if (history_.size() > 6) {
                history_.pop_front();
            }
        }
    }
    checker_.look_at(*process_->up().latest());
}

void simulation::start() {
    process_ = std::make_unique<process>(*this);
    checker_.process_began();
    // Opening is one step of the store: what it changed is seen before anything is built on it.
    while (disk_->owner == nullptr && process_->turn()) {
        ++counts_.turns;
    }
    checker_.look_at_disk();
}

void simulation::crash() {
    say("the process dies");
    ++counts_.crashes;
    process_.reset();
    disk_->owner = nullptr;  // the kernel frees a dead process's lock
    for (auto& [id, job] : jobs_) {
        job.unanswered = 0;  // nobody will answer
    }
    spoil_disk();
    checker_.look_for_jobs();
}

void simulation::spoil_disk() {
    if (how_.planted == plant::unsynced && !history_.empty()) {
        *disk_ = history_[random_.below(history_.size())];
        disk_->owner = nullptr;
        history_.clear();
    }
    if (disk_->jobs.empty()) {
        return;
    }
    if (how_.planted == plant::lost_job) {
        disk_->jobs.erase(std::next(disk_->jobs.begin(), static_cast<long>(random_.below(disk_->jobs.size()))));
    }
    if (how_.planted == plant::half_job) {
        disk_->jobs.rbegin()->second.items.pop_back();
    }
}

void simulation::stop_cleanly() {
    say("stops");
    bool stopped = false;
    process_->up().async_stop([&stopped](std::error_code) { stopped = true; });
    // A commit that waits for space looks for it once a second; nothing else may hold it up.
    const auto latest = clock_->steady_now() + std::chrono::seconds(2);
    while (!stopped && clock_->steady_now() < latest && (turn() || clock_->advance_to_next())) {
    }
    if (!stopped) {
        throw broken("uploader: does not stop in bounded time");
    }
    process_.reset();
    disk_->owner = nullptr;
    checker_.look_for_jobs();
}

void simulation::say(const std::string& what) const {
    if (how_.verbose) {
        const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(clock_->steady_now().time_since_epoch());
        std::cout << counts_.turns << " turns, " << now.count() << " ms: " << what << "\n";
    }
}

}  // namespace waybill::simulation
