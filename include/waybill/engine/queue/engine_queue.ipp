// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/engine.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

// The store's time, and when each job has its turn.
namespace waybill::detail {

WAYBILL_DECL unix_millis engine::now() const {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(parts_.clock->system_now());
}

WAYBILL_DECL store_time engine::lived() const {
    store_time t = opened_at_;
    t.open += std::chrono::floor<std::chrono::milliseconds>(parts_.clock->steady_now() - opened_);
    t.wall = now();
    return t;
}

// A stored time is kept with its duration, and never prolonged: a clock that jumped by years must not stall a job.
WAYBILL_DECL job_turn engine::turn_of(const queued_job& job) const {
    constexpr std::chrono::milliseconds nothing(0);
    auto left = std::clamp<std::chrono::milliseconds>(job.not_before - now(), nothing, std::max(job.wait, nothing));
    if (job.reason == wait_reason::credentials) {  // there may be others long before, or since the last process
        left = hosts_.refuses_some(job.origin) ? std::min(left, options_.retry.credentials_poll) : nothing;
    }
    return {parts_.clock->steady_now() + left, !job.origin.empty() && lets_others_by(job.reason)};
}

WAYBILL_DECL void engine::place(job_seq seq, const job_spec& spec, const job_state& state) {
    note_pause(seq, state);
    if (!is_open(state.status)) {
        hosts_.drop_passed(spec.origin, seq);
        scheduler_.leave(seq);
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

WAYBILL_DECL asio::awaitable<void> engine::refill_lanes() {
    constexpr std::size_t page = 64;
    while (const auto needs_refill = scheduler_.needs_refill()) {
        const auto& [queue, last] = *needs_refill;
        const std::vector<queued_job> found = co_await parts_.store->lane(queue.lane, queue.origin, last, page);
        std::vector<std::pair<job_seq, job_turn>> following;
        for (const queued_job& job : found) {
            following.emplace_back(job.seq, turn_of(job));
        }
        scheduler_.refill(queue, following, found.size() == page);
    }
}

}  // namespace waybill::detail
