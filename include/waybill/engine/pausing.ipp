// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/engine.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

// How a job is paused, and goes on.
namespace waybill::detail {

inline void check_pause(const pause_options& how) {
    constexpr std::size_t most_words = 1024;
    if (how.lasting() < std::chrono::milliseconds(0) || how.lasting() > std::chrono::hours(24 * 3650)) {
        throw error(errc::invalid_setting, "pause: it lasts a negative time, or longer than ten years");
    }
    if (how.why().size() > most_words || has_control(how.why())) {
        throw error(errc::invalid_setting, "pause: the reason is longer than 1024 bytes, or has control characters");
    }
}

/// It has its old place again, and waits for what it waited for.
[[nodiscard]] inline job_state resumed(job_state state) {
    state.status = state.reason == wait_reason::none ? status::pending : status::waiting;
    state.pause = {};
    return state;
}

WAYBILL_DECL asio::awaitable<void> engine::pause_job(job_id id, pause_options how) {
    check_pause(how);
    const job_seq seq = co_await require(id);
    const held_job held(scheduler_, *alarm_, seq);
    while (const auto run = find_run(seq)) {
        const awaited_ends::watch end(ends_, seq);
        if (!run->interrupted()) {
            run->interrupt_between_requests(runner::wish::stop);
            publish_soon();
        }
        co_await end.reached();
    }
    loaded_job whole = co_await load_sound(seq);
    const status was = whole.job.state.status;
    if (was != status::paused && !can_become(was, status::paused)) {
        throw error(errc::not_allowed, id.str() + " is " + std::string(to_string(was)));
    }
    job_change next;
    next.to = whole.job.state;
    next.to.status = status::paused;
    next.to.pause = {now() + how.lasting(), how.lasting(), how.why()};
    if (how.lasting() == std::chrono::milliseconds(0)) {
        next.to.pause.until = {};
    }
    co_await change(std::move(whole), std::move(next));
    ends_.notify(seq);  // whoever waits until it settles
}

WAYBILL_DECL asio::awaitable<void> engine::resume_job(job_id id) {
    const job_seq seq = co_await require(id);
    const held_job held(scheduler_, *alarm_, seq);
    loaded_job whole = co_await load_sound(seq);
    if (is_open(whole.job.state.status)) {
        co_return;
    }
    if (whole.job.state.status != status::paused) {
        throw error(errc::not_allowed, id.str() + " is " + std::string(to_string(whole.job.state.status)));
    }
    job_change next;
    next.to = resumed(whole.job.state);
    co_await change(std::move(whole), std::move(next));
}

WAYBILL_DECL std::shared_ptr<runner> engine::find_run(job_seq seq) const {
    const auto found = running_.find(seq);
    return found == running_.end() ? nullptr : found->second;
}

/// Notes when a paused job goes on by itself.
WAYBILL_DECL void engine::note_pause(job_seq seq, const job_state& state) {
    constexpr std::chrono::milliseconds nothing(0);
    if (state.status != status::paused || state.pause.lasting == nothing) {
        due_.erase(seq);
        return;
    }
    const auto left = std::clamp<std::chrono::milliseconds>(state.pause.until - now(), nothing, state.pause.lasting);
    due_.set(seq, parts_.clock->steady_now() + left);
}

/// Looks for jobs that were paused for a time by an earlier process: a page in each turn of the loop, so that many
/// parked jobs do not hold up the first upload.
WAYBILL_DECL asio::awaitable<void> engine::find_pauses() {
    if (pauses_known_) {
        co_return;
    }
    constexpr std::size_t page = 128;
    std::vector<loaded_job> found = co_await parts_.store->list(listing::parked, last_parked_, page);
    for (const loaded_job& one : found) {
        if (!one.damaged) {
            note_pause(one.job.seq, one.job.state);
        }
    }
    pauses_known_ = found.size() < page;
    if (!pauses_known_) {
        last_parked_ = std::move(found.back().job);
        alarm_->wake();
    }
}

/// Resumes the jobs whose time has come. On a full disk they stay paused for a while longer.
///
/// Every command holds its job. A command that read the job before this did may be about to commit: it goes first, or a
/// new pause would be undone that its caller was told of. One that comes later reads what is committed here.
WAYBILL_DECL asio::awaitable<void> engine::resume_due() {
    while (const auto seq = due_.next(parts_.clock->steady_now())) {
        due_.set(*seq, parts_.clock->steady_now() + std::chrono::minutes(1));
        std::optional<loaded_job> whole = co_await parts_.store->load(*seq);
        if (scheduler_.is_held(*seq)) {
            due_.set(*seq, parts_.clock->steady_now() + std::chrono::seconds(1));
            continue;
        }
        if (!whole || whole->job.state.status != status::paused || !is_sound(*whole, parts_.protocols)) {
            due_.erase(*seq);
            continue;
        }
        job_change next;
        next.to = resumed(whole->job.state);
        try {
            co_await change(std::move(*whole), std::move(next));
        } catch (const error& e) {
            if (e.code() != errc::store_full) {
                throw;
            }
        }
    }
}

}  // namespace waybill::detail
