// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/detail/erased.hpp>

#include <asio/cancellation_signal.hpp>

#include <exception>
#include <functional>
#include <memory>

namespace waybill::detail {

/// An operation from its initiation until its handler is called. What need not know the handler's
/// type is here, so that it is compiled once.
class operation : public std::enable_shared_from_this<operation> {
public:
    virtual ~operation() = default;

    /// Runs `what` on `on`, then has the handler called with what it threw. Once; the operation outlives
    /// `what`.
    void start(const strand& on, task what);

    /// Cancels what was started. On its strand.
    asio::cancellation_signal& signal() noexcept { return signal_; }

private:
    /// Posts to the handler's own executor. Once.
    virtual void post(std::function<void()> call) = 0;
    /// On that executor, once.
    virtual void call_handler(const std::exception_ptr& thrown) = 0;

    asio::cancellation_signal signal_;
};

/// Cancels by `post`: Asio 1.22.1 would emit on the caller's thread while the coroutine runs on
/// the strand, a data race.
struct relay_cancellation {
    strand on;
    std::weak_ptr<operation> to;

    void operator()(asio::cancellation_type type) const;
};

/// Awaits what `make` makes and puts its value into `result`, which belongs to the operation.
template <class Result>
asio::awaitable<void> run_into(Result& result, task_of<Result> make) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    result = co_await make();
}

/// What has no value.
struct nothing {};
WAYBILL_DECL asio::awaitable<void> run_into(nothing& result, task make);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/detail/operation.ipp>
#endif
