// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/ledger.hpp>
#include <waybill/model/consistency.hpp>
#include <waybill/store/apply.hpp>

#include <algorithm>
#include <cassert>
#include <utility>

namespace waybill::detail {

/// Checks the part that is written; the rest was checked when it was written.
[[nodiscard]] inline bool is_consistent(const job_change& change, const loaded_job& of) {
    const auto size = [&](std::size_t i) {
        return (change.repinned.empty() ? of.items[i].spec : change.repinned[i]).size;
    };
    return is_consistent(change.to, of.items.size()) &&
           std::all_of(change.items.begin(), change.items.end(), [&](const auto& one) {
               return one.first < of.items.size() && is_consistent(one.second, size(one.first));
           });
}

WAYBILL_DECL asio::awaitable<store_contents> ledger::open() {
    store_contents found = co_await store_.open();
    board_.set_totals(found.totals);
    co_return found;
}

WAYBILL_DECL asio::awaitable<std::vector<added_job>> ledger::add(std::shared_ptr<const std::vector<new_job>> jobs) {
    std::vector<added_job> added = co_await store_.add(jobs);
    for (std::size_t i = 0; i < added.size(); ++i) {
        if (!added[i].existed) {
            board_.count_new(status::pending, (*jobs)[i].job.spec.size);
        }
    }
    co_return added;
}

WAYBILL_DECL asio::awaitable<void> ledger::commit(job_change change, const loaded_job& of) {
    require_possible(change);
    assert(is_consistent(change, of));
    const status from = change.from;
    const status to = change.to.status;
    const std::uint64_t size_before = of.job.spec.size;
    const std::uint64_t size_then = size_after(change, of);
    co_await store_.commit(std::move(change));
    board_.count_gone(from, size_before);
    board_.count_new(to, size_then);
}

WAYBILL_DECL asio::awaitable<void> ledger::quarantine(job_seq seq) {
    const totals difference = co_await store_.quarantine(seq);
    board_.correct(difference);
}

WAYBILL_DECL asio::awaitable<void> ledger::remove(const loaded_job& of, std::vector<leftover> leftovers) {
    const status was = of.job.state.status;
    const std::uint64_t size = of.job.spec.size;
    co_await store_.remove(of.job.seq, std::move(leftovers));
    board_.count_gone(was, size);
}

WAYBILL_DECL asio::awaitable<std::vector<removed_job>> ledger::remove_finished(std::chrono::milliseconds before,
                                                                               unix_millis now) {
    std::vector<removed_job> gone = co_await store_.remove_finished(before, now);
    for (const removed_job& one : gone) {
        if (!one.damaged) {
            board_.count_gone(one.was, one.size);
        }
    }
    co_return gone;
}

WAYBILL_DECL asio::awaitable<void> ledger::put(hold what) {
    return store_.put_hold(std::move(what));
}

WAYBILL_DECL asio::awaitable<void> ledger::remove(selection held) {
    return store_.remove_hold(std::move(held));
}

WAYBILL_DECL asio::awaitable<void> ledger::put(bandwidth_limit what) {
    return store_.put_limit(std::move(what));
}

WAYBILL_DECL asio::awaitable<void> ledger::remove(limit_scope limited) {
    return store_.remove_limit(std::move(limited));
}

WAYBILL_DECL asio::awaitable<void> ledger::postpone(leftover what) {
    return store_.postpone_leftover(std::move(what));
}

WAYBILL_DECL asio::awaitable<void> ledger::remove(std::int64_t leftover_id) {
    return store_.remove_leftover(leftover_id);
}

}  // namespace waybill::detail
