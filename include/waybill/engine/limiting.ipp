// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/commands.hpp>
#include <waybill/transport/timetable.hpp>

#include <utility>
#include <vector>

// How the app limits bandwidth.
namespace waybill::detail {

/// It holds from now on; when it cannot be stored, it is taken back. A job's limit is not stored.
WAYBILL_DECL asio::awaitable<void> commands::limit(limit_scope what, std::string rates) {
    static_cast<void>(timetable(rates.empty() ? "off" : rates));  // throws for what is none
    co_await open();
    const std::string before = bandwidth_.set(what, rates);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    try {
        bandwidth_.apply(what, *parts_.transport);
        if (what.what() != limit_scope::kind::job && rates.empty()) {
            co_await ledger_.remove(what);
        } else if (what.what() != limit_scope::kind::job) {
            co_await ledger_.put(bandwidth_limit{what, rates});
        }
    } catch (const error&) {
        bandwidth_.set(what, before);
        bandwidth_.apply(what, *parts_.transport);
        throw;
    }
}

WAYBILL_DECL asio::awaitable<std::vector<bandwidth_limit>> commands::limits() {
    co_await open();
    co_return bandwidth_.list();
}

}  // namespace waybill::detail
