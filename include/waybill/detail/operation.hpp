// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/detail/erased.hpp>

#include <asio/cancellation_signal.hpp>
#include <asio/execution/outstanding_work.hpp>
#include <asio/post.hpp>
#include <asio/prefer.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace waybill::detail {

/// An operation from its initiation until its handler is called. Code that does not depend on the handler's type is
/// here, so that it is compiled once.
class operation : public std::enable_shared_from_this<operation> {
public:
    virtual ~operation() = default;

    /// Runs `what` on `on`, then has the handler called with the exception it threw, or null. Once; the operation
    /// outlives `what`.
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

/// Takes ownership. One `shared_ptr` type for all: each further type costs a program some fifty functions.
[[nodiscard]] WAYBILL_DECL std::shared_ptr<operation> owned(operation* whole);

/// An operation whose handler is called on an executor of this type.
template <class Executor>
class operation_on : public operation {
public:
    explicit operation_on(Executor executor) : executor_(std::move(executor)) {}

private:
    void post(std::function<void()> call) override {
        const Executor last = std::move(executor_);  // from here on the posted call is its work
        asio::post(last, std::move(call));
    }

    Executor executor_;
};

[[nodiscard]] WAYBILL_DECL strand tracked_strand(const strand& executor);
[[nodiscard]] WAYBILL_DECL asio::any_io_executor tracked_executor(const asio::any_io_executor& executor);

/// The executor, tracked: its context must not run out of work while we are busy on ours.
template <class Executor>
[[nodiscard]] auto tracked(const Executor& executor) {
    if constexpr (std::is_same_v<Executor, strand>) {
        return tracked_strand(executor);
    } else if constexpr (std::is_same_v<Executor, asio::any_io_executor>) {
        return tracked_executor(executor);
    } else {
        return asio::prefer(executor, asio::execution::outstanding_work.tracked);
    }
}

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

/// For operations without a value.
struct nothing {};
WAYBILL_DECL asio::awaitable<void> run_into(nothing& result, task make);

/// `run_into`, for later.
template <class Result>
[[nodiscard]] task task_into(Result& result, task_of<Result> make) {
    return [&result, make = std::move(make)]() mutable { return run_into(result, std::move(make)); };
}
[[nodiscard]] WAYBILL_DECL task task_into(nothing& result, task make);

#if !defined(WAYBILL_HEADER_ONLY)
extern template class operation_on<strand>;
extern template class operation_on<asio::any_io_executor>;
#endif

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/detail/operation.ipp>
#endif
