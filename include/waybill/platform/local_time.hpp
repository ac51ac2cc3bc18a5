// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <ctime>

namespace waybill::detail {

/// How far local time is ahead of UTC at a given time. Reads the time zone again at each call, because it may have
/// changed.
[[nodiscard]] inline std::chrono::seconds utc_offset(std::chrono::sys_seconds at) noexcept {
    ::tzset();
    const auto seconds = static_cast<std::time_t>(at.time_since_epoch().count());
    std::tm local{};
    return ::localtime_r(&seconds, &local) == nullptr ? std::chrono::seconds(0) : std::chrono::seconds(local.tm_gmtoff);
}

}  // namespace waybill::detail
