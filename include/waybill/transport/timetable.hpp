// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/transport/byte_rate.hpp>
#include <waybill/transport/week_time.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace waybill {

/// Which rate applies at which time of the week. Pure: it gets the time as an argument.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: unsafe.
class timetable {
public:
    /// No limit at any time.
    timetable() = default;

    /// Reads a rate that always applies, `512K`, or a table in rclone's grammar: `08:00,512K 18:00,30M 23:00,off`, or
    /// with days `Mon-08:00,1M Fri-18:00,off`, or with ranges of days `Mon-Fri-08:00,1M`. Entries are separated by a
    /// space or a semicolon. An entry applies until the next one begins; before the first entry of the week, the last
    /// one of the week applies. Of two entries for the same minute, the later one in the text counts.
    ///
    /// Throws `errc::invalid_option`; the error says where the mistake is, and what to write instead.
    explicit timetable(std::string_view text);

    static constexpr std::size_t longest_text = 4096;

    [[nodiscard]] byte_rate rate_at(week_time now) const noexcept;

    /// How long until the rate changes; none: it never does.
    [[nodiscard]] std::optional<std::chrono::seconds> next_change(week_time now) const noexcept;

    /// There is no limit at any time.
    [[nodiscard]] bool is_unlimited() const noexcept { return entries_.empty(); }

    bool operator==(const timetable&) const = default;

private:
    struct entry {
        std::chrono::minutes begins;
        byte_rate rate;
        bool operator==(const entry&) const = default;
    };

    void add(std::string_view text, std::size_t at);
    void put_in_order();

    std::vector<entry> entries_;  // sorted by `begins`; neighbours have different rates
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/transport/timetable.ipp>
#endif
