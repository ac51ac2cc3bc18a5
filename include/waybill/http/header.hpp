// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

// Header fields and their syntax. Pure functions.
namespace waybill {

/// A header field (RFC 9110 section 5). Names compare without regard to case.
struct header_field {
    std::string name;
    std::string value;

    bool operator==(const header_field&) const = default;
};
using header_list = std::vector<header_field>;

/// A token (RFC 9110 section 5.6.2): the syntax of header names and methods.
[[nodiscard]] inline bool is_token(std::string_view text) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != std::string_view::npos;
    });
}

/// Whether this can be sent as a header's value: one line, no control character except the tab (RFC 9110 section 5.5).
[[nodiscard]] inline bool is_field_value(std::string_view text) noexcept {
    return std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7F;
    });
}

/// Compares header names: ASCII, without regard to case.
[[nodiscard]] inline bool same_header(std::string_view a, std::string_view b) noexcept {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

[[nodiscard]] inline bool begins_ignoring_case(std::string_view text, std::string_view begin) noexcept {
    return text.size() >= begin.size() && same_header(text.substr(0, begin.size()), begin);
}

/// The value of the only header of this name; empty when there is none or several, since a field
/// that must be single and is not cannot be trusted.
[[nodiscard]] inline std::optional<std::string_view> single_header(const header_list& headers,
                                                                   std::string_view name) noexcept {
    std::optional<std::string_view> found;
    for (const header_field& h : headers) {
        if (same_header(h.name, name)) {
            if (found) {
                return std::nullopt;
            }
            found = h.value;
        }
    }
    return found;
}

/// A header that makes a request depend on the current state of its target (RFC 9110 section 13, RFC 4918 section
/// 10.4).
[[nodiscard]] inline bool is_condition(std::string_view name) noexcept {
    constexpr std::string_view begin = "If-";
    return same_header(name, "If") || (name.size() > begin.size() && same_header(name.substr(0, begin.size()), begin));
}

/// A non-negative decimal number that fills the whole text.
[[nodiscard]] inline std::optional<std::uint64_t> parse_decimal(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || ec != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

}  // namespace waybill
