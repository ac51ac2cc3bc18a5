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

// The engine's life: opening, delivering, stopping.
namespace waybill {
namespace detail {

[[nodiscard]] inline bool is_cancellation(const std::exception_ptr& thrown) noexcept {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::system_error& e) {
        return e.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace detail

WAYBILL_DECL engine::engine(detail::strand home, engine_parts parts, engine_options options)
    : home_(std::move(home)), parts_(std::move(parts)), options_(std::move(options)), hub_(home_),
      board_(options_.snapshot_jobs), ledger_(*parts_.store, board_), scheduler_(options_.jobs_at_once),
      hosts_(options_.retry), environment_{home_, parts_, options_, ledger_, scheduler_, hosts_, *this},
      alarm_(parts_.clock->make_alarm(home_)), cleaner_(std::make_unique<cleaner>(home_, parts_, ledger_, options_)),
      phase_changed_(home_), run_ended_(home_) {
    cleaner_->on_changed = [this] {
        publish_soon();
        if (parts_.store->failed()) {
            alarm_->ring();  // whoever found out: `deliver` has the store opened anew
        }
    };
}

WAYBILL_DECL engine::~engine() = default;

WAYBILL_DECL unix_millis engine::now() const {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(parts_.clock->system_now());
}

WAYBILL_DECL store_time engine::lived() const {
    store_time t = opened_at_;
    t.open += std::chrono::floor<std::chrono::milliseconds>(parts_.clock->steady_now() - opened_);
    t.wall = now();
    return t;
}

namespace detail {

/// The time of a store that is opened now. Of the time that it was closed a day counts at most: a wall clock that was
/// put right by years meanwhile must not make everything old.
[[nodiscard]] inline store_time time_at_opening(store_time kept, unix_millis now) noexcept {
    constexpr std::chrono::milliseconds nothing(0);
    constexpr std::chrono::milliseconds most = std::chrono::hours(24);
    if (kept.wall != unix_millis()) {
        kept.closed += std::clamp<std::chrono::milliseconds>(now - kept.wall, nothing, most);
    }
    kept.wall = now;
    return kept;
}

}  // namespace detail

// A stored time is kept with its duration, and never prolonged: a clock that jumped by years must neither stall a job
// nor matter otherwise.
WAYBILL_DECL job_turn engine::turn_of(const queued_job& job) const {
    constexpr std::chrono::milliseconds nothing(0);
    auto left = std::clamp<std::chrono::milliseconds>(job.not_before - now(), nothing, std::max(job.wait, nothing));
    if (job.reason == wait_reason::credentials) {  // there may be others long before, or since the last process
        left = hosts_.refuses_some(job.origin) ? std::min(left, options_.retry.credentials_poll) : nothing;
    }
    return {parts_.clock->steady_now() + left, !job.origin.empty() && lets_others_by(job.reason)};
}

WAYBILL_DECL asio::awaitable<void> engine::open() {
    if (phase_ == phase::open && parts_.store->failed()) {
        phase_ = delivering_ ? phase::lost : phase::closed;
        alarm_->ring();
    }
    for (bool awaited = false; phase_ != phase::open;) {
        if (phase_ == phase::closed) {
            if (awaited && open_failure_) {
                std::rethrow_exception(open_failure_);
            }
            detail::spawn(home_, [self = shared_from_this()] { return open_store(self); });
            phase_ = phase::opening;
        } else if (phase_ != phase::opening && phase_ != phase::lost) {
            throw error(errc::stopped);
        }
        awaited = phase_ == phase::opening;
        co_await phase_changed_.wait();
    }
    if (stop_asked_) {
        throw error(errc::stopped);  // it took long, and nobody wants it any more
    }
}

// By itself: whoever asked first may be canceled, and the others wait for it all the same.
WAYBILL_DECL asio::awaitable<void> engine::open_store(std::shared_ptr<engine> self) {
    const bool again = self->opened_before_;
    std::exception_ptr thrown;
    try {
        co_await self->read_store(again);
    } catch (...) {
        thrown = std::current_exception();
    }
    self->phase_ = thrown ? phase::closed : phase::open;
    self->open_failure_ = thrown;
    self->phase_changed_.notify_all();
    if (thrown) {
        co_return;
    }
    self->fatal_ = nullptr;
    self->opened_before_ = true;
    if (self->stop_asked_) {
        co_return;
    }
    self->hub_.reopen();
    if (again) {
        self->publish();
    } else {
        detail::spawn(self->home_, [self] { return fill_board(self); });
    }
}

WAYBILL_DECL asio::awaitable<void> engine::read_store(bool again) {
    const store_contents found = co_await ledger_.open();
    scheduler_.clear();
    opened_at_ = detail::time_at_opening(found.time, now());
    opened_ = parts_.clock->steady_now();
    if (!found.set_aside.empty()) {
        board_.note_set_aside(found.set_aside);
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
    std::exception_ptr unopened;
    try {
        co_await open();
    } catch (const error&) {
        unopened = std::current_exception();
    }
    if (unopened) {
        if (phase_ == phase::closed) {
            hub_.close(unopened);  // who waits for snapshots would wait for ever
        }
        std::rethrow_exception(unopened);
    }
    if (delivering_) {
        throw error(errc::not_allowed, "the uploader is running already");
    }
    // Who cancels is heard in `deliver`: thrown from here it would look for ever as if this still ran.
    co_await asio::this_coro::throw_if_cancelled(false);
    delivering_ = true;
    reopened_ = 0;
    std::exception_ptr thrown;
    for (bool again = true; again;) {
        thrown = co_await deliver_until_it_ends();
        again = false;
        if (lose_store(thrown)) {
            thrown = co_await reopen();
            again = !thrown && phase_ == phase::open;
        }
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await lay_down();
    delivering_ = false;
    if (phase_ == phase::lost) {
        phase_ = phase::closed;  // whoever needs the store next opens it anew
        phase_changed_.notify_all();
    }
    run_ended_.notify_all();
    thrown = fatal_ ? fatal_ : thrown;
    if (thrown) {
        if (!detail::is_cancellation(thrown)) {
            hub_.close(thrown);
        }
        std::rethrow_exception(thrown);
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
WAYBILL_DECL asio::awaitable<void> engine::lay_down() {
    co_await interrupt_all();
    co_await cleaner_->stop();
}

/// True when it was the store that failed, so that what is in memory may not be what is on the disk.
WAYBILL_DECL bool engine::lose_store(const std::exception_ptr& thrown) {
    bool failed = parts_.store->failed();
    try {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    } catch (const error& e) {
        failed = failed || e.code() == errc::store_failed;
    } catch (...) {
        failed = false;  // canceled: whoever runs it next opens the store anew
    }
    failed = failed && (phase_ == phase::open || phase_ == phase::lost);
    phase_ = failed ? phase::lost : phase_;
    return failed;
}

/// Forgets everything and asks the disk, as after a crash; jobs that were running are pending again.
/// Gives up when the disk fails again and again, and says why.
WAYBILL_DECL asio::awaitable<std::exception_ptr> engine::reopen() {
    constexpr int most_in_a_row = 3;
    co_await lay_down();
    if (phase_ != phase::lost) {
        co_return nullptr;  // it is being stopped
    }
    phase_ = phase::closed;
    phase_changed_.notify_all();
    notify_all_ends();  // who waits looks again
    std::exception_ptr thrown = fatal_ ? fatal_ : std::make_exception_ptr(error(errc::store_failed));
    if (++reopened_ > most_in_a_row) {
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
    next_forgetting_ = parts_.clock->steady_now();
    while (phase_ == phase::open && !fatal_ && !parts_.store->failed()) {
        parts_.store->note_time(lived());
        co_await refill_lanes();
        const auto now = parts_.clock->steady_now();
        if (now >= next_forgetting_) {  // nobody is woken for it: it comes with other work
            next_forgetting_ = now + forget_every;
            co_await forget_old();
        }
        while (const auto seq = scheduler_.next(now)) {
            start(*seq);
        }
        if (!running_.empty() && now >= next_flush_) {
            next_flush_ = now + options_.flush_interval;
            co_await flush_running();
        }
        if (!running_.empty() && now >= next_look_) {
            next_look_ = now + options_.progress_interval;
            observe_running();
        }
        auto deadline = scheduler_.deadline().value_or(scheduler::time_point::max());
        if (!running_.empty()) {
            deadline = std::min({deadline, next_flush_, next_look_});
        }
        co_await alarm_->wait_until(deadline);
    }
}

WAYBILL_DECL asio::awaitable<void> engine::refill_lanes() {
    constexpr std::size_t page = 64;
    while (const auto hungry = scheduler_.hungry()) {
        const auto& [queue, last] = *hungry;
        const std::vector<queued_job> found = co_await parts_.store->lane(queue.lane, queue.origin, last, page);
        std::vector<std::pair<job_seq, job_turn>> following;
        for (const queued_job& job : found) {
            following.emplace_back(job.seq, turn_of(job));
        }
        scheduler_.refill(queue, following, found.size() == page);
    }
}

WAYBILL_DECL asio::awaitable<void> engine::stop() {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    stop_asked_ = true;
    while (phase_ == phase::opening || phase_ == phase::stopping) {
        co_await phase_changed_.wait_uncancellable();
    }
    if (phase_ == phase::stopped) {
        co_return;
    }
    const bool opened = phase_ == phase::open || phase_ == phase::lost;
    phase_ = phase::stopping;
    alarm_->ring();
    co_await interrupt_all();
    while (delivering_) {
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
    phase_ = phase::stopped;
    phase_changed_.notify_all();
    notify_all_ends();
    hub_.close(fatal_);
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

}  // namespace waybill
