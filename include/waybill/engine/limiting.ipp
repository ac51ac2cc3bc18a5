// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/commands.hpp>
#include <waybill/transport/timetable.hpp>

// How the app limits bandwidth.
namespace waybill::detail {

/// Not stored: the next uploader begins with its options.
WAYBILL_DECL asio::awaitable<void> commands::limit(limit_scope what, std::string rates) {
    if (life_.stop_asked()) {
        throw error(errc::stopped);
    }
    const timetable read(rates);
    parts_.transport->limit(what, read);
    co_return;
}

}  // namespace waybill::detail
