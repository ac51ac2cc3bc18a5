// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

namespace waybill {

/// Local time of the week: the time since Sunday 00:00.
using week_time = std::chrono::seconds;

inline constexpr week_time one_week = std::chrono::hours(24 * 7);

namespace detail {

/// The same time in the week that begins at 0.
[[nodiscard]] constexpr week_time within_week(week_time any) noexcept {
    const week_time rest = any % one_week;
    return rest < week_time(0) ? rest + one_week : rest;
}

/// The last second before the clock was set back, which happened after `before` and not after `now`.
template <class Offset>
[[nodiscard]] std::chrono::sys_seconds last_before_set_back(std::chrono::sys_seconds before,
                                                            std::chrono::sys_seconds now, const Offset& offset_at) {
    const std::chrono::seconds old_offset = offset_at(before);
    while (now - before > std::chrono::seconds(1)) {
        const std::chrono::sys_seconds middle = before + (now - before) / 2;
        (offset_at(middle) < old_offset ? now : before) = middle;
    }
    return before;
}

/// Local time of the week, except that it never goes back: when the time zone sets the clock back by an hour, this
/// stands still for that hour. So an entry that begins at a time of the day begins once.
///
/// @param offset_at returns how far local time is ahead of UTC at a time.
template <class Offset>
[[nodiscard]] week_time week_time_at(std::chrono::sys_seconds now, const Offset& offset_at) {
    constexpr std::chrono::hours longest_repetition{3};
    constexpr week_time first_of_1970 = std::chrono::hours(24 * 4);  // a Thursday
    std::chrono::seconds shown = now.time_since_epoch() + offset_at(now);
    const std::chrono::sys_seconds earlier = now - longest_repetition;
    if (offset_at(earlier) > offset_at(now)) {
        const std::chrono::sys_seconds last = last_before_set_back(earlier, now, offset_at);
        const std::chrono::seconds shown_then = last.time_since_epoch() + offset_at(last);
        shown = shown < shown_then ? shown_then : shown;
    }
    return within_week(shown + first_of_1970);
}

}  // namespace detail
}  // namespace waybill
