// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/commands.hpp>
#include <waybill/http/url.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

// Why a job is not running.
namespace waybill::detail {

[[nodiscard]] inline closed_gate gate_of(gate which, const std::string& what, const job_pause& pause) {
    closed_gate closed{which, what, std::nullopt};
    if (!pause.why.empty()) {
        closed.detail += (what.empty() ? "" : ": ") + pause.why;
    }
    if (pause.lasting > std::chrono::milliseconds(0)) {
        closed.until = pause.until;
    }
    return closed;
}

WAYBILL_DECL asio::awaitable<std::vector<closed_gate>> commands::explain(job_id id) {
    const job_seq seq = co_await require(std::move(id));
    const loaded_job whole = co_await load(seq);
    const job_state& state = whole.job.state;
    std::vector<closed_gate> closed;
    const bool damaged = !is_sound(whole, parts_.protocols);  // it counts as a failed job
    if (damaged || is_terminal(state.status) || running_.contains(seq)) {
        co_return closed;
    }
    if (state.status == status::unknown_outcome) {
        closed.push_back({gate::decision, state.error.message(), std::nullopt});
        co_return closed;
    }
    if (state.status == status::paused) {
        closed.push_back(gate_of(gate::paused, "", state.pause));
    }
    for (const hold& one : holds_.list()) {
        if (one.which.includes_lane(whole.job.spec.lane)) {
            closed.push_back(gate_of(
                gate::held, one.which.is_all() ? "all jobs" : "lane '" + *one.which.lane_name() + "'", one.pause));
        }
    }
    if (is_open(state.status)) {
        co_await explain_queue(whole, closed);
        explain_wait(whole, closed);
    }
    co_return closed;
}

WAYBILL_DECL asio::awaitable<void> commands::explain_queue(const loaded_job& whole, std::vector<closed_gate>& closed) {
    constexpr std::size_t most = 1000;
    const job_spec& spec = whole.job.spec;
    const job_seq seq = whole.job.seq;
    if (scheduler_.waits_behind_others(seq)) {
        constexpr job_seq before_all{};
        const std::vector<queued_job> first = co_await parts_.store->lane(spec.lane, spec.origin, before_all, most);
        const auto before = std::count_if(first.begin(), first.end(), [&](const queued_job& j) { return j.seq < seq; });
        const bool more = first.size() == most && first.back().seq < seq;
        if (before > 0) {  // else the queue has not been read yet
            closed.push_back({gate::queue,
                              std::to_string(before) + (more ? " or more" : "") + (before == 1 ? " job" : " jobs") +
                                  " of its lane to its host before it",
                              std::nullopt});
        }
    } else if (const auto other = scheduler_.running_in(spec.lane); other && *other != seq) {
        closed.push_back({gate::queue, "another job of its lane is running", std::nullopt});
    }
}

WAYBILL_DECL void commands::explain_wait(const loaded_job& whole, std::vector<closed_gate>& closed) const {
    const job_state& state = whole.job.state;
    const job_turn turn = turn_of(
        {whole.job.seq, whole.job.spec.lane, whole.job.spec.origin, state.not_before, state.wait, state.reason});
    const auto now = clock_.steady_now();  // later: who may run at once must not seem to wait
    const auto by_wall_clock = [&](scheduler::time_point when) {
        return clock_.now() + std::chrono::ceil<std::chrono::milliseconds>(when - now);
    };
    if (turn.ready > now) {
        const std::string error = state.error ? ": " + state.error.message() : "";
        closed.push_back({gate::waiting, std::string(to_string(state.reason)) + error, by_wall_clock(turn.ready)});
    }
    const std::string origin = url(whole.job.spec.url).origin();
    if (const auto ready = hosts_.ready(origin, now); ready > now) {
        closed.push_back({gate::host, origin, by_wall_clock(ready)});
    }
    if (scheduler_.running() >= options_.max_concurrent_jobs) {
        closed.push_back({gate::concurrency, std::to_string(scheduler_.running()) + " jobs are running", std::nullopt});
    }
    if (!life_.delivering()) {
        closed.push_back({gate::delivery, "", std::nullopt});
    }
}

}  // namespace waybill::detail
