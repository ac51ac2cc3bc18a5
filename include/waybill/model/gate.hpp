// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/record.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waybill {

/// A condition that a job must meet to be started, in the order in which they are checked.
enum class gate : std::uint8_t {
    decision = 0,     ///< its outcome is unknown: `async_resolve` decides
    paused = 1,       ///< it is paused
    held = 2,         ///< its lane or everything is paused
    queue = 3,        ///< other jobs of its lane come first
    waiting = 4,      ///< it waits, for the reason in `job_snapshot::reason`
    host = 5,         ///< its host does not serve requests now
    concurrency = 6,  ///< as many jobs run as may run at once
    delivery = 7,     ///< nobody delivers: `async_run` was not called, or has ended
};

[[nodiscard]] constexpr std::string_view to_string(gate g) noexcept {
    constexpr std::string_view names[] = {"decision", "paused", "held",        "queue",
                                          "waiting",  "host",   "concurrency", "delivery"};
    return names[static_cast<std::size_t>(g)];
}

/// A condition that a job does not meet now.
struct closed_gate {
    gate which{};
    std::string detail;                ///< for people; empty: nothing more is known
    std::optional<unix_millis> until;  ///< when it opens by itself; none: something must happen first
};

}  // namespace waybill
