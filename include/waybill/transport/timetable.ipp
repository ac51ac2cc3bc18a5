// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/http/header.hpp>
#include <waybill/transport/timetable.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <utility>

namespace waybill {
namespace detail {

/// Sunday is 0, as in rclone. A name has its first three letters, or all of them.
[[nodiscard]] inline std::optional<int> weekday(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 7> names = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
    for (std::size_t day = 0; day < names.size(); ++day) {
        if (same_header(name, names[day]) || same_header(name, names[day].substr(0, 3))) {
            return static_cast<int>(day);
        }
    }
    return std::nullopt;
}

/// `HH:MM`.
[[nodiscard]] inline std::optional<std::chrono::minutes> time_of_day(std::string_view text) noexcept {
    constexpr std::string_view digits = "0123456789";
    if (text.size() != 5 || text[2] != ':') {
        return std::nullopt;
    }
    std::array<int, 4> d{};
    constexpr std::array<std::size_t, 4> places = {0, 1, 3, 4};
    for (std::size_t i = 0; i < d.size(); ++i) {
        const std::size_t value = digits.find(text[places[i]]);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        d[i] = static_cast<int>(value);
    }
    const int hour = d[0] * 10 + d[1];
    const int minute = d[2] * 10 + d[3];
    if (hour > 23 || minute > 59) {
        return std::nullopt;
    }
    return std::chrono::minutes(hour * 60 + minute);
}

/// From the first to the last day; `last` is greater than 6 if the range crosses the end of the week.
struct day_range {
    int first;
    int last;
};

/// `Mon`, `Mon-Fri`, or empty for every day.
[[nodiscard]] inline std::optional<day_range> days(std::string_view text) noexcept {
    if (text.empty()) {
        return day_range{0, 6};
    }
    const std::size_t dash = text.find('-');
    const std::optional<int> first = weekday(text.substr(0, dash));
    const std::optional<int> last = dash == std::string_view::npos ? first : weekday(text.substr(dash + 1));
    if (!first || !last) {
        return std::nullopt;
    }
    return day_range{*first, *last < *first ? *last + 7 : *last};
}

}  // namespace detail

WAYBILL_DECL timetable::timetable(std::string_view text) {
    if (text.size() > longest_text) {
        throw error(errc::invalid_option, "has " + std::to_string(text.size()) + " characters: at most " +
                                              std::to_string(longest_text) + " are read");
    }
    const bool is_table = text.find_first_of(" ;,") != std::string_view::npos;
    if (!is_table && !text.empty()) {
        entries_.push_back({std::chrono::minutes(0), byte_rate(text, 0)});
    }
    for (std::size_t at = 0; is_table && at < text.size();) {
        const std::size_t end = std::min(text.find_first_of(" ;", at), text.size());
        if (end > at) {
            add(text.substr(at, end - at), at);
        }
        at = end + 1;
    }
    if (entries_.empty()) {
        throw error(errc::invalid_option, "is empty: write off for no limit");
    }
    put_in_order();
}

WAYBILL_DECL void timetable::add(std::string_view text, std::size_t at) {
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos) {
        detail::refuse_rate(text, at, "has no comma: write a time and a rate, as in 08:00,512K");
    }
    const std::string_view when = text.substr(0, comma);
    const std::size_t dash = when.rfind('-');
    const std::size_t time_at = dash == std::string_view::npos ? 0 : dash + 1;
    const auto time = detail::time_of_day(when.substr(time_at));
    if (!time) {
        detail::refuse_rate(when.substr(time_at), at + time_at, "is not a time: write HH:MM, from 00:00 to 23:59");
    }
    const auto days = dash == 0 ? std::nullopt : detail::days(when.substr(0, time_at == 0 ? 0 : dash));
    if (!days) {
        detail::refuse_rate(when.substr(0, dash), at, "is not a day: write Mon, or Mon-Fri for several");
    }
    const byte_rate rate(text.substr(comma + 1), at + comma + 1);
    for (int day = days->first; day <= days->last; ++day) {
        entries_.push_back({std::chrono::hours(24 * (day % 7)) + *time, rate});
    }
}

/// Leaves one entry for each change.
WAYBILL_DECL void timetable::put_in_order() {
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const entry& a, const entry& b) { return a.begins < b.begins; });
    std::vector<entry> kept;
    for (const entry& one : entries_) {
        if (!kept.empty() && kept.back().begins == one.begins) {
            kept.pop_back();  // the later one in the text counts
        }
        kept.push_back(one);
    }
    byte_rate before = kept.back().rate;
    std::erase_if(kept, [&before](const entry& one) { return one.rate == std::exchange(before, one.rate); });
    if (kept.empty() && !before.is_unlimited()) {
        kept.push_back({std::chrono::minutes(0), before});  // one rate for the whole week
    }
    entries_ = std::move(kept);
}

WAYBILL_DECL byte_rate timetable::rate_at(week_time now) const noexcept {
    if (entries_.empty()) {
        return byte_rate::unlimited();
    }
    const auto next = std::upper_bound(entries_.begin(), entries_.end(), detail::within_week(now),
                                       [](week_time at, const entry& one) { return at < one.begins; });
    return next == entries_.begin() ? entries_.back().rate : std::prev(next)->rate;
}

WAYBILL_DECL std::optional<std::chrono::seconds> timetable::next_change(week_time now) const noexcept {
    if (entries_.size() < 2) {
        return std::nullopt;
    }
    const week_time at = detail::within_week(now);
    const auto next = std::upper_bound(entries_.begin(), entries_.end(), at,
                                       [](week_time t, const entry& one) { return t < one.begins; });
    const week_time begins = next == entries_.end() ? entries_.front().begins + one_week : next->begins;
    return begins - at;
}

}  // namespace waybill
