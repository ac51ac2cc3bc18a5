// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/feed.hpp>

namespace waybill {

WAYBILL_DECL detail::strand feed::home() const {
    const std::shared_ptr<engine> alive = source_.lock();
    return alive ? alive->home() : asio::make_strand(executor_);
}

WAYBILL_DECL asio::awaitable<std::shared_ptr<const snapshot>> feed::advance(std::weak_ptr<engine> source,
                                                                            std::shared_ptr<std::uint64_t> seen) {
    const std::shared_ptr<engine> alive = source.lock();
    if (!alive) {
        co_return nullptr;
    }
    std::shared_ptr<const snapshot> next = co_await alive->hub().next(*seen);
    if (next) {
        *seen = next->version();
    }
    co_return next;
}

}  // namespace waybill
