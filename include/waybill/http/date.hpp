// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace waybill {
namespace detail {

/// Reads a text from left to right. After the first mismatch every further read fails.
class date_reader {
public:
    explicit constexpr date_reader(std::string_view text) noexcept : rest_(text) {}

    /// Exactly this text.
    constexpr void skip(std::string_view exact) noexcept {
        ok_ = ok_ && rest_.starts_with(exact);
        rest_.remove_prefix(ok_ ? exact.size() : 0);
    }

    /// A number with exactly this many digits.
    [[nodiscard]] constexpr unsigned number(std::size_t digits) noexcept {
        unsigned value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            ok_ = ok_ && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
            if (ok_) {
                value = value * 10 + static_cast<unsigned>(rest_.front() - '0');
                rest_.remove_prefix(1);
            }
        }
        return value;
    }

    /// Reads one of these names, whose first letters differ; counts from 0. The text after the name is not consumed.
    template <std::size_t Count>
    [[nodiscard]] constexpr unsigned name(const std::array<std::string_view, Count>& known) noexcept {
        for (unsigned i = 0; ok_ && i < Count; ++i) {
            if (rest_.starts_with(known[i])) {
                rest_.remove_prefix(known[i].size());
                return i;
            }
        }
        ok_ = false;
        return 0;
    }

    [[nodiscard]] constexpr bool next_is(char c) const noexcept { return ok_ && rest_.starts_with(c); }
    /// The whole text matched.
    [[nodiscard]] constexpr bool finished() const noexcept { return ok_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool ok_ = true;
};

struct date_parts {
    unsigned year = 0;
    unsigned month = 0;  ///< from 0
    unsigned day = 0;
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
};

inline constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
inline constexpr std::array<std::string_view, 7> day_names = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
// Each long name before its abbreviation: servers also write the obsolete form with short names.
inline constexpr std::array<std::string_view, 14> long_or_short_day_names = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    "Mon",    "Tue",     "Wed",       "Thu",      "Fri",    "Sat",      "Sun"};

constexpr void read_time(date_reader& in, date_parts& to) noexcept {
    to.hour = in.number(2);
    in.skip(":");
    to.minute = in.number(2);
    in.skip(":");
    to.second = in.number(2);
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`. The day's name adds nothing to the date, so a wrong one is accepted.
[[nodiscard]] constexpr std::optional<date_parts> read_fixdate(std::string_view text) noexcept {
    date_reader in(text);
    date_parts found;
    static_cast<void>(in.name(day_names));
    in.skip(", ");
    found.day = in.number(2);
    in.skip(" ");
    found.month = in.name(month_names);
    in.skip(" ");
    found.year = in.number(4);
    in.skip(" ");
    read_time(in, found);
    in.skip(" GMT");
    return in.finished() ? std::optional(found) : std::nullopt;
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`, of RFC 850. The RFC makes the century depend on the present time. Dates before
/// 1970 are not needed here, so the century follows without a clock.
[[nodiscard]] constexpr std::optional<date_parts> read_rfc850_date(std::string_view text) noexcept {
    date_reader in(text);
    date_parts found;
    static_cast<void>(in.name(long_or_short_day_names));
    in.skip(", ");
    found.day = in.number(2);
    in.skip("-");
    found.month = in.name(month_names);
    in.skip("-");
    const unsigned year = in.number(2);
    found.year = year + (year < 70 ? 2000 : 1900);
    in.skip(" ");
    read_time(in, found);
    in.skip(" GMT");
    return in.finished() ? std::optional(found) : std::nullopt;
}

/// `Sun Nov  6 08:49:37 1994`, of C's `asctime`.
[[nodiscard]] constexpr std::optional<date_parts> read_asctime(std::string_view text) noexcept {
    date_reader in(text);
    date_parts found;
    static_cast<void>(in.name(day_names));
    in.skip(" ");
    found.month = in.name(month_names);
    in.skip(" ");
    const bool one_digit = in.next_is(' ');
    in.skip(one_digit ? " " : "");
    found.day = in.number(one_digit ? 1 : 2);
    in.skip(" ");
    read_time(in, found);
    in.skip(" ");
    found.year = in.number(4);
    return in.finished() ? std::optional(found) : std::nullopt;
}

/// Seconds since 1970; none for an invalid date or one before 1970. A leap second counts as the first second after it.
[[nodiscard]] constexpr std::optional<std::int64_t> seconds_of(const date_parts& d) noexcept {
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(d.year)), std::chrono::month(d.month + 1),
                                           std::chrono::day(d.day)};
    if (!date.ok() || d.hour > 23 || d.minute > 59 || d.second > 60) {
        return std::nullopt;
    }
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    const std::int64_t value = days * 86400 + std::int64_t(d.hour) * 3600 + std::int64_t(d.minute) * 60 + d.second;
    return value < 0 ? std::nullopt : std::optional(value);
}

}  // namespace detail

/// An HTTP-date (RFC 9110 section 5.6.7), in the current form or in one of the two obsolete ones, as seconds since
/// 1970.
[[nodiscard]] constexpr std::optional<std::int64_t> parse_http_date(std::string_view text) noexcept {
    for (const auto read : {&detail::read_fixdate, &detail::read_rfc850_date, &detail::read_asctime}) {
        if (const auto parts = read(text)) {
            return detail::seconds_of(*parts);
        }
    }
    return std::nullopt;
}

}  // namespace waybill
