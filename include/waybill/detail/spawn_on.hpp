// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/operation.hpp>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/execution/outstanding_work.hpp>
#include <asio/post.hpp>
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

/// The rest of an operation: its handler, called on its own executor with its slot cleared.
template <class Convert, class Result, class Handler, class Executor, class Slot>
class handler_operation final : public operation {
public:
    handler_operation(Handler handler, Executor executor, Slot slot)
        : handler_(std::move(handler)), executor_(std::move(executor)), slot_(std::move(slot)) {}

    auto& result() noexcept { return result_; }

private:
    void post(std::function<void()> call) override {
        const Executor last = std::move(executor_);  // from here on the posted call is its work
        asio::post(last, std::move(call));
    }

    void call_handler(const std::exception_ptr& thrown) override {
        if (slot_.is_connected()) {
            slot_.clear();
        }
        Handler last = std::move(handler_);  // destroyed here, not where the operation is let go
        if constexpr (std::is_void_v<Result>) {
            std::move(last)(Convert::convert(thrown));
        } else {
            std::move(last)(Convert::convert(thrown), std::move(result_));
        }
    }

    std::conditional_t<std::is_void_v<Result>, nothing, Result> result_{};
    Handler handler_;
    Executor executor_;
    Slot slot_;
};

/// Runs the awaitable that `make` returns on `on`, and completes the token's handler on the
/// handler's own executor, always by `post`.
template <class Token, class Result>
struct spawn_initiation {
    strand on;

    template <class Handler>
    void operator()(Handler handler, task_of<Result> make) const {
        // Tracked: the handler's context must not run out of work while we are busy on ours.
        auto executor =
            asio::prefer(asio::get_associated_executor(handler, on), asio::execution::outstanding_work.tracked);
        auto slot = asio::get_associated_cancellation_slot(handler);
        using whole_type =
            handler_operation<facade_signature<Token>, Result, Handler, decltype(executor), decltype(slot)>;
        auto* const whole = new whole_type(std::move(handler), std::move(executor), slot);
        // No `make_shared`: it instantiates some fifty functions for each type.
        const std::shared_ptr<operation> op(static_cast<operation*>(whole));
        if (slot.is_connected()) {
            slot.assign(relay_cancellation{on, op});
        }
        op->start(on, [make = std::move(make), whole] { return run_into(whole->result(), make); });
    }
};

/// See `spawn_initiation`. `Result` is the awaitable's value type; `void` completes with the error alone.
template <class Result, class Token>
auto spawn_on(const strand& on, task_of<Result> make, Token&& token) {
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
