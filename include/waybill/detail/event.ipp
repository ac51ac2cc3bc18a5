// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/event.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/error.hpp>

#include <system_error>

namespace waybill::detail {

WAYBILL_DECL asio::awaitable<void> event::wait() {
    co_await wait_until(asio::steady_timer::time_point::max());
}

WAYBILL_DECL asio::awaitable<bool> event::wait_until(std::chrono::steady_clock::time_point deadline) {
    // The flag is authoritative, the timer only wakes: a cancel that came before this wait started must not be lost,
    // and one meant for an earlier wait must not count.
    while (!set_ && std::chrono::steady_clock::now() < deadline) {
        const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
        // A coroutine that does not throw on cancellation arrives here although it is canceled already.
        if (state.cancelled() == asio::cancellation_type::none) {
            co_await wait_for(deadline, state.slot());
        }
        if (!set_ && state.cancelled() != asio::cancellation_type::none) {
            throw std::system_error(asio::error::operation_aborted);
        }
    }
    co_return set_;
}

WAYBILL_DECL asio::awaitable<void> event::wait_uncancellable() {
    while (!set_) {
        co_await wait_for(asio::steady_timer::time_point::max(), asio::cancellation_slot());
    }
}

WAYBILL_DECL asio::awaitable<void> event::wait_for(std::chrono::steady_clock::time_point deadline,
                                                   asio::cancellation_slot slot) {
    timer_.expires_at(deadline);
    co_await timer_.async_wait(asio::bind_cancellation_slot(slot, nothrow()));
}

}  // namespace waybill::detail
