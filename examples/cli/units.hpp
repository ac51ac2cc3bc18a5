// SPDX-License-Identifier: BSL-1.0
#pragma once

// Sizes and times as people write them.

#include <cctype>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace cli {

/// Takes "1.5" off the front of "1.5h": digits, perhaps with a fraction.
inline std::optional<double> take_number(std::string_view& text) {
    std::size_t end = 0;
    while (end < text.size() && (std::isdigit(static_cast<unsigned char>(text[end])) != 0 || text[end] == '.')) {
        ++end;
    }
    const std::string number(text.substr(0, end));
    char* rest = nullptr;
    const double value = std::strtod(number.c_str(), &rest);
    if (number.empty() || number[0] == '.' || *rest != '\0') {
        return std::nullopt;
    }
    text.remove_prefix(end);
    return value;
}

inline std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return out;
}

/// A size as the coreutils read it: 8M and 8MiB are 8·1024², 8MB is 8·1000². Upper and lower case are the same.
inline std::optional<std::uint64_t> parse_size(std::string_view text) {
    const auto number = take_number(text);
    if (!number) {
        return std::nullopt;
    }
    const std::string unit = lower(text);
    double scale = 1;
    if (!unit.empty() && unit != "b") {
        constexpr std::string_view letters = "kmgt";
        const auto power = letters.find(unit[0]);
        const std::string_view rest = std::string_view(unit).substr(1);
        if (power == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib")) {
            return std::nullopt;
        }
        scale = std::pow(rest == "b" ? 1000.0 : 1024.0, static_cast<double>(power + 1));
    }
    const double bytes = *number * scale;
    return bytes > 9e18 || bytes != std::floor(bytes) ? std::nullopt : std::optional(static_cast<std::uint64_t>(bytes));
}

/// A time such as 90s, 10m, 1h30m, 500ms or 7d; a number alone is in seconds.
inline std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    double total = 0;
    const bool alone = text.find_first_not_of("0123456789.") == std::string_view::npos;
    do {
        const auto number = take_number(text);
        if (!number) {
            return std::nullopt;
        }
        std::size_t end = 0;
        while (end < text.size() && std::isalpha(static_cast<unsigned char>(text[end])) != 0) {
            ++end;
        }
        const std::string unit = lower(text.substr(0, end));
        const double scale = unit == "ms"                   ? 1
                             : unit == "s" || unit == "sec" ? 1'000
                             : unit == "m" || unit == "min" ? 60'000
                             : unit == "h"                  ? 3'600'000
                             : unit == "d"                  ? 86'400'000
                             : unit.empty() && alone        ? 1'000
                                                            : 0;
        if (scale == 0) {
            return std::nullopt;
        }
        total += *number * scale;
        text.remove_prefix(end);
    } while (!text.empty());
    constexpr double most = 100.0 * 366 * 86'400'000;  // a hundred years
    return total > most ? std::nullopt : std::optional(std::chrono::milliseconds(static_cast<std::int64_t>(total)));
}

}  // namespace cli
