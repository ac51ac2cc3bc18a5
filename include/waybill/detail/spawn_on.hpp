// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/erased.hpp>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/execution/outstanding_work.hpp>
#include <asio/prefer.hpp>
#include <asio/use_future.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

namespace waybill::detail {

/// The error code a coroutine's exception stands for.
[[nodiscard]] inline std::error_code to_error_code(const std::exception_ptr& thrown) noexcept {
    if (!thrown) {
        return {};
    }
    try {
        std::rethrow_exception(thrown);
    } catch (const std::system_error& e) {
        return e.code();
    } catch (const std::bad_alloc&) {
        return std::make_error_code(std::errc::not_enough_memory);
    } catch (...) {
        return std::make_error_code(std::errc::state_not_recoverable);
    }
}

// Where a token throws anyway, the exception itself travels, so that its text keeps the file's
// name and the remedy; every other token gets the error code.
template <class Token, class... Results>
struct facade_signature {
    using type = void(std::error_code, Results...);
    static std::error_code convert(const std::exception_ptr& thrown) noexcept { return to_error_code(thrown); }
};
template <class Executor, class... Results>
struct facade_signature<asio::use_awaitable_t<Executor>, Results...> {
    using type = void(std::exception_ptr, Results...);
    static std::exception_ptr convert(std::exception_ptr thrown) noexcept { return thrown; }
};
template <class Allocator, class... Results>
struct facade_signature<asio::use_future_t<Allocator>, Results...>
    : facade_signature<asio::use_awaitable_t<>, Results...> {};

/// Cancels by `post`: Asio 1.22.1 would emit on the caller's thread while the coroutine runs on
/// the strand, a data race.
struct relay_cancellation {
    strand on;
    std::weak_ptr<asio::cancellation_signal> to;

    void operator()(asio::cancellation_type type) const {
        post(on, [to = to, type] {
            if (const auto alive = to.lock()) {
                alive->emit(type);
            }
        });
    }
};

template <class Result>
asio::awaitable<void> keep_result(std::function<asio::awaitable<Result>()> make, std::shared_ptr<Result> result) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    *result = co_await make();
}

WAYBILL_DECL asio::awaitable<void> keep_no_result(task make);

/// Runs the awaitable that `make` returns on `on`, and completes the token's handler on the
/// handler's own executor, always by `post`. The handler's slot is cleared before it is called.
template <class Token, class Result>
struct spawn_initiation {
    using convert = facade_signature<Token>;
    strand on;

    template <class Handler>
    void operator()(Handler handler, std::function<asio::awaitable<Result>()> make) const {
        // Tracked: the handler's context must not run out of work while we are busy on ours.
        const auto executor =
            asio::prefer(asio::get_associated_executor(handler, on), asio::execution::outstanding_work.tracked);
        auto slot = asio::get_associated_cancellation_slot(handler);
        auto signal = std::make_shared<asio::cancellation_signal>();
        if (slot.is_connected()) {
            slot.assign(relay_cancellation{on, signal});
        }
        auto kept = std::make_shared<Handler>(std::move(handler));
        if constexpr (std::is_void_v<Result>) {
            task work = [make = std::move(make)] { return keep_no_result(make); };
            spawn(on, std::move(work), std::move(signal), [executor, slot, kept](std::exception_ptr thrown) {
                std::function<void()> call = [slot, kept, thrown = std::move(thrown)]() mutable {
                    clear(slot);
                    std::move (*kept)(convert::convert(thrown));
                };
                asio::post(executor, std::move(call));
            });
        } else {
            auto result = std::make_shared<Result>();
            task work = [make = std::move(make), result] { return keep_result<Result>(make, result); };
            spawn(on, std::move(work), std::move(signal), [executor, slot, kept, result](std::exception_ptr thrown) {
                std::function<void()> call = [slot, kept, result, thrown = std::move(thrown)]() mutable {
                    clear(slot);
                    std::move (*kept)(convert::convert(thrown), std::move(*result));
                };
                asio::post(executor, std::move(call));
            });
        }
    }

    template <class Slot>
    static void clear(Slot& slot) {
        if (slot.is_connected()) {
            slot.clear();
        }
    }
};

/// See `spawn_initiation`. `Result` is the awaitable's value type; `void` completes with the error alone.
template <class Result, class Token>
auto spawn_on(const strand& on, std::function<asio::awaitable<Result>()> make, Token&& token) {
    using token_type = std::decay_t<Token>;
    spawn_initiation<token_type, Result> initiation{on};
    if constexpr (std::is_void_v<Result>) {
        using signature = typename facade_signature<token_type>::type;
        return asio::async_initiate<Token, signature>(std::move(initiation), token, std::move(make));
    } else {
        using signature = typename facade_signature<token_type, Result>::type;
        return asio::async_initiate<Token, signature>(std::move(initiation), token, std::move(make));
    }
}

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/detail/impl/spawn_on.ipp>
#endif
