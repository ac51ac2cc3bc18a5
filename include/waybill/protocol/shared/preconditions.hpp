// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>
#include <waybill/http/representation.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Conditional requests (RFC 9110 section 13). One that is repeated after its response was lost may fail because of what
// the first one created: the resource at the target shows this. Pure functions.
namespace waybill::detail {

/// The job's requests depend on the current state of their target.
[[nodiscard]] inline bool is_conditional(const string_pairs& headers) {
    return std::any_of(headers.begin(), headers.end(), [](const auto& h) { return is_condition(h.first); });
}

/// Its only condition is that the target does not exist.
[[nodiscard]] inline bool only_if_absent(const string_pairs& headers) {
    return is_conditional(headers) && std::all_of(headers.begin(), headers.end(), [](const auto& h) {
               return !is_condition(h.first) || (same_header(h.first, "If-None-Match") && h.second == "*");
           });
}

/// The response to a HEAD request: what it shows of the resource, as far as it can be compared with our bytes.
struct shown_content {
    std::optional<std::uint64_t> size;
    std::optional<std::string> sha256;  ///< raw
    std::string md5;                    ///< hexadecimal; empty: the ETag is none

    [[nodiscard]] bool has_digest() const noexcept { return sha256 || !md5.empty(); }
};

/// @param sent the job's headers: a representation with another coding than the one sent has other bytes.
[[nodiscard]] inline shown_content shown_by(const response& head, const string_pairs& sent) {
    shown_content there;
    std::string coding;
    for (const auto& [name, value] : sent) {
        coding = same_header(name, "Content-Encoding") ? value : coding;
    }
    if (head.header("Content-Encoding").value_or("") != coding) {
        return there;
    }
    // Without these the length may belong to no representation at all: to nothing, or to an error page.
    if (head.header("ETag") || head.header("Last-Modified")) {
        there.size = parse_decimal(head.header("Content-Length").value_or(""));
    }
    there.sha256 = parse_repr_digest(head.headers, "sha-256");
    // Object stores and many others use an MD5 of the bytes as ETag; another one may be no MD5.
    constexpr std::size_t digits = 32;
    std::string tag(head.header("ETag").value_or(""));
    if (tag.size() == digits + 2 && tag.front() == '"' && tag.back() == '"') {
        tag = tag.substr(1, digits);
        std::transform(tag.begin(), tag.end(), tag.begin(),
                       [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
        const bool hexadecimal = tag.find_first_not_of("0123456789abcdef") == std::string::npos;
        there.md5 = hexadecimal ? tag : "";
    }
    return there;
}

/// The owner of the resource, by what is shown of it.
enum class whose : std::uint8_t { ours, other, unknown };

[[nodiscard]] inline whose compare_size(const shown_content& there, std::uint64_t size) noexcept {
    return there.size.value_or(size) == size ? whose::unknown : whose::other;
}

/// @param sha256,md5 digests of our bytes; raw, and hexadecimal.
[[nodiscard]] inline whose compare_digests(const shown_content& there, std::string_view sha256,
                                           std::string_view md5) noexcept {
    if (there.sha256) {
        return *there.sha256 == sha256 ? whose::ours : whose::other;
    }
    return there.md5 == md5 ? whose::ours : whose::unknown;
}

}  // namespace waybill::detail
