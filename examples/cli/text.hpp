// SPDX-License-Identifier: BSL-1.0
#pragma once

// Numbers and names as people read them.

#include <algorithm>
#include <chrono>
#include <clocale>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <wchar.h>

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
    const auto total = static_cast<long long>(time.count());
    char text[64];
    if (total < 60) {
        std::snprintf(text, sizeof text, "%lld s", total);
    } else if (total < 3600) {
        std::snprintf(text, sizeof text, "%lld min %02lld s", total / 60, total % 60);
    } else if (total < 48 * 3600) {
        std::snprintf(text, sizeof text, "%lld h %02lld min", total / 3600, total / 60 % 60);
    } else if (total / 3600 % 24 == 0) {
        std::snprintf(text, sizeof text, "%lld days", total / 86400);
    } else {
        std::snprintf(text, sizeof text, "%lld days %lld h", total / 86400, total / 3600 % 24);
    }
    return text;
}

/// `count(2, "file")` is "2 files".
inline std::string count(std::size_t number, const char* what) {
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

/// The character a text begins with.
struct character {
    std::string_view bytes;
    char32_t code;  ///< `none` when it is no UTF-8: then it is one byte
    static constexpr char32_t none = 0xFFFFFFFF;
};

/// Strict, as RFC 3629 has it: a lenient reader would let controls through in longer forms.
/// @pre `text` is not empty.
inline character first_of(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const character broken{text.substr(0, 1), character::none};
    if (byte(0) < 0x80) {
        return {text.substr(0, 1), byte(0)};
    }
    const std::size_t length = byte(0) >= 0xF0 ? 4U : byte(0) >= 0xE0 ? 3U : 2U;
    if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < length) {
        return broken;
    }
    char32_t code = byte(0) & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80U) {
            return broken;
        }
        code = (code << 6) | (byte(i) & 0x3FU);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    return overlong || surrogate || code > 0x10FFFF ? broken : character{text.substr(0, length), code};
}

/// Characters that must not reach a terminal: controls, C1 included, move the cursor and more; text directions show
/// "gpj.exe" as "exe.jpg"; a byte that is no UTF-8 may be a C1 control to a terminal without UTF-8.
inline bool is_unprintable(char32_t code) {
    const auto within = [code](char32_t first, char32_t last) { return code >= first && code <= last; };
    return code == character::none || code < 0x20 || within(0x7F, 0x9F) || code == 0x061C || within(0x200E, 0x200F) ||
           within(0x2028, 0x202E) || within(0x2066, 0x206F) || within(0xFFF9, 0xFFFB) || within(0xE0000, 0xE007F);
}

/// A text from outside, on one line and fit for a terminal: file names and server messages may contain escape
/// sequences. Everything this program prints goes through here, or is JSON.
inline std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const character c = first_of(text);
        out += is_unprintable(c.code) ? std::string_view("?") : c.bytes;
        text.remove_prefix(c.bytes.size());
    }
    return out;
}

/// The same for a text of several lines.
inline std::string printable_lines(std::string_view text) {
    std::string out;
    for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
        out += printable(text.substr(0, end)) + "\n";
    }
    return out + printable(text);
}

/// At most `most` bytes of it, with an ellipsis when there are more; no character is split.
inline std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) {
        return std::string(text);
    }
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return std::string(text.substr(0, end)) + "…";
}

/// Lets `width` know about characters: the C library's table is as new as the terminal's, more or less.
inline void know_characters() {
    if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) {
        std::setlocale(LC_CTYPE, "C.UTF-8");
    }
}

inline std::size_t width_of(char32_t code) {
    const int columns = ::wcwidth(static_cast<wchar_t>(code));
    return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

/// Terminals disagree about the width of sequences with these: joined emoji, emoji with a skin colour, emoji made of
/// text characters. Without them each character stands for itself, equally wide everywhere.
inline bool is_disputed(char32_t code) {
    return code == 0x200D || (code >= 0xFE00 && code <= 0xFE0F) || (code >= 0x1F3FB && code <= 0x1F3FF);
}

/// The text as it is shown where columns count.
inline std::string undisputed(std::string_view text) {
    const std::string clean = printable(text);
    std::string out;
    for (std::string_view rest = clean; !rest.empty();) {
        const character c = first_of(rest);
        out += is_disputed(c.code) ? std::string_view() : c.bytes;
        rest.remove_prefix(c.bytes.size());
    }
    return out;
}

/// The number of columns a text takes.
inline std::size_t width(std::string_view text) {
    const std::string clean = undisputed(text);
    std::size_t columns = 0;
    for (std::string_view rest = clean; !rest.empty();) {
        const character c = first_of(rest);
        columns += width_of(c.code);
        rest.remove_prefix(c.bytes.size());
    }
    return columns;
}

/// At most `columns` wide: truncated with an ellipsis.
inline std::string cut(std::string_view text, std::size_t columns) {
    const std::string clean = undisputed(text);
    if (width(clean) <= columns) {
        return clean;
    }
    if (columns == 0) {
        return "";
    }
    std::string out;
    std::size_t used = 0;
    for (std::string_view rest = clean; !rest.empty();) {
        const character c = first_of(rest);
        if (used + width_of(c.code) > columns - 1) {
            break;
        }
        used += width_of(c.code);
        out += c.bytes;
        rest.remove_prefix(c.bytes.size());
    }
    return out + "…";
}

/// Exactly `columns` wide: truncated, or padded.
inline std::string fit(std::string_view text, std::size_t columns) {
    std::string out = cut(text, columns);
    const std::size_t used = width(out);
    return out.append(columns > used ? columns - used : 0, ' ');
}

}  // namespace cli
