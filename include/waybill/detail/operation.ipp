// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/operation.hpp>

#include <memory>
#include <utility>

namespace waybill::detail {

#if !defined(WAYBILL_HEADER_ONLY)
template class operation_on<strand>;
template class operation_on<asio::any_io_executor>;
#endif

WAYBILL_DECL std::shared_ptr<operation> owned(operation* whole) {
    return std::shared_ptr<operation>(whole);
}

WAYBILL_DECL strand tracked_strand(const strand& executor) {
    return asio::prefer(executor, asio::execution::outstanding_work.tracked);
}

WAYBILL_DECL asio::any_io_executor tracked_executor(const asio::any_io_executor& executor) {
    return asio::prefer(executor, asio::execution::outstanding_work.tracked);
}

WAYBILL_DECL void operation::start(const strand& on, task what) {
    completion done = [self = shared_from_this()](const std::exception_ptr& thrown) {
        self->post([self, thrown] { self->call_handler(thrown); });
    };
    std::shared_ptr<asio::cancellation_signal> signal(shared_from_this(), &signal_);
    spawn(on, std::move(what), std::move(signal), std::move(done));
}

WAYBILL_DECL void relay_cancellation::operator()(asio::cancellation_type type) const {
    post(on, [to = to, type] {
        if (const auto alive = to.lock()) {
            cancel(alive->signal(), type);
        }
    });
}

WAYBILL_DECL asio::awaitable<void> run_into(nothing&, task make) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await make();
}

WAYBILL_DECL task task_into(nothing& result, task make) {
    return [&result, make = std::move(make)]() mutable { return run_into(result, std::move(make)); };
}

}  // namespace waybill::detail
