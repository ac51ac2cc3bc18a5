// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/error.hpp>

#include <asio/bind_allocator.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/use_future.hpp>

#if __has_include(<asio/deferred.hpp>)
#include <asio/deferred.hpp>
#else
#include <asio/experimental/deferred.hpp>
#endif
#if __has_include(<asio/consign.hpp>)
#include <asio/append.hpp>
#include <asio/consign.hpp>
#endif
#if __has_include(<asio/bind_immediate_executor.hpp>)
#include <asio/bind_immediate_executor.hpp>
#endif
#if __has_include(<asio/cancel_after.hpp>)
#include <asio/cancel_after.hpp>
#include <asio/cancel_at.hpp>
#endif

#include <exception>
#include <new>
#include <system_error>
#include <type_traits>

// How a failure is passed to a completion token: as the exception, or as its code.
namespace waybill::detail {

/// The error code of a coroutine's exception.
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

/// A callback that takes only an exception. One that takes a code as well, as `auto` does, gets the code: testing the
/// second condition would compile its body.
template <class Handler, class... Results>
struct wants_exception : std::conjunction<std::negation<std::is_invocable<Handler, std::error_code, Results...>>,
                                          std::is_invocable<Handler, std::exception_ptr, Results...>> {};

/// The token throws, or passes on exceptions: it gets the exception itself, which names the file and the remedy. Every
/// other token gets the error code.
template <class Token, class... Results>
struct takes_exception : wants_exception<Token, Results...> {};
template <class Executor, class... Results>
struct takes_exception<asio::use_awaitable_t<Executor>, Results...> : std::true_type {};
template <class Allocator, class... Results>
struct takes_exception<asio::use_future_t<Allocator>, Results...> : std::true_type {};

// For an adapted token the inner one decides.
template <class Token, class Executor, class... Results>
struct takes_exception<asio::executor_binder<Token, Executor>, Results...> : takes_exception<Token, Results...> {};
template <class Token, class Slot, class... Results>
struct takes_exception<asio::cancellation_slot_binder<Token, Slot>, Results...> : takes_exception<Token, Results...> {};
template <class Token, class Allocator, class... Results>
struct takes_exception<asio::allocator_binder<Token, Allocator>, Results...> : takes_exception<Token, Results...> {};

// A deferred operation is usually awaited.
#if __has_include(<asio/deferred.hpp>)
template <class... Results>
struct takes_exception<asio::deferred_t, Results...> : std::true_type {};
#else
template <class... Results>
struct takes_exception<asio::experimental::deferred_t, Results...> : std::true_type {};
#endif
#if __has_include(<asio/consign.hpp>)
template <class Token, class... Values, class... Results>
struct takes_exception<asio::append_t<Token, Values...>, Results...> : takes_exception<Token, Results..., Values...> {};
template <class Token, class... Values, class... Results>
struct takes_exception<asio::consign_t<Token, Values...>, Results...> : takes_exception<Token, Results...> {};
#endif
#if __has_include(<asio/bind_immediate_executor.hpp>)
template <class Token, class Executor, class... Results>
struct takes_exception<asio::immediate_executor_binder<Token, Executor>, Results...>
    : takes_exception<Token, Results...> {};
#endif
#if __has_include(<asio/cancel_after.hpp>)
template <class Token, class Clock, class Traits, class... Results>
struct takes_exception<asio::cancel_after_t<Token, Clock, Traits>, Results...> : takes_exception<Token, Results...> {};
template <class Token, class Clock, class Traits, class Executor, class... Results>
struct takes_exception<asio::cancel_after_timer<Token, Clock, Traits, Executor>, Results...>
    : takes_exception<Token, Results...> {};
template <class Token, class Clock, class Traits, class... Results>
struct takes_exception<asio::cancel_at_t<Token, Clock, Traits>, Results...> : takes_exception<Token, Results...> {};
template <class Token, class Clock, class Traits, class Executor, class... Results>
struct takes_exception<asio::cancel_at_timer<Token, Clock, Traits, Executor>, Results...>
    : takes_exception<Token, Results...> {};
// Those without a token of their own end in `deferred`.
template <class Clock, class Traits, class... Results>
struct takes_exception<asio::partial_cancel_after<Clock, Traits>, Results...> : std::true_type {};
template <class Clock, class Traits, class Executor, class... Results>
struct takes_exception<asio::partial_cancel_after_timer<Clock, Traits, Executor>, Results...> : std::true_type {};
template <class Clock, class Traits, class... Results>
struct takes_exception<asio::partial_cancel_at<Clock, Traits>, Results...> : std::true_type {};
template <class Clock, class Traits, class Executor, class... Results>
struct takes_exception<asio::partial_cancel_at_timer<Clock, Traits, Executor>, Results...> : std::true_type {};
#endif

template <class Token, class... Results>
struct facade_signature {
    static constexpr bool throws = takes_exception<Token, Results...>::value;
    using failure_type = std::conditional_t<throws, std::exception_ptr, std::error_code>;
    using type = void(failure_type, Results...);

    static failure_type convert(const std::exception_ptr& thrown) noexcept {
        if constexpr (throws) {
            return as_error(thrown);
        } else {
            return to_error_code(thrown);
        }
    }
};

/// The same by an operation's result; `void` completes with the failure alone.
template <class Token, class Result>
struct facade_of : facade_signature<Token, Result> {};
template <class Token>
struct facade_of<Token, void> : facade_signature<Token> {};

}  // namespace waybill::detail
