// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/testing/manual_clock.hpp>

#include <memory>

namespace waybill::testing {

WAYBILL_DECL std::unique_ptr<alarm> manual_clock::make_alarm(const asio::any_io_executor& executor) {
    return std::make_unique<manual_alarm>(executor, waiting_, *this);
}

WAYBILL_DECL asio::awaitable<void> manual_clock::manual_alarm::wait_until(steady_time deadline) {
    deadline_ = deadline;
    go_off_if_due();
    const rearm after{*this};
    co_await woken_.wait();
}

}  // namespace waybill::testing
