// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/spawn_on.hpp>

namespace waybill::detail {

WAYBILL_DECL asio::awaitable<void> keep_no_result(task make) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await make();
}

}  // namespace waybill::detail
