// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/transport/bandwidth_limits.hpp>
#include <waybill/transport/timetable.hpp>
#include <waybill/transport/transport.hpp>

#include <string>

namespace waybill::detail {

/// Sets a limit at a transport. Without a limit, any transport will do.
inline void set_limit(transport& over, const limit_scope& what, const std::string& rates) {
    if (const timetable read(rates); !read.is_unlimited()) {
        over.limit(what, read);
    }
}

/// Sets the limits that an uploader begins with.
inline void set_limits(transport& over, const bandwidth_limits& all) {
    set_limit(over, limit_scope::total(), all.total);
    for (const auto& [host, rates] : all.hosts) {
        set_limit(over, limit_scope::host(host), rates);
    }
    for (const auto& [lane, rates] : all.lanes) {
        set_limit(over, limit_scope::lane(lane), rates);
    }
}

}  // namespace waybill::detail
