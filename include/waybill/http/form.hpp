// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

// Names in a form. Pure functions.
namespace waybill {

/// Whether a form field can have this name.
[[nodiscard]] inline bool is_form_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= 1024 && std::none_of(name.begin(), name.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

/// Quotes a field or file name for a `Content-Disposition` parameter: `"` and control characters are percent-encoded;
/// everything else, including UTF-8, is unchanged.
///
/// RFC 7578 section 4.2 and the WHATWG HTML standard, "multipart form data": `"` is `%22`, CR is `%0D`, LF is `%0A`. We
/// extend that to all control characters, because none is allowed in a header.
[[nodiscard]] inline std::string escape_form_name(std::string_view name) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(name.size());
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F || c == '"') {
            out.push_back('%');
            out.push_back(digits[byte >> 4]);
            out.push_back(digits[byte & 0x0F]);
        } else {
            out.push_back(c);
        }
    }
    return out;
}

}  // namespace waybill
