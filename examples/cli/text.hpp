// SPDX-License-Identifier: BSL-1.0
#pragma once

// Numbers and names as people read them.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace cli {

inline std::string bytes(double count) {
    const char* const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    std::size_t unit = 0;
    while (count >= 999.5 && unit + 1 < std::size(units)) {
        count /= 1000;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 || count >= 99.95 ? "%.0f %s" : "%.1f %s", count, units[unit]);
    return text;
}

inline std::string duration(std::chrono::seconds time) {
    const auto total = time.count();
    char text[48];
    if (total < 60) {
        std::snprintf(text, sizeof text, "%lld s", static_cast<long long>(total));
    } else if (total < 3600) {
        std::snprintf(text, sizeof text, "%lld min %02lld s", static_cast<long long>(total / 60),
                      static_cast<long long>(total % 60));
    } else {
        std::snprintf(text, sizeof text, "%lld h %02lld min", static_cast<long long>(total / 3600),
                      static_cast<long long>(total / 60 % 60));
    }
    return text;
}

/// The length of a character at the beginning of `text` that must not reach a terminal; 0: a harmless one.
/// Controls move the cursor; marks of direction make "gpj.exe" of "exe.jpg".
inline std::size_t unprintable(std::string_view text) {
    const auto byte = static_cast<unsigned char>(text[0]);
    if (byte < 0x20 || byte == 0x7F) {
        return 1;
    }
    if (byte == 0xC2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xA0) {
        return 2;  // C1 controls
    }
    for (const std::string_view mark : {"\u061C", "\u200E", "\u200F", "\u2028", "\u2029", "\u202A", "\u202B", "\u202C",
                                        "\u202D", "\u202E", "\u2066", "\u2067", "\u2068", "\u2069"}) {
        if (text.starts_with(mark)) {
            return mark.size();
        }
    }
    return 0;
}

/// A name from a file system, fit for a terminal: it may hold escape sequences.
inline std::string printable(std::string_view name) {
    std::string out;
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t length = unprintable(name.substr(at));
        out += length == 0 ? name[at] : '?';
        at += length == 0 ? 1 : length;
    }
    return out;
}

/// The number of columns a UTF-8 text takes, near enough: one for each code point.
inline std::size_t width(std::string_view text) {
    std::size_t columns = 0;
    for (const char c : text) {
        columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    }
    return columns;
}

/// Exactly `columns` wide: padded, or cut with an ellipsis.
inline std::string fit(std::string_view text, std::size_t columns) {
    std::string out;
    std::size_t used = 0;
    const bool cut = width(text) > columns;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
        if (begins && cut && used + 1 == columns) {
            out += "…";
            return out;
        }
        used += begins ? 1 : 0;
        out += text[i];
    }
    return out.append(columns > used ? columns - used : 0, ' ');
}

}  // namespace cli
