// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/run/abandon_uploads.hpp>
#include <waybill/engine/run/write_behind.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

namespace waybill::detail {

struct write_behind::flushing {
    explicit flushing(write_behind& w) : owner(w) { owner.flushing_ = true; }
    flushing(const flushing&) = delete;
    flushing& operator=(const flushing&) = delete;
    ~flushing() {
        owner.flushing_ = false;
        owner.flushed_.notify_all();
    }

    write_behind& owner;
};

WAYBILL_DECL write_behind::write_behind(loaded_job& whole, ledger& ledger, waybill::clock& clock, const strand& home)
    : whole_(whole), committed_(whole.job.state.status), ledger_(ledger), clock_(clock), home_(home), flushed_(home) {}

WAYBILL_DECL asio::awaitable<void> write_behind::commit(job_state next) {
    // Set before waiting: later changes build on it, and must not be undone by it.
    whole_.job.state = std::move(next);
    const writing mark(*this);
    co_await until_flushed();
    const job_change taken = take_change();
    job_change change = taken;
    if (change.to.status == status::completed) {
        change.drop_checkpoints = true;
        change.checkpoints.clear();
    } else if (change.to.status == status::canceled ||
               (change.to.status == status::failed && change.to.error.code == errc::expired)) {
        abandon_uploads(change, whole_, clock_.system_now());
    }
    const job_change kept = change;
    try {
        co_await write(std::move(change));
    } catch (...) {
        // A stop while it waited for space: the next commit must not clear the intent without the result that settled
        // it.
        put_back(taken);
        throw;
    }
    written(kept);
}

// Does nothing while a commit is in progress. A flush could overtake a commit that waits for disk space and write the
// same state first; and changes that a failed flush puts back would miss the job's last commit.
WAYBILL_DECL asio::awaitable<void> write_behind::flush() {
    if (writing_ > 0) {
        co_return;
    }
    const flushing mark(*this);
    job_change change = take_change();
    const job_change kept = change;
    std::exception_ptr thrown;
    bool full = false;
    try {
        co_await ledger_.commit(std::move(change), whole_);
    } catch (const error& e) {
        full = e.code() == errc::store_full;
        thrown = std::current_exception();
    } catch (...) {  // a stop, or no memory
        thrown = std::current_exception();
    }
    if (thrown) {
        put_back(kept);  // another time
    }
    if (full) {
        co_return;
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
    written(kept);
}

WAYBILL_DECL asio::awaitable<void> write_behind::until_flushed() {
    while (flushing_) {
        co_await flushed_.wait_uncancellable();
    }
}

WAYBILL_DECL job_change write_behind::take_change() {
    job_change change;
    change.seq = whole_.job.seq;
    change.from = committed_;
    change.to = whole_.job.state;
    for (const std::size_t i : std::exchange(dirty_items_, {})) {
        change.items.emplace_back(i, whole_.items[i].state);
    }
    const std::set<std::size_t> changed = std::exchange(dirty_checkpoints_, {});
    for (const std::size_t i : changed) {
        const auto found = std::find_if(whole_.checkpoints.begin(), whole_.checkpoints.end(),
                                        [&](const checkpoint& c) { return c.item == i; });
        if (found != whole_.checkpoints.end()) {  // it may have been deleted meanwhile
            change.checkpoints.push_back(*found);
        }
    }
    change.dropped = std::exchange(owed_drops_, {});
    change.leftovers = std::exchange(owed_leftovers_, {});
    return change;
}

WAYBILL_DECL void write_behind::put_back(const job_change& not_written) {
    for (const auto& [index, state] : not_written.items) {
        dirty_items_.insert(index);
    }
    for (const checkpoint& c : not_written.checkpoints) {
        dirty_checkpoints_.insert(c.item);
    }
    owed_drops_.insert(owed_drops_.end(), not_written.dropped.begin(), not_written.dropped.end());
    owed_leftovers_.insert(owed_leftovers_.end(), not_written.leftovers.begin(), not_written.leftovers.end());
}

WAYBILL_DECL asio::awaitable<void> write_behind::write(job_change change) {
    const std::unique_ptr<alarm> pause = clock_.make_alarm(home_);
    for (;;) {
        job_change again = change;
        try {
            co_await ledger_.commit(std::move(again), whole_);
            co_return;
        } catch (const error& e) {
            if (e.code() != errc::store_full || !may_wait_for_space()) {
                throw;
            }
        }
        co_await pause->wait_until(clock_.steady_now() + std::chrono::seconds(1));
    }
}

WAYBILL_DECL void write_behind::written(const job_change& change) {
    committed_ = change.to.status;
    on_committed(change);
}

}  // namespace waybill::detail
