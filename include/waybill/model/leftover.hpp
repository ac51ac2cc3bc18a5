// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/record.hpp>

#include <cstdint>

namespace waybill {

/// Something a server still has of an upload that was given up. Kept until it is cleaned up, or
/// the server can be expected to have done so itself.
struct leftover {
    std::int64_t id = 0;  ///< the store's
    job_spec job;         ///< URL, protocol and headers of the job it belonged to; no items
    checkpoint reached;   ///< what to clean up
    int attempts = 0;
    unix_millis since{};
    unix_millis not_before{};
};

}  // namespace waybill
