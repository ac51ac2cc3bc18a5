// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/erased.hpp>
#include <waybill/detail/event.hpp>
#include <waybill/detail/in_parallel.hpp>

#include <asio/cancellation_signal.hpp>

#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace waybill::detail {

// Shared by the caller and its workers. A worker's completion handler may run after the caller's
// frame was destroyed, so it must not point into that frame.
struct parallel_state {
    explicit parallel_state(const strand& home) : all_ended(home) {}

    std::size_t running = 0;
    std::exception_ptr first;
    std::vector<std::shared_ptr<asio::cancellation_signal>> workers;
    event all_ended;

    void cancel_all() {
        for (const auto& worker : workers) {
            cancel(*worker, asio::cancellation_type::terminal);
        }
    }
};

inline asio::awaitable<void> repeat(std::function<asio::awaitable<bool>()> step) {
    // Not `while (co_await step())`: g++ 12 evaluates that condition from uninitialised memory.
    for (;;) {
        const bool more = co_await step();
        if (!more) {
            co_return;
        }
    }
}

WAYBILL_DECL asio::awaitable<void> in_parallel(strand home, std::shared_ptr<void> owner, std::size_t width,
                                               std::function<asio::awaitable<bool>()> step) {
    auto state = std::make_shared<parallel_state>(home);
    state->running = width;
    for (std::size_t i = 0; i < width; ++i) {
        state->workers.push_back(std::make_shared<asio::cancellation_signal>());
    }
    for (std::size_t i = 0; i < width; ++i) {
        spawn(
            home, [step, owner] { return repeat(step); }, state->workers[i],
            [state](const std::exception_ptr& thrown) {
                if (thrown && !state->first) {
                    state->first = thrown;
                    state->cancel_all();
                }
                if (--state->running == 0) {
                    state->all_ended.set();
                }
            });
    }
    std::exception_ptr canceled;
    try {
        co_await state->all_ended.wait();
    } catch (...) {
        canceled = std::current_exception();
    }
    if (canceled) {
        state->cancel_all();
        // Their frames use objects in ours: they must have ended before it does.
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await state->all_ended.wait_uncancellable();
        std::rethrow_exception(canceled);
    }
    if (state->first) {
        std::rethrow_exception(state->first);
    }
}

}  // namespace waybill::detail
