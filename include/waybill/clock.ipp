// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/clock.hpp>
#include <waybill/detail/event.hpp>

namespace waybill {
namespace detail {

class timer_alarm final : public alarm {
public:
    explicit timer_alarm(const asio::any_io_executor& executor) : woken_(executor) {}

    asio::awaitable<void> wait_until(std::chrono::steady_clock::time_point deadline) override {
        co_await woken_.wait_until(deadline);
        woken_.clear();
    }
    void wake() override { woken_.set(); }

private:
    event woken_;
};

}  // namespace detail

WAYBILL_DECL std::unique_ptr<alarm> real_clock::make_alarm(const asio::any_io_executor& executor) {
    return std::make_unique<detail::timer_alarm>(executor);
}

}  // namespace waybill
