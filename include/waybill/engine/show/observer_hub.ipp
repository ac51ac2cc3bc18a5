// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/show/observer_hub.hpp>

namespace waybill::detail {

WAYBILL_DECL asio::awaitable<std::shared_ptr<const snapshot>> observer_hub::next(std::uint64_t seen) {
    for (;;) {
        std::shared_ptr<const snapshot> newest = latest();
        if (newest->version() > seen) {
            co_return newest;
        }
        if (closed_) {
            if (why_) {
                std::rethrow_exception(why_);
            }
            co_return nullptr;
        }
        co_await changed_.wait();
    }
}

}  // namespace waybill::detail
