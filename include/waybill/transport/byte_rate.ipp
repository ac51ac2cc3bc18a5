// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/http/header.hpp>
#include <waybill/transport/byte_rate.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

namespace waybill {
namespace detail {

[[noreturn]] inline void refuse_rate(std::string_view text, std::size_t at, const std::string& remedy) {
    throw error(errc::invalid_option,
                "'" + printable_excerpt(text, 64) + "' at character " + std::to_string(at + 1) + " " + remedy);
}

/// The bytes that a unit stands for: a letter, alone or written out (`K`, `Ki`, `KiB`). None: not a unit.
[[nodiscard]] inline std::optional<std::uint64_t> bytes_of_unit(std::string_view unit) noexcept {
    if (unit.empty()) {
        return std::uint64_t(1) << 10;  // as in rclone
    }
    if (same_header(unit, "B")) {
        return 1;
    }
    constexpr std::string_view letters = "KMGT";
    const char letter =
        unit.front() >= 'a' && unit.front() <= 'z' ? static_cast<char>(unit.front() - 'a' + 'A') : unit.front();
    const std::size_t power = letters.find(letter);
    const std::string_view rest = unit.substr(1);
    if (power == std::string_view::npos || !(rest.empty() || same_header(rest, "i") || same_header(rest, "iB"))) {
        return std::nullopt;
    }
    return std::uint64_t(1) << (10 * (power + 1));
}

/// A decimal number without sign or exponent; none: it is not one. No rate needs more than twelve digits.
[[nodiscard]] inline std::optional<double> decimal(std::string_view digits) noexcept {
    constexpr std::size_t most = 12;
    const std::size_t point = digits.find('.');
    if (digits.empty() || digits.size() > most || digits == ".") {
        return std::nullopt;
    }
    double value = 0;
    double place = 1;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i == point) {
            continue;
        }
        if (digits[i] < '0' || digits[i] > '9') {
            return std::nullopt;
        }
        value = value * 10 + (digits[i] - '0');
        place = i > point ? place * 10 : place;
    }
    return value / place;
}

}  // namespace detail

WAYBILL_DECL byte_rate::byte_rate(std::string_view text, std::size_t at) {
    if (same_header(text, "off")) {
        return;
    }
    if (same_header(text, "stop")) {
        per_second_ = 0;
        return;
    }
    if (text.find(':') != std::string_view::npos) {
        detail::refuse_rate(text, at, "has a rate for downloads, too: write only the one for uploads");
    }
    const std::size_t unit_at = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::optional<double> number = detail::decimal(text.substr(0, unit_at));
    const std::optional<std::uint64_t> unit = detail::bytes_of_unit(text.substr(unit_at));
    if (!number || !unit) {
        detail::refuse_rate(text, at,
                            "is not a rate: write a number with B, K, M, G or T, as in 512K, or off, or stop");
    }
    if (*number == 0) {
        detail::refuse_rate(text, at, "is zero: write off for no limit, or stop to send nothing");
    }
    constexpr double most = 9e18;  // fits into 64 bits
    const double bytes = *number * static_cast<double>(*unit);
    if (bytes < 1 || bytes > most) {
        detail::refuse_rate(text, at, "is out of range: from 1B to 8000000T");
    }
    per_second_ = static_cast<std::uint64_t>(bytes);
}

}  // namespace waybill
