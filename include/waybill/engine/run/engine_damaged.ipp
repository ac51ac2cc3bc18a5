// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/engine.hpp>
#include <waybill/engine/show/picture.hpp>

#include <chrono>
#include <utility>

// Jobs whose records cannot be trusted.
namespace waybill {

/// Fails a job whose record cannot be trusted. On a full disk it stays where it is, and is looked at again.
WAYBILL_DECL asio::awaitable<void> engine::fail_damaged(loaded_job whole) {
    const job_seq seq = whole.job.seq;
    bool full = false;
    try {
        co_await set_aside(std::move(whole));
    } catch (const error& e) {
        if (e.code() != errc::store_full) {
            throw;
        }
        full = true;
    }
    if (full) {
        scheduler_.wait(seq, {parts_.clock->steady_now() + std::chrono::minutes(1)});
    }
}

/// Keeps a record that cannot be trusted as a failed job, until the app removes it. Nothing is made of what it says: it
/// is counted by what the store finds.
WAYBILL_DECL asio::awaitable<void> engine::set_aside(loaded_job whole) {
    co_await ledger_.quarantine(whole.job.seq);
    whole.damaged = true;
    show(detail::picture_of(whole));
    scheduler_.leave(whole.job.seq);
    notify_end(whole.job.seq);
}

/// On a full disk it is done another time.
WAYBILL_DECL asio::awaitable<void> engine::set_aside_if_possible(loaded_job whole) {
    try {
        co_await set_aside(std::move(whole));
    } catch (const error& e) {
        if (e.code() != errc::store_full) {
            throw;
        }
    }
}

}  // namespace waybill
