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

struct write_behind::writing {
    explicit writing(write_behind& w) : owner(w) { owner.writing_ = true; }
    writing(const writing&) = delete;
    writing& operator=(const writing&) = delete;
    ~writing() {
        owner.writing_ = false;
        owner.write_ended_.notify_all();
    }

    write_behind& owner;
};

WAYBILL_DECL write_behind::write_behind(loaded_job& whole, ledger& ledger, waybill::clock& clock, const strand& home)
    : whole_(whole), committed_(whole.job.state.status), ledger_(ledger), clock_(clock), home_(home),
      write_ended_(home_) {}

WAYBILL_DECL asio::awaitable<void> write_behind::commit(job_state next) {
    // Set before waiting: later changes build on it, and must not be undone by it.
    whole_.job.state = std::move(next);
    const std::uint64_t mine = ++asked_;
    co_await until_written(mine);
}

WAYBILL_DECL asio::awaitable<void> write_behind::commit_pins(std::vector<item_spec> found) {
    pins_ = std::move(found);
    const std::uint64_t mine = ++asked_;
    try {
        co_await until_written(mine);
    } catch (...) {
        pins_.clear();
        throw;
    }
}

// Not while a commit waits for space: that one includes what is to be flushed.
WAYBILL_DECL asio::awaitable<void> write_behind::flush() {
    if (!writing_ && written_ == asked_) {
        co_await write_if_space();
    }
}

WAYBILL_DECL asio::awaitable<void> write_behind::until_written(std::uint64_t number) {
    const std::unique_ptr<alarm> pause = clock_.make_alarm(home_);
    while (written_ < number) {
        if (writing_) {
            co_await write_ended_.wait_uncancellable();
        } else if (!co_await write_if_space()) {
            if (!may_wait_for_space()) {
                throw error(errc::store_full);
            }
            co_await pause->wait_until(clock_.steady_now() + std::chrono::seconds(1));
        }
    }
}

/// Commits all that waits; false when the disk is full. The taken changes wait again when it fails: a stop is also
/// thrown where the commit is awaited, before it has begun.
WAYBILL_DECL asio::awaitable<bool> write_behind::write_if_space() {
    const writing mark(*this);
    const std::uint64_t reaches = asked_;
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
        co_await ledger_.commit(std::move(change), whole_);
    } catch (const error& e) {
        put_back(taken);
        if (e.code() != errc::store_full) {
            throw;
        }
        co_return false;
    } catch (...) {
        put_back(taken);
        throw;
    }
    written_ = reaches;
    committed_ = kept.to.status;
    on_committed(kept);
    co_return true;
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
    change.repinned = std::exchange(pins_, {});
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
    if (pins_.empty()) {
        pins_ = not_written.repinned;
    }
}

}  // namespace waybill::detail
