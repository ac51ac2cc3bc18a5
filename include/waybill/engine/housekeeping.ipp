// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/engine.hpp>
#include <waybill/engine/pause.hpp>
#include <waybill/engine/run/cleaner.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

// What the loop does besides starting jobs.
namespace waybill::detail {

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
    while (const auto seq = due_.next(clock_.steady_now())) {
        due_.set(*seq, clock_.steady_now() + std::chrono::minutes(1));
        std::optional<loaded_job> whole = co_await parts_.store->load(*seq);
        if (scheduler_.is_held(*seq)) {
            due_.set(*seq, clock_.steady_now() + std::chrono::seconds(1));
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

/// Ends the holds whose time is over. On a full disk they stay for a while longer. While the app changes a rule this is
/// left for the next turn: the app may be setting the same hold anew.
WAYBILL_DECL asio::awaitable<void> engine::end_holds() {
    for (auto which = holds_.over(clock_.steady_now()); which && !rules_change_;
         which = holds_.over(clock_.steady_now())) {
        const changing_rules mark(*this);
        try {
            co_await ledger_.remove(*which);
        } catch (const error& e) {
            if (e.code() != errc::store_full) {
                throw;
            }
            holds_.postpone(*which, clock_.steady_now() + std::chrono::minutes(1));
            continue;
        }
        end_hold(*which);
        publish_soon();
    }
}

WAYBILL_DECL asio::awaitable<void> engine::purge_old() {
    for (;;) {
        std::vector<removed_job> gone;
        try {
            gone = co_await ledger_.remove_finished(clock_.lived().all() - options_.keep_finished, clock_.now());
        } catch (const error& e) {
            if (e.code() != errc::store_full) {
                throw;
            }
            // Another time: deleting needs space, too.
        }
        if (gone.empty()) {
            co_return;
        }
        bool any = false;
        std::vector<job_seq> damaged;
        for (const removed_job& one : gone) {
            if (one.damaged) {
                damaged.push_back(one.seq);
            } else {
                board_.remove(one.seq);
                any = true;
            }
        }
        cleaner_->wake();
        publish_soon();
        for (const job_seq seq : damaged) {
            loaded_job whole = co_await load(seq);
            co_await quarantine_if_possible(std::move(whole));
        }
        if (!any) {
            co_return;  // only damaged ones remain
        }
    }
}

}  // namespace waybill::detail
