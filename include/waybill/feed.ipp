// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/engine.hpp>
#include <waybill/feed.hpp>

#include <asio/strand.hpp>

#include <cstdint>
#include <memory>

namespace waybill {
namespace detail {

#if !defined(WAYBILL_HEADER_ONLY)
template asio::awaitable<std::shared_ptr<const snapshot>> await_on(const strand&,
                                                                   task_of<std::shared_ptr<const snapshot>>,
                                                                   asio::use_awaitable_t<>);
template task task_into(std::shared_ptr<const snapshot>&, task_of<std::shared_ptr<const snapshot>>);
#endif

inline asio::awaitable<std::shared_ptr<const snapshot>> advance(std::weak_ptr<engine> source,
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

}  // namespace detail

WAYBILL_DECL detail::strand feed::home() const {
    const std::shared_ptr<detail::engine> alive = source_.lock();
    return alive ? alive->home() : asio::make_strand(executor_);
}

WAYBILL_DECL detail::task_of<std::shared_ptr<const snapshot>> feed::next() const {
    return [source = source_, seen = seen_] { return detail::advance(source, seen); };
}

}  // namespace waybill
