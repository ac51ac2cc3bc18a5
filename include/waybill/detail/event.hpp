// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>

#include <asio/cancellation_signal.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>

namespace waybill::detail {

/// A flag a coroutine can wait for, one at a time. It lives on one strand: `set` and `wait` are
/// called there.
///
/// Built on a timer that never expires, because a timer brings executor, work tracking,
/// cancellation and a safe end when the io_context is destroyed.
class event {
public:
    explicit event(const asio::any_io_executor& executor) : timer_(executor) {}

    /// Wakes the waiter; a later `wait` returns immediately until `clear`.
    void set() {
        set_ = true;
        timer_.cancel();
    }

    void clear() noexcept { set_ = false; }
    [[nodiscard]] bool is_set() const noexcept { return set_; }

    /// Completes when set. Throws `operation_aborted` when the coroutine is canceled first.
    asio::awaitable<void> wait();

    /// Completes when set or at `deadline`; true when set. Throws when canceled.
    asio::awaitable<bool> wait_until(std::chrono::steady_clock::time_point deadline);

    /// Like `wait`, but cancellation does not reach it: for work that must be completed.
    asio::awaitable<void> wait_uncancellable();

private:
    asio::awaitable<void> wait_for(std::chrono::steady_clock::time_point deadline, asio::cancellation_slot slot);

    asio::steady_timer timer_;
    bool set_ = false;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/detail/event.ipp>
#endif
