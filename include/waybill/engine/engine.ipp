// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/erased.hpp>
#include <waybill/engine/engine.hpp>
#include <waybill/engine/run/cleaner.hpp>

#include <asio/error.hpp>

#include <algorithm>
#include <memory>
#include <system_error>
#include <utility>

// The engine's lifecycle: opening, delivering, stopping.
namespace waybill::detail {

[[nodiscard]] inline bool is_cancellation(const std::exception_ptr& thrown) noexcept {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::system_error& e) {
        return e.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

WAYBILL_DECL engine::engine(strand home, engine_parts parts, options options)
    : commands(std::move(home), std::move(parts), std::move(options)), delivery_ended_(home_) {
    running_.on_ended = [this](job_seq seq, const std::exception_ptr& thrown) { ended(seq, thrown); };
}

WAYBILL_DECL asio::awaitable<void> engine::run() {
    co_await open_to_run();
    if (life_.delivering()) {
        throw error(errc::not_allowed, "the uploader is running already");
    }
    // From here on cancellation must not throw: the engine would seem to deliver forever.
    co_await asio::this_coro::throw_if_cancelled(false);
    life_.begin_delivering();
    std::exception_ptr thrown;
    for (bool again = true; again;) {
        thrown = co_await deliver_until_it_ends();
        again = false;
        if (lose_store(thrown)) {
            thrown = co_await reopen();
            again = !thrown && life_.is_open();
        }
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await quiesce();
    life_.end_delivering();
    if (life_.close_lost()) {
        phase_changed_.notify_all();  // the next operation that needs the store reopens it
    }
    delivery_ended_.notify_all();
    thrown = fatal_ ? fatal_ : thrown;
    if (thrown) {
        if (!is_cancellation(thrown)) {
            hub_.close(thrown);
        }
        std::rethrow_exception(thrown);
    }
}

WAYBILL_DECL asio::awaitable<void> engine::open_to_run() {
    std::exception_ptr unopened;
    try {
        co_await open();
    } catch (const error&) {
        unopened = std::current_exception();
    }
    if (unopened) {
        if (life_.is(phase::closed)) {
            hub_.close(unopened);  // readers that wait for snapshots would wait forever
        }
        std::rethrow_exception(unopened);
    }
}

WAYBILL_DECL asio::awaitable<std::exception_ptr> engine::deliver_until_it_ends() {
    std::exception_ptr thrown;
    cleaner_->start(shared_from_this());
    publish_soon();
    try {
        co_await asio::this_coro::throw_if_cancelled(true);
        co_await deliver();
    } catch (...) {
        thrown = std::current_exception();
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    co_return fatal_ ? fatal_ : thrown;
}

WAYBILL_DECL asio::awaitable<void> engine::deliver() {
    next_purge_ = clock_.steady_now();
    while (life_.is_open() && !fatal_ && !parts_.store->failed()) {
        parts_.store->note_time(clock_.lived());
        co_await refill_lanes();
        const auto now = clock_.steady_now();
        if (now >= next_purge_) {  // no wakeup of its own: it is done along with other work
            next_purge_ = now + purge_interval;
            co_await purge_old();
        }
        co_await resume_due();
        co_await end_holds();
        while (const auto seq = scheduler_.next(now)) {
            running_.start(*seq, shared_from_this());
        }
        show_rest();
        co_await find_pauses();
        if (!running_.empty() && now >= next_flush_) {
            next_flush_ = now + options_.flush_interval;
            co_await running_.flush(shared_from_this());
        }
        if (!running_.empty() && now >= next_look_) {
            next_look_ = now + options_.progress_interval;
            running_.for_each_loaded([this](attempt& job) { show(job.observe(), board::place::beyond); });
        }
        co_await alarm_->wait_until(next_wakeup());
    }
}

/// Only held jobs are left (`snapshot::at_rest`). That is known here: a lane is gone when the store has no more of it.
WAYBILL_DECL void engine::show_rest() {
    const bool rests = running_.empty() && scheduler_.all_closed();
    if (rests && !rest_shown_) {
        publish_soon();
    }
    rest_shown_ = rests;
}

WAYBILL_DECL engine::time_point engine::next_wakeup() const {
    constexpr auto never = time_point::max();
    // While a rule is being changed no hold is ended, and the end of the change wakes the loop.
    const auto hold_ends = rules_change_ ? never : holds_.first_end().value_or(never);
    const auto wakeup = std::min({scheduler_.deadline().value_or(never), due_.first().value_or(never), hold_ends});
    return running_.empty() ? wakeup : std::min({wakeup, next_flush_, next_look_});
}

WAYBILL_DECL void engine::ended(job_seq seq, const std::exception_ptr& thrown) {
    if (is_want_of_memory(thrown)) {
        scheduler_.wait(seq, {clock_.steady_now() + options_.retry.base});  // as after a crash: from the disk
    } else if (thrown && !fatal_) {
        fatal_ = thrown;
    }
    ends_.notify(seq);
    alarm_->wake();
}

/// Ends all transfers and waits for their ends.
WAYBILL_DECL asio::awaitable<void> engine::quiesce() {
    co_await running_.interrupt_all();
    co_await cleaner_->stop();
}

/// True when the store failed, so that the state in memory may differ from the disk.
WAYBILL_DECL bool engine::lose_store(const std::exception_ptr& thrown) {
    bool failed = parts_.store->failed();
    try {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    } catch (const error& e) {
        failed = failed || e.code() == errc::store_failed;
    } catch (...) {
        failed = false;  // canceled: the next run reopens the store
    }
    return failed && life_.lose();
}

/// Discards all state and reloads it from the disk, as after a crash; jobs that were running are pending again. Stops
/// when the disk fails repeatedly, and returns the reason.
WAYBILL_DECL asio::awaitable<std::exception_ptr> engine::reopen() {
    co_await quiesce();
    if (!life_.close_lost()) {
        co_return nullptr;  // it is being stopped
    }
    phase_changed_.notify_all();
    ends_.notify_all();  // waiters check again
    std::exception_ptr thrown = fatal_ ? fatal_ : std::make_exception_ptr(error(errc::store_failed));
    if (!life_.may_reopen()) {
        co_return thrown;
    }
    try {
        co_await open();
        thrown = nullptr;
    } catch (...) {
        thrown = std::current_exception();
    }
    co_return thrown;
}

WAYBILL_DECL asio::awaitable<void> engine::stop() {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    life_.ask_to_stop();
    while (life_.stop_must_wait()) {
        co_await phase_changed_.wait_uncancellable();
    }
    if (life_.is(phase::stopped)) {
        co_return;
    }
    const bool opened = life_.begin_stopping();
    alarm_->wake();
    co_await running_.interrupt_all();
    while (life_.delivering()) {
        co_await delivery_ended_.wait_uncancellable();
    }
    std::exception_ptr thrown;
    if (opened) {
        try {
            co_await parts_.store->close();
        } catch (...) {
            thrown = std::current_exception();
        }
    }
    life_.stopped();
    phase_changed_.notify_all();
    ends_.notify_all();
    hub_.close(fatal_);
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

}  // namespace waybill::detail
