// SPDX-License-Identifier: BSL-1.0

#include "simulation/simulation.hpp"

#include "simulation/process.hpp"

#include <asio/error.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <iterator>
#include <utility>

namespace waybill::simulation {

simulation::simulation(const settings& how)
    : how_(how), random_(how.seed), patience_(~how.seed), updates_(how.seed + 77), pauses_(how.seed + 1313),
      holds_(how.seed + 4711), checker_(jobs_, files_, server_, *disk_) {
    if (random_.chance(0.3)) {
        max_age_ = std::chrono::hours(1 + random_.below(48));
    }
    server_.prompt = random_.chance(0.3);
    checker_.max_age = max_age_;
}

simulation::~simulation() = default;

counts simulation::run() {
    start();
    chaos();
    if (server_.prompt) {
        go_without_a_host();
    }
    heal();
    counts_.jobs = jobs_.size();
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
        // What a marked request came to is being found out and kept: whoever dies or stops now must not forget it.
        const bool tense = server_.tense > 0 && server_.tense-- > 0;
        if (random_.chance(tense ? 0.006 : 0.003)) {
            crash();
            start();
        } else if (tense && random_.chance(0.003)) {
            ask_to_stop();
        }
        go_on();
        if (!turn() && !clock_->advance_to_next()) {
            act();
        }
        if (random_.chance(0.1)) {
            clock_->advance(std::chrono::milliseconds(random_.below(200)));
        }
    }
}

// A host is away for half a day, and the app waits. What goes to the other one goes on.
void simulation::go_without_a_host() {
    resume_all();
    const std::string host = random_.chance(0.5) ? "server.test" : "other.test";
    std::string job;
    for (const auto& [seq, whole] : disk_->jobs) {
        if (is_open(whole.job.state.status) && jobs_.at(whole.job.spec.id.str()).host == host && random_.chance(0.3)) {
            job = whole.job.spec.id.str();
            break;
        }
    }
    const auto how = static_cast<absence>(random_.below(job.empty() ? absences : absences_for_one));
    say(host + " is away from now on, in way " + std::to_string(static_cast<int>(how)) +
        (job.empty() ? "" : " for " + job));
    if (stop_asked_) {
        stop_cleanly();
        start();
    }
    full_writes_ = 0;
    end_holds();
    server_.away.begin(host, how, job);
    const auto begun = clock_->steady_now();
    constexpr std::chrono::hours half_a_day(12);
    while (clock_->steady_now() - begun < half_a_day) {
        go_on();
        for (auto& [seq, whole] : disk_->jobs) {
            job_state& state = whole.job.state;
            if (how_.planted == plant::refusals_forgotten && state.status == status::waiting) {
                state.refused_since = {};
            }
            if (how_.planted == plant::outage_counts && state.status == status::waiting && state.troubles >= 12) {
                state.status = status::failed;
                state.error.code = errc::connect_failed;
                ++disk_->commits;
            }
        }
        if (!turn() && !clock_->advance_to_next()) {
            break;
        }
    }
    checker_.look_after_outage(server_.away, unreachable_, begun, max_age_);
    server_.away.end();
}

void simulation::heal() {
    say("everything heals");
    server_.healed = true;
    reach_everything();
    full_writes_ = 0;
    if (stop_asked_) {
        stop_cleanly();
        start();
    }
    end_holds();
    rest("after everything healed");
    require_timely_ends_of_pauses();
    resume_all();
    rest("after the app resumed");
    for (auto& [id, job] : jobs_) {
        if (stored(id) == status::unknown_outcome) {
            resolve(job, random_.chance(0.5) ? resolution::retry : resolution::completed);
        }
    }
    rest("after the app decided");
    for (const auto& [seq, whole] : disk_->jobs) {
        if (is_parked(whole.job.state.status)) {
            throw broken(whole.job.spec.id.str() + ": is parked though the app decided and the server answers");
        }
    }
    stop_cleanly();
    start();
    rest("after a last start");
    counts_.completed = checker_.completed();
    forget_everything();
}

// What servers have of jobs that nobody wants any more goes too.
void simulation::forget_everything() {
    for (auto& [id, job] : jobs_) {
        job.accepted = false;
        job.batch.clear();  // its jobs go one by one
        process_->up().async_remove(job_id(id), [](std::error_code) {});
    }
    const auto begun = clock_->steady_now();
    for (bool more = true; more || !disk_->leftovers.empty();) {
        more = turn();
        const bool late = clock_->steady_now() - begun > std::chrono::hours(24 * 2);
        if (late || (!more && !disk_->leftovers.empty() && !clock_->advance_to_next())) {
            throw broken("leftovers: some are never cleaned up");
        }
    }
    if (const std::string left = server_.uploads().left_over(); !left.empty()) {
        throw broken("server: " + left);
    }
}

// Everything must come to rest: in bounded time and turns, by itself.
void simulation::rest(const std::string& when) {
    const auto begun = clock_->steady_now();
    for (int turns = 0; turns < 300'000; ++turns) {
        go_on();  // the store may have failed just before everything healed
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
        if (how_.verbose) {
            tell_changes();
        }
        if (how_.planted == plant::unsynced) {
            history_.push_back(*disk_);
            if (history_.size() > 6) {
                history_.pop_front();
            }
        }
    }
    checker_.look_at_leftovers(clock_->system_now() - max_age_);
    checker_.present = clock_->steady_now();
    checker_.look_at(*process_->up().latest());
}

void simulation::tell_changes() {
    for (const auto& [seq, whole] : disk_->jobs) {
        const job_state& now = whole.job.state;
        std::string line = "on disk " + whole.job.spec.id.str() + ": " + std::string(to_string(now.status)) +
                           ", attempt " + std::to_string(now.attempt) + ", marked " +
                           std::to_string(now.intent.attempt()) + ", failures " + std::to_string(now.failures);
        if (std::string& told = told_[seq]; told != line) {
            say(line);
            told = std::move(line);
        }
    }
}

void simulation::start() {
    fail_untried();
    if (format_ == 1 && updates_.chance(0.1)) {
        say("the app is updated: its library migrates the store");
        format_ = 2;
    }
    process_ = std::make_unique<process>(*this);
    migrate();
    checker_.process_began();
    // Opening is one step of the store: what it changed is seen before anything is built on it.
    while (disk_->owner == nullptr && process_->turn()) {
        ++counts_.turns;
    }
    checker_.look_at_disk();
}

// The process may die after each job of a migration. What is on the disk is looked at when that is over.
void simulation::migrate() {
    if (disk_->format == format_) {
        return;
    }
    const std::uint64_t before = disk_->commits;
    while (disk_->commits == before && process_->turn()) {
        ++counts_.turns;
        if (disk_->commits != before || !updates_.chance(0.05)) {
            continue;
        }
        say("the process dies while it migrates");
        ++counts_.crashes;
        end_process();
        if (disk_->format == format_) {
            checker_.look_at_disk();  // half of it is there, and is taken for all of it
        }
        process_ = std::make_unique<process>(*this);
    }
}

void simulation::crash() {
    say("the process dies");
    ++counts_.crashes;
    end_process();
    spoil_disk();
    lose_pauses();
    lose_holds();
    checker_.look_for_jobs();
}

void simulation::end_process() {
    process_.reset();
    server_.uploads().excuse_uncommitted();
    disk_->owner = nullptr;  // the kernel frees a dead process's lock
    stop_asked_.reset();
    stopped_ = false;
    for (auto& [id, job] : jobs_) {
        job.unanswered = 0;  // nobody will answer
    }
}

// What an app does when its uploader has ended: begins anew, or runs it again.
void simulation::go_on() {
    if (stopped_) {
        end_process();
        checker_.look_for_jobs();
        start();
        return;
    }
    if (stop_asked_ && clock_->steady_now() - *stop_asked_ > std::chrono::seconds(10)) {
        throw broken("uploader: does not stop in bounded time");
    }
    if (stop_asked_ || !process_->ended()) {
        return;
    }
    const std::error_code why = *process_->ended();
    const bool canceled = process_->canceled() && why == asio::error::operation_aborted;
    const bool disk = why == errc::store_failed || (why && why == open_failure_);
    if (!canceled && !disk) {
        throw broken("uploader: its run ended for no good reason: " + why.message());
    }
    say("the run has ended: " + why.message());
    if (random_.chance(0.5)) {
        process_->run();
    } else {
        crash();
        start();
    }
}

void simulation::fail_untried() {
    for (auto& [seq, whole] : disk_->jobs) {
        job_state& state = whole.job.state;
        const auto age = clock_->system_now() - state.epoch_began;
        if (how_.planted == plant::untried && state.status == status::waiting && age > std::chrono::hours(24 * 7)) {
            state.status = status::failed;
            state.error.code = errc::expired;
        }
        if (how_.planted == plant::doubt_fails && state.status == status::waiting && state.intent.stands()) {
            state.status = status::failed;
            state.error.code = errc::file_changed;
        }
        if (how_.planted == plant::doubt_invented && state.status == status::waiting && !state.intent.stands()) {
            state.status = status::unknown_outcome;
            state.error.code = errc::outcome_unknown;
        }
    }
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

void simulation::ask_to_stop() {
    say("stops");
    stop_asked_ = stop_asked_.value_or(clock_->steady_now());
    process_->up().async_stop([this](std::error_code) { stopped_ = true; });
}

void simulation::stop_cleanly() {
    ask_to_stop();
    // A commit that waits for space looks for it once a second; nothing else may hold it up.
    const auto latest = clock_->steady_now() + std::chrono::seconds(2);
    while (!stopped_ && clock_->steady_now() < latest && (turn() || clock_->advance_to_next())) {
    }
    if (!stopped_) {
        throw broken("uploader: does not stop in bounded time");
    }
    end_process();
    checker_.look_for_jobs();
}

void simulation::say(const std::string& what) const {
    if (how_.verbose) {
        const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(clock_->steady_now().time_since_epoch());
        std::cout << counts_.turns << " turns, " << now.count() << " ms: " << what << "\n";
    }
}

}  // namespace waybill::simulation
