// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>
#include <waybill/http/url.hpp>
#include <waybill/model/job.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/s3/object_settings.hpp>
#include <waybill/protocol/s3/plan.hpp>
#include <waybill/protocol/s3/sigv4.hpp>
#include <waybill/transport/request.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The settings of an S3 job, without the network. Pure functions.
namespace waybill::detail {

struct s3_settings {
    std::uint64_t part_size = 0;  ///< 0: by the item's size
    std::uint64_t parallel = 4;
    std::string checksum;         ///< `crc32c`, `sha256` or none
    bool whole_checksum = false;  ///< of the object, not only of its parts
    std::string region;           ///< empty: the one that comes with the keys
    std::string service = "s3";
    std::string profile;
    bool signs_payload = true;
    header_list object_headers;  ///< for the request that makes the object
};

/// False when there is no such setting, or not with this value.
[[nodiscard]] inline bool take_s3_setting(s3_settings& s, const std::string& name, const std::string& value) {
    const std::optional<std::uint64_t> number = parse_decimal(value);
    bool good = is_s3_word(value);
    if (name == "part-size") {
        s.part_size = number.value_or(0);
        good = s.part_size >= least_s3_part && s.part_size <= most_s3_part;
    } else if (name == "parallel") {
        s.parallel = number.value_or(0);
        good = s.parallel >= 1 && s.parallel <= 64;
    } else if (name == "checksum") {
        s.checksum = value;
        good = value == "crc32c" || value == "sha256";
    } else if (name == "digest") {
        s.whole_checksum = good = value == "crc32c";  // the only one that can be computed from those of parts
    } else if (name == "region") {
        s.region = value;
    } else if (name == "service") {
        s.service = value;
    } else if (name == "profile") {
        s.profile = value;
        good = true;
    } else if (name == "payload") {
        s.signs_payload = value != "unsigned";
        good = value == "unsigned" || value == "signed";
    } else if (std::optional<header_field> of_object = s3_object_header(name, value)) {
        s.object_headers.push_back(std::move(*of_object));
        good = true;
    } else {
        good = false;
    }
    return good;
}

/// Throws `errc::invalid_setting`.
[[nodiscard]] inline s3_settings parse_s3_settings(const protocol_spec& spec) {
    s3_settings s;
    for (const auto& [name, value] : spec.settings) {
        if (!take_s3_setting(s, name, value)) {
            throw error(errc::invalid_setting, "s3: " + printable_excerpt(name + " = " + value, 128));
        }
    }
    if (s.whole_checksum && !s.checksum.empty() && s.checksum != "crc32c") {
        throw error(errc::invalid_setting, "s3: digest = crc32c goes with checksum = crc32c");
    }
    s.checksum = s.whole_checksum ? "crc32c" : s.checksum;
    const bool kms = names_header(s.object_headers, "x-amz-server-side-encryption-aws-kms-key-id");
    if (kms && !names_header(s.object_headers, "x-amz-server-side-encryption")) {
        s.object_headers.push_back(header_field{"x-amz-server-side-encryption", "aws:kms"});
    }
    if (names_header(s.object_headers, "x-amz-object-lock-mode") !=
        names_header(s.object_headers, "x-amz-object-lock-retain-until-date")) {
        throw error(errc::invalid_setting, "s3: object-lock-mode and object-lock-retain-until go together");
    }
    return s;
}

[[nodiscard]] inline bool begins_as(std::string_view text, std::string_view with) noexcept {
    return text.size() >= with.size() && same_header(text.substr(0, with.size()), with);
}

/// The path of a URL as it was written.
[[nodiscard]] inline std::string_view written_path(std::string_view target) noexcept {
    const auto host = target.find("://");
    const auto path = target.find('/', host == std::string_view::npos ? 0 : host + 3);
    return path == std::string_view::npos ? std::string_view() : target.substr(path);
}

/// True when a path has a segment `.` or `..`, which no two programs treat alike.
[[nodiscard]] inline bool has_dot_segment(std::string_view path) {
    while (!path.empty()) {
        const auto slash = path.find('/');
        const std::string_view segment = path.substr(0, slash);
        std::string plain;
        for (std::size_t i = 0; i < segment.size(); ++i) {
            const bool escaped = segment.substr(i, 3) == "%2e" || segment.substr(i, 3) == "%2E";
            plain.push_back(escaped ? '.' : segment[i]);
            i += escaped ? 2 : 0;
        }
        if (plain == "." || plain == "..") {
            return true;
        }
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    }
    return false;
}

/// True when a host has no bucket in its name: an address, a name of one label, or one that begins with `s3`. For any
/// other name only the server knows.
[[nodiscard]] inline bool is_host_without_bucket(std::string_view host) noexcept {
    const bool address = host.find(':') != std::string_view::npos || std::all_of(host.begin(), host.end(), [](char c) {
                             return (c >= '0' && c <= '9') || c == '.';
                         });
    const std::string_view first = host.substr(0, host.find('.'));
    const bool of_region = begins_as(first, "s3-") && begins_as(host.substr(first.size()), ".amazonaws.com");
    return address || first.size() == host.size() || same_header(first, "s3") || of_region;
}

/// True when a path that begins with a bucket continues with a key.
[[nodiscard]] inline bool has_key_after_bucket(std::string_view path) noexcept {
    const auto end = path.find('/', 1);
    return end != std::string_view::npos && end > 1 && end + 1 < path.size();
}

/// The URL that is signed must be the one the server sees: no guessing. Throws `errc::invalid_url`, also for a URL that
/// would create a bucket instead of an object.
inline void check_s3_url(const std::string& target) {
    const std::string_view path = written_path(target);
    const std::string_view before = std::string_view(target).substr(0, target.size() - path.size());
    if (target.find('?') != std::string::npos) {
        throw error(errc::invalid_url, "an S3 URL has no query; keys come from the credentials provider");
    }
    if (std::any_of(before.begin(), before.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
        throw error(errc::invalid_url, "write the host of an S3 URL in ASCII");
    }
    const bool bucket_only = is_host_without_bucket(url(target).host()) && !has_key_after_bucket(path);
    if (path.size() < 2 || bucket_only) {
        throw error(errc::invalid_url, "an S3 URL names an object: https://host/bucket/key or https://bucket.host/key");
    }
    if (has_dot_segment(canonical_path(path))) {  // an escaped slash is one, too
        throw error(errc::invalid_url, "an S3 key must not have the segments . and ..");
    }
}

/// Which requests a job's header is sent with.
enum class s3_header : std::uint8_t { object, condition, every };
[[nodiscard]] inline s3_header place_of(std::string_view name) noexcept {
    const bool object = same_header(name, "Expires") || same_header(name, "Content-Language") ||
                        find_s3_object_setting(name) != nullptr;
    const bool condition = name.size() > 3 && same_header(name.substr(0, 3), "If-");
    return object ? s3_header::object : condition ? s3_header::condition : s3_header::every;
}

/// A job's headers that go with a request for this.
inline void add_headers(header_list& to, const string_pairs& headers, s3_header place) {
    for (const auto& [name, value] : headers) {
        if (place_of(name) == place) {
            to.push_back(header_field{name, value});
        }
    }
}

/// True when a request depends on the current state of its target (RFC 9110 section 13).
[[nodiscard]] inline bool has_condition(const string_pairs& headers) {
    return std::any_of(headers.begin(), headers.end(),
                       [](const auto& h) { return place_of(h.first) == s3_header::condition; });
}

/// Throws `errc::forbidden_header` for headers that a request's signature or checksum must agree with, and for those
/// that a setting has given already; `errc::invalid_header` for values such a setting cannot have.
inline void check_s3_header(const std::string& name, const std::string& value, const s3_settings& settings) {
    constexpr std::array<std::string_view, 4> ours = {"Content-MD5", "Digest", "Content-Digest", "Repr-Digest"};
    if (std::any_of(ours.begin(), ours.end(), [&](std::string_view known) { return same_header(name, known); })) {
        throw error(errc::forbidden_header, name + ": use the setting checksum of s3");
    }
    if (names_header(settings.object_headers, name)) {
        throw error(errc::forbidden_header, name + " is given twice, as a header and as a setting of s3");
    }
    const s3_object_setting* const known = find_s3_object_setting(name);
    if (known != nullptr && !known->sound(value)) {
        throw error(errc::invalid_header, "the value of " + name);
    }
}

/// Our token on an object: it resolves an outcome in doubt.
inline constexpr std::string_view s3_token_header = "x-amz-meta-waybill-upload";

/// Throws `errc::invalid_field` for a field that cannot be an object's metadata.
inline void check_s3_metadata(const string_pairs& fields) {
    constexpr std::size_t most = 2000;  // S3 takes 2 KB, names included
    std::size_t size = 0;
    string_pairs seen;
    for (const auto& [name, value] : fields) {
        const bool named = is_s3_word(name) && name.find(':') == std::string::npos;
        const bool valued = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
        const bool again =
            std::any_of(seen.begin(), seen.end(), [&](const auto& f) { return same_header(f.first, name); });
        if (!named || !valued || again || same_header("x-amz-meta-" + name, s3_token_header)) {
            throw error(errc::invalid_field, "'" + printable_excerpt(name, 64) +
                                                 "': S3 metadata has names of letters, digits, '-' and '_', each once, "
                                                 "and values in ASCII");
        }
        seen.emplace_back(name, "");
        size += name.size() + value.size();
    }
    if (size > most) {
        throw error(errc::invalid_field, "S3 takes 2 KB of metadata");
    }
}

}  // namespace waybill::detail
