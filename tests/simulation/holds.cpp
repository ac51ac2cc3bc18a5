// SPDX-License-Identifier: BSL-1.0
//
// The app of a simulation pauses all jobs, or a lane.

#include "simulation/process.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace waybill::simulation {
namespace {

std::string name_of(const selection& which) {
    return which.is_all() ? "all jobs" : "lane " + *which.lane_name();
}

}  // namespace

void simulation::hold_or_release() {
    const std::uint64_t dice = holds_.below(5);
    const selection which = dice == 0 ? selection::all() : selection::lane(dice < 3 ? "even" : "odd");
    if (holds_.chance(0.5)) {
        release(which);
        return;
    }
    const bool for_a_time = holds_.chance(0.4);
    pause_options how;
    how.drain(holds_.chance(0.2));
    if (for_a_time) {
        how.lasting(std::chrono::seconds(1 + holds_.below(3600))).why("a while");
    }
    say("pauses " + name_of(which) + (for_a_time ? " for a time" : ""));
    server_.paused.erase(which);
    const int asked = ++holds_asked_[which];
    const bool for_good = !for_a_time && !how.drains();
    auto heard = [this, which, for_good, asked](std::error_code ec) {
        if (!ec && for_good && holds_asked_[which] == asked) {
            server_.paused.insert(which);
        }
        say(name_of(which) + (ec ? " cannot be paused" : ": paused"));
    };
    process_->up().async_pause(which, how, process_->impatient(patience(), std::move(heard)));
}

void simulation::release(const selection& which) {
    say("resumes " + name_of(which));
    server_.paused.erase(which);
    ++holds_asked_[which];
    process_->up().async_resume(which, process_->impatient(patience(), [](std::error_code) {}));
}

// Those for a time end by themselves, whatever the clocks do and however often the process is restarted; then the app
// ends the others.
void simulation::end_holds() {
    for (int turns = 0; turns < 200 && turn(); ++turns) {  // what was asked last is heard
    }
    const auto last_for_a_time = [this] {
        return std::any_of(disk_->holds.begin(), disk_->holds.end(),
                           [](const auto& one) { return one.second.lasting > std::chrono::milliseconds(0); });
    };
    const auto begun = clock_->steady_now();
    while (last_for_a_time()) {
        pass_time();
        if (clock_->steady_now() - begun > std::chrono::hours(2)) {
            throw broken("jobs: are paused beyond their time");
        }
    }
    for (int tries = 0; !disk_->holds.empty(); ++tries) {
        if (tries == 20) {
            throw broken("jobs: stay paused though the app resumed them");
        }
        const std::map<selection, job_pause> all = disk_->holds;
        for (const auto& [which, pause] : all) {
            release(which);
        }
        for (int turns = 0; turns < 200 && !disk_->holds.empty(); ++turns) {
            pass_time();  // the process may have to be started anew first
        }
    }
}

void simulation::pass_time() {
    go_on();
    if (!turn() && !clock_->advance_to_next()) {
        clock_->advance(std::chrono::seconds(1));
    }
}

// Only for the bugs that lose holds, or their ends.
void simulation::lose_holds() {
    if (how_.planted == plant::hold_lost) {
        disk_->holds.clear();
    }
    if (how_.planted == plant::hold_for_ever) {
        for (auto& [which, pause] : disk_->holds) {
            pause.lasting *= 4;
            pause.until += std::chrono::hours(4);
        }
    }
}

}  // namespace waybill::simulation
