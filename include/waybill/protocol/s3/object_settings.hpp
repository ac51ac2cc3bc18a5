// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/http_rules.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// An object's properties other than its bytes: settings that are headers of the request that creates it. Pure
// functions.
namespace waybill::detail {

/// A name that can be used in a signature's scope or in a header: no space, no separator.
[[nodiscard]] inline bool is_s3_word(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == ':' || c == '.';
    });
}

/// A header's value that every signer writes alike: ASCII, not folded, without spaces at its ends.
[[nodiscard]] inline bool is_s3_value(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 1024 && text.front() != ' ' && text.back() != ' ' &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

/// The same, and one word: the name of a key, an ARN.
[[nodiscard]] inline bool is_s3_key_name(std::string_view text) noexcept {
    return is_s3_value(text) && text.find(' ') == std::string_view::npos;
}

/// Up to ten tags as in a query, `name=value&name=value`, percent-encoded.
[[nodiscard]] inline bool is_s3_tagging(std::string_view text) noexcept {
    constexpr std::size_t most_tags = 10;
    std::size_t tags = 0;
    for (std::size_t at = 0; at <= text.size(); ++tags) {
        const std::size_t end = std::min(text.find('&', at), text.size());
        const std::string_view one = text.substr(at, end - at);
        if (one.find('=') == 0 || one.empty()) {
            return false;
        }
        at = end + 1;
    }
    const bool written = std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-._~%=&+").find(c) != std::string_view::npos;
    });
    return written && tags <= most_tags && text.size() <= 8192;
}

/// `2031-01-01T00:00:00Z`, as ISO 8601 writes a time in UTC.
[[nodiscard]] inline bool is_s3_time(std::string_view text) noexcept {
    constexpr std::string_view form = "0000-00-00T00:00:00Z";
    return std::equal(text.begin(), text.end(), form.begin(), form.end(),
                      [](char c, char like) { return like == '0' ? c >= '0' && c <= '9' : c == like; });
}

struct s3_object_setting {
    std::string_view name;
    std::string_view header;
    bool (*sound)(std::string_view);
};

inline constexpr std::array<s3_object_setting, 11> s3_object_settings = {{
    {"acl", "x-amz-acl", is_s3_word},
    {"cache-control", "Cache-Control", is_s3_value},
    {"content-disposition", "Content-Disposition", is_s3_value},
    {"content-encoding", "Content-Encoding", is_s3_value},
    {"kms-key", "x-amz-server-side-encryption-aws-kms-key-id", is_s3_key_name},
    {"object-lock-legal-hold", "x-amz-object-lock-legal-hold", [](std::string_view v) { return v == "ON"; }},
    {"object-lock-mode", "x-amz-object-lock-mode",
     [](std::string_view v) { return v == "GOVERNANCE" || v == "COMPLIANCE"; }},
    {"object-lock-retain-until", "x-amz-object-lock-retain-until-date", is_s3_time},
    {"server-side-encryption", "x-amz-server-side-encryption", is_s3_word},
    {"storage-class", "x-amz-storage-class", is_s3_word},
    {"tagging", "x-amz-tagging", is_s3_tagging},
}};

/// The header for a setting; empty when no setting of objects has this name, or its value is invalid.
[[nodiscard]] inline std::optional<header_field> s3_object_header(std::string_view name, const std::string& value) {
    for (const s3_object_setting& known : s3_object_settings) {
        if (known.name == name && known.sound(value)) {
            return header_field{std::string(known.header), value};
        }
    }
    return std::nullopt;
}

/// The setting that is equivalent to a header; null: none.
[[nodiscard]] inline const s3_object_setting* find_s3_object_setting(std::string_view header) noexcept {
    const auto* const found =
        std::find_if(s3_object_settings.begin(), s3_object_settings.end(),
                     [header](const s3_object_setting& known) { return same_header(known.header, header); });
    return found == s3_object_settings.end() ? nullptr : found;
}

[[nodiscard]] inline bool names_header(const header_list& headers, std::string_view name) noexcept {
    return std::any_of(headers.begin(), headers.end(),
                       [name](const header_field& h) { return same_header(h.name, name); });
}

/// True when the object is locked: then S3 requires a checksum with its bytes.
[[nodiscard]] inline bool is_locked(const header_list& headers) noexcept {
    return names_header(headers, "x-amz-object-lock-mode") || names_header(headers, "x-amz-object-lock-legal-hold");
}

}  // namespace waybill::detail
