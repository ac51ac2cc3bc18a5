// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/feed.hpp>

namespace waybill {

WAYBILL_DECL asio::awaitable<std::shared_ptr<const snapshot>> feed::advance(std::shared_ptr<engine> source,
                                                                            std::shared_ptr<std::uint64_t> seen) {
    std::shared_ptr<const snapshot> next = co_await source->hub().next(*seen);
    if (next) {
        *seen = next->version();
    }
    co_return next;
}

}  // namespace waybill
