// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/operation.hpp>
#include <waybill/detail/token_rules.hpp>

#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace waybill::detail {

/// The executor of `asio::use_future`: it keeps an exception in the promise, and would run everything else on Asio's
/// system threads, which are started for it, are missing in a forked child, and end before static objects do.
template <class Executor>
struct is_promise_executor : std::false_type {};
template <class... Parameters>
struct is_promise_executor<asio::detail::promise_executor<Parameters...>> : std::true_type {};

/// Where a handler is called: on its own executor, or on `on`.
template <class Handler>
[[nodiscard]] auto executor_of(const Handler& handler, const strand& on) {
    if constexpr (is_promise_executor<asio::associated_executor_t<Handler, strand>>::value) {
        return tracked(on);
    } else {
        return tracked(asio::get_associated_executor(handler, on));
    }
}

/// The rest of an operation: its handler, called on its own executor with its slot cleared.
template <class Convert, class Result, class Handler, class Executor, class Slot>
class handler_operation final : public operation_on<Executor> {
public:
    handler_operation(Handler handler, Executor executor, Slot slot)
        : operation_on<Executor>(std::move(executor)), handler_(std::move(handler)), slot_(std::move(slot)) {}

    auto& result() noexcept { return result_; }

private:
    void call_handler(const std::exception_ptr& thrown) override {
        if (slot_.is_connected()) {
            slot_.clear();
        }
        Handler last = std::move(handler_);  // destroyed here, not where the operation is released
        if constexpr (std::is_void_v<Result>) {
            std::move(last)(Convert::convert(thrown));
        } else {
            std::move(last)(Convert::convert(thrown), std::move(result_));
        }
    }

    std::conditional_t<std::is_void_v<Result>, nothing, Result> result_{};
    Handler handler_;
    Slot slot_;
};

// An operation lives in memory of its handler's allocator, where the handler has one.

template <class T, class Allocator, class... Arguments>
[[nodiscard]] T* made_by(const Allocator& allocator, Arguments&&... arguments) {
    if constexpr (std::is_same_v<Allocator, std::allocator<void>>) {
        return new T(std::forward<Arguments>(arguments)...);
    } else {
        using traits = typename std::allocator_traits<Allocator>::template rebind_traits<T>;
        typename traits::allocator_type own(allocator);
        T* const place = std::to_address(traits::allocate(own, 1));
        return new (place) T(std::forward<Arguments>(arguments)...);  // moves; does not throw
    }
}

template <class Allocator, class T>
[[nodiscard]] std::shared_ptr<operation> owned_by(const Allocator& allocator, T* whole) {
    if constexpr (std::is_same_v<Allocator, std::allocator<void>>) {
        return owned(whole);
    } else {
        using traits = typename std::allocator_traits<Allocator>::template rebind_traits<T>;
        const auto give_back = [own = typename traits::allocator_type(allocator), whole](operation*) mutable {
            whole->~T();
            traits::deallocate(own, std::pointer_traits<typename traits::pointer>::pointer_to(*whole), 1);
        };
        return std::shared_ptr<operation>(static_cast<operation*>(whole), give_back, allocator);
    }
}

/// Runs the awaitable that `make` returns on `on`, and completes the token's handler on the
/// handler's own executor, always by `post`.
template <class Token, class Result>
struct spawn_initiation {
    /// For tokens that have something to do themselves meanwhile, such as a timer.
    using executor_type = strand;
    [[nodiscard]] executor_type get_executor() const noexcept { return on; }

    strand on;

    template <class Handler>
    void operator()(Handler handler, task_of<Result> make) const {
        auto executor = executor_of(handler, on);
        auto slot = asio::get_associated_cancellation_slot(handler);
        using whole_type =
            handler_operation<facade_of<Token, Result>, Result, Handler, decltype(executor), decltype(slot)>;
        const auto allocator = asio::get_associated_allocator(handler);
        whole_type* const whole = made_by<whole_type>(allocator, std::move(handler), std::move(executor), slot);
        const std::shared_ptr<operation> op = owned_by(allocator, whole);
        if (slot.is_connected()) {
            slot.assign(relay_cancellation{on, op});
        }
        op->start(on, task_into(whole->result(), std::move(make)));
    }
};

/// For `use_awaitable`, which most programs use alone and which is the dearest: with separate compilation they need
/// not compile it.
template <class Result>
asio::awaitable<Result> await_on(const strand& on, task_of<Result> make, asio::use_awaitable_t<> token) {
    using rules = facade_of<asio::use_awaitable_t<>, Result>;
    return asio::async_initiate<asio::use_awaitable_t<>, typename rules::type>(
        spawn_initiation<asio::use_awaitable_t<>, Result>{on}, token, std::move(make));
}

/// See `spawn_initiation`. `Result` is the awaitable's value type; `void` completes with the error alone.
template <class Result, class Token>
auto spawn_on(const strand& on, task_of<Result> make, Token&& token) {
    if constexpr (std::is_same_v<std::decay_t<Token>, asio::use_awaitable_t<>>) {
        return await_on<Result>(on, std::move(make), token);
    } else {
        using token_type = std::decay_t<Token>;
        spawn_initiation<token_type, Result> initiation{on};
        using signature = typename facade_of<token_type, Result>::type;
        return asio::async_initiate<Token, signature>(std::move(initiation), token, std::move(make));
    }
}

}  // namespace waybill::detail
