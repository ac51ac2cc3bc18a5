// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/http/header.hpp>
#include <waybill/http/structured_fields.hpp>
#include <waybill/http/url.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

// Headers that describe the bytes: their digest, and the name of the file. Pure functions.
namespace waybill::detail {

/// The digest that `Repr-Digest` (RFC 9530) gives for an algorithm, raw.
[[nodiscard]] inline std::optional<std::string> parse_repr_digest(const header_list& headers,
                                                                  std::string_view algorithm) {
    const auto text = joined_field(headers, "Repr-Digest");
    const auto members = text ? parse_dictionary(*text) : std::nullopt;
    if (!members) {
        return std::nullopt;
    }
    const auto found = std::find_if(members->begin(), members->end(), [&](const auto& m) {
        return m.first == algorithm && m.second.kind == field_value::type::bytes;
    });
    return found == members->end() ? std::nullopt : std::optional(found->second.text);
}

/// A `Content-Disposition` that names the file (RFC 6266), in ASCII and in UTF-8.
[[nodiscard]] inline std::string inline_disposition(std::string_view name) {
    std::string plain;
    for (const char c : name) {
        const bool safe = c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '%';
        plain.push_back(safe ? c : '_');
    }
    return "inline; filename=\"" + plain + "\"; filename*=UTF-8''" + url::escape_segment(name);
}

}  // namespace waybill::detail
