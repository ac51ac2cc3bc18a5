// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/condition.hpp>

namespace waybill::detail {

WAYBILL_DECL asio::awaitable<void> condition::wait() {
    event bell(home_);
    const registration listed(waiting_, &bell);
    co_await bell.wait();
}

WAYBILL_DECL asio::awaitable<void> condition::wait_uncancellable() {
    event bell(home_);
    const registration listed(waiting_, &bell);
    co_await bell.wait_uncancellable();
}

}  // namespace waybill::detail
