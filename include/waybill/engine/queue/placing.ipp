// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/engine_base.hpp>

#include <algorithm>
#include <chrono>

// When each job has its turn.
namespace waybill::detail {

// A stored time is kept with its duration, and never prolonged: a clock that jumped by years must not stall a job.
WAYBILL_DECL job_turn engine_base::turn_of(const queued_job& job) const {
    constexpr std::chrono::milliseconds nothing(0);
    auto left =
        std::clamp<std::chrono::milliseconds>(job.not_before - clock_.now(), nothing, std::max(job.wait, nothing));
    if (job.reason == wait_reason::credentials) {  // there may be others long before, or since the last process
        left = hosts_.refuses_some(job.origin) ? std::min(left, options_.retry.credentials_poll) : nothing;
    }
    return {clock_.steady_now() + left, !job.origin.empty() && lets_others_by(job.reason)};
}

WAYBILL_DECL void engine_base::place(job_seq seq, const job_spec& spec, const job_state& state) {
    note_pause(seq, state);
    if (!is_open(state.status)) {
        hosts_.drop_passed(spec.origin, seq);
        scheduler_.leave(seq);
        if (is_terminal(state.status)) {
            bandwidth_.drop(limit_scope::job(spec.id.str()), *parts_.transport);
        }
        return;
    }
    job_turn when = turn_of({seq, spec.lane, spec.origin, state.not_before, state.wait, state.reason});
    if (state.refused_since == std::chrono::milliseconds(0) || spec.origin.empty()) {
        hosts_.drop_passed(spec.origin, seq);
    } else if (hosts_.may_be_passed(spec.origin, seq, state.troubles, state.refused_since)) {
        when.aside = true;
    }
    scheduler_.push({spec.lane, spec.origin}, seq, when);
    scheduler_.wait(seq, when);
    alarm_->wake();
}

/// Notes when a paused job goes on by itself.
WAYBILL_DECL void engine_base::note_pause(job_seq seq, const job_state& state) {
    constexpr std::chrono::milliseconds nothing(0);
    if (state.status != status::paused || state.pause.lasting == nothing) {
        due_.erase(seq);
        return;
    }
    const auto left =
        std::clamp<std::chrono::milliseconds>(state.pause.until - clock_.now(), nothing, state.pause.lasting);
    due_.set(seq, clock_.steady_now() + left);
}

WAYBILL_DECL asio::awaitable<void> engine_base::until_rules_are_free() {
    while (rules_change_) {
        co_await rules_changed_.wait();
    }
}

WAYBILL_DECL void engine_base::close(const selection& which, bool closed) {
    if (which.is_all()) {
        scheduler_.close(closed);
    } else {
        scheduler_.close_lane(*which.lane_name(), closed);
    }
}

/// It is committed: its jobs are not started, and it is shown.
WAYBILL_DECL void engine_base::set_hold(const hold& what) {
    holds_.set(what, clock_.now(), clock_.steady_now());
    close(what.which, true);
    board_.set_holds(holds_.list());
    alarm_->wake();  // its end may be what the loop has to wake up for next
}

WAYBILL_DECL void engine_base::end_hold(const selection& which) {
    holds_.erase(which);
    close(which, false);
    board_.set_holds(holds_.list());
    alarm_->wake();
}

}  // namespace waybill::detail
