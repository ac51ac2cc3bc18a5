// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/operation.hpp>

#include <utility>

namespace waybill::detail {

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

}  // namespace waybill::detail
