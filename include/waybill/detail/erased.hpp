// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>

#include <asio/cancellation_signal.hpp>

#include <exception>
#include <functional>
#include <memory>

// Asio's function templates for one type each. `co_spawn` and `post` are the dearest templates a
// program instantiates; behind std::function the compiler sees each of them once, not once for
// every lambda.
namespace waybill::detail {

WAYBILL_DECL void post(const asio::any_io_executor& to, std::function<void()> work);

/// What is to be run: creates the coroutine when and where it is needed.
template <class Result>
using task_of = std::function<asio::awaitable<Result>()>;
using task = task_of<void>;
using completion = std::function<void(std::exception_ptr)>;

/// Runs `work` on `on` and calls `done` there. `signal` cancels it; it is kept until the end, because the operation
/// must not outlive its signal.
WAYBILL_DECL void spawn(const strand& on, task work, std::shared_ptr<asio::cancellation_signal> signal,
                        completion done);

/// Cancels what was run with this signal.
/// The only place that names Asio's function: Qt has a macro `emit`.
#pragma push_macro("emit")
#undef emit
inline void cancel(asio::cancellation_signal& signal, asio::cancellation_type type) {
    signal.emit(type);
}
#pragma pop_macro("emit")

/// Runs `work` on `on` without waiting for it. It must not throw.
WAYBILL_DECL void spawn(const strand& on, task work);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/detail/erased.ipp>
#endif
