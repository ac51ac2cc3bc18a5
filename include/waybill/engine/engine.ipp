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

/// The time of a store that is opened now. The time that it was closed counts as a day at most: a wall clock that was
/// adjusted by years meanwhile must not make everything old.
[[nodiscard]] inline store_time time_at_opening(store_time kept, unix_millis now) noexcept {
    constexpr std::chrono::milliseconds nothing(0);
    constexpr std::chrono::milliseconds most = std::chrono::hours(24);
    if (kept.wall != unix_millis()) {
        kept.closed += std::clamp<std::chrono::milliseconds>(now - kept.wall, nothing, most);
    }
    kept.wall = now;
    return kept;
}

WAYBILL_DECL engine::engine(strand home, engine_parts parts, options options)
    : home_(std::move(home)), parts_(std::move(parts)), options_(std::move(options)), hub_(home_),
      board_(options_.snapshot_jobs), ledger_(*parts_.store, board_), scheduler_(options_.max_concurrent_jobs),
      hosts_(options_.retry),
      acceptance_(parts_, options_), environment_{home_, parts_, options_, ledger_, scheduler_, hosts_, *this},
      alarm_(parts_.clock->make_alarm(home_)), cleaner_(std::make_unique<cleaner>(home_, parts_, ledger_, options_)),
      phase_changed_(home_), run_ended_(home_), ends_(home_) {
    cleaner_->on_changed = [this] {
        publish_soon();
        if (parts_.store->failed()) {
            alarm_->wake();  // whichever caller noticed: `deliver` has the store reopened
        }
    };
}

WAYBILL_DECL engine::~engine() = default;

WAYBILL_DECL asio::awaitable<void> engine::open() {
    if (parts_.store->failed() && life_.find_failed()) {
        alarm_->wake();
    }
    for (bool awaited = false; !life_.is_open();) {
        if (life_.needs() == need::to_leave) {
            throw error(errc::stopped);
        }
        if (life_.needs() == need::to_open) {
            if (awaited && open_failure_) {
                std::rethrow_exception(open_failure_);
            }
            spawn(home_, [self = shared_from_this()] { return open_store(self); });
            life_.begin_opening();
        }
        awaited = life_.is(phase::opening);
        co_await phase_changed_.wait();
    }
    if (life_.stop_asked()) {
        throw error(errc::stopped);  // opening took long, and no caller wants it any more
    }
}

// Detached: the first caller may be canceled, and the others still wait for it.
WAYBILL_DECL asio::awaitable<void> engine::open_store(std::shared_ptr<engine> self) {
    const bool again = self->life_.opened_before();
    std::exception_ptr thrown;
    try {
        co_await self->read_store(again);
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown) {
        self->life_.failed_to_open();
    } else {
        self->life_.opened();
    }
    self->open_failure_ = thrown;
    self->phase_changed_.notify_all();
    if (thrown) {
        co_return;
    }
    self->fatal_ = nullptr;
    if (self->life_.stop_asked()) {
        co_return;
    }
    self->hub_.reopen();
    if (again) {
        self->publish();
    } else {
        spawn(self->home_, [self] { return fill_board(self); });
    }
}

WAYBILL_DECL asio::awaitable<void> engine::read_store(bool again) {
    const store_contents found = co_await ledger_.open();
    scheduler_.clear();
    due_.clear();
    pauses_known_ = false;
    last_parked_.reset();
    opened_at_ = time_at_opening(found.time, now());
    opened_ = parts_.clock->steady_now();
    if (!found.moved_aside.empty()) {
        board_.note_moved_aside(found.moved_aside);
    }
    for (const queued_job& head : found.lane_heads) {
        scheduler_.refill({head.lane, head.origin}, {{head.seq, turn_of(head)}}, true);
    }
    if (again) {
        board_.clear();
        co_await list_everything();
    }
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
    run_ended_.notify_all();
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

/// Ends all transfers and waits for their ends.
WAYBILL_DECL asio::awaitable<void> engine::quiesce() {
    co_await interrupt_all();
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

WAYBILL_DECL asio::awaitable<void> engine::deliver() {
    next_purge_ = parts_.clock->steady_now();
    while (life_.is_open() && !fatal_ && !parts_.store->failed()) {
        parts_.store->note_time(lived());
        co_await refill_lanes();
        const auto now = parts_.clock->steady_now();
        if (now >= next_purge_) {  // no wakeup of its own: it is done along with other work
            next_purge_ = now + purge_interval;
            co_await purge_old();
        }
        co_await resume_due();
        while (const auto seq = scheduler_.next(now)) {
            start(*seq);
        }
        co_await find_pauses();
        if (!running_.empty() && now >= next_flush_) {
            next_flush_ = now + options_.flush_interval;
            co_await flush_running();
        }
        if (!running_.empty() && now >= next_look_) {
            next_look_ = now + options_.progress_interval;
            observe_running();
        }
        constexpr auto never = scheduler::time_point::max();
        auto deadline = std::min(scheduler_.deadline().value_or(never), due_.first().value_or(never));
        if (!running_.empty()) {
            deadline = std::min({deadline, next_flush_, next_look_});
        }
        co_await alarm_->wait_until(deadline);
    }
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
    co_await interrupt_all();
    while (life_.delivering()) {
        co_await run_ended_.wait_uncancellable();
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
