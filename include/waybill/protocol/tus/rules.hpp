// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>
#include <waybill/detail/digest.hpp>
#include <waybill/http/url.hpp>
#include <waybill/model/record.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/shared/finishing.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// tus 1.0.0 without the network: settings, headers, and the contents of checkpoints. Pure functions.
namespace waybill::detail {

/// Smaller parts are not worth a separate upload.
inline constexpr std::uint64_t least_tus_part = 1 << 20;

struct tus_settings {
    std::uint64_t chunk_size = 0;
    std::uint64_t parallel = 1;
    std::uint64_t least_part = least_tus_part;
    std::string checksum;
    std::string digest;
    bool create_with_upload = false;
    bool defer_length = false;
    bool override_method = false;
    std::string upload_url;
};

/// Throws `errc::invalid_setting`.
[[nodiscard]] inline tus_settings parse_tus_settings(const protocol_spec& spec) {
    tus_settings s;
    for (const auto& [name, value] : spec.settings) {
        const auto is_one_of = [&value = value](auto... known) { return ((value == known) || ...); };
        const std::optional<std::uint64_t> number = parse_decimal(value);
        bool good = false;
        if (name == "chunk-size") {
            s.chunk_size = number.value_or(0);
            good = number.has_value();
        } else if (name == "parallel") {
            s.parallel = number.value_or(0);
            good = s.parallel >= 1 && s.parallel <= 64;
        } else if (name == "checksum") {
            s.checksum = value;
            good = is_one_of("any", "sha1", "sha256", "md5");
        } else if (name == "digest") {
            s.digest = value;
            good = is_one_of("sha-256", "crc32c");
        } else if (name == "create-with-upload") {
            s.create_with_upload = good = value == "1";
        } else if (name == "defer-length") {
            s.defer_length = good = value == "1";
        } else if (name == "override-method") {
            s.override_method = good = value == "1";
        } else if (name == "upload-url") {
            s.upload_url = url(value).str();
            good = true;
        }
        if (!good) {
            throw error(errc::invalid_setting, "tus: " + printable_excerpt(name + " = " + value, 128));
        }
    }
    if (s.chunk_size == 0 && (!s.checksum.empty() || !s.digest.empty())) {
        s.chunk_size = 16 << 20;  // the unit that is checked, and the maximum that a crash sends again
    }
    return s;
}

/// Our digest's name for one of tus; empty for others.
[[nodiscard]] inline std::string digest_for_tus(std::string_view checksum) {
    return checksum == "sha256" ? "sha-256" : checksum == "sha1" ? "sha-1" : checksum == "md5" ? "md5" : "";
}

/// `Upload-Metadata`: keys are ASCII without spaces and commas, values base64 with padding.
[[nodiscard]] inline bool is_tus_key(std::string_view key) noexcept {
    return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7F && c != ','; });
}
[[nodiscard]] inline std::string tus_metadata(const string_pairs& fields, const std::string& name,
                                              const std::string& type) {
    string_pairs all = fields;
    const auto add = [&all](const char* key, const std::string& value) {
        const bool taken = std::any_of(all.begin(), all.end(), [&](const auto& f) { return f.first == key; });
        if (!taken) {
            all.emplace_back(key, value);
        }
    };
    add("filename", name);
    add("filetype", type);
    std::string text;
    for (const auto& [key, value] : all) {
        text += (text.empty() ? "" : ",") + key + (value.empty() ? "" : " " + to_base64(value));
    }
    return text;
}

/// The members of a comma-separated list, without white space.
[[nodiscard]] inline std::vector<std::string> list_members(std::string_view text) {
    std::vector<std::string> all(1);
    for (const char c : text.substr(0, 4096)) {
        if (c == ',') {
            all.emplace_back();
        } else if (c != ' ' && c != '\t') {
            all.back().push_back(c);
        }
    }
    std::erase(all, "");
    return all;
}

/// A server's extensions, by its response to OPTIONS.
struct tus_offer {
    std::vector<std::string> extensions;
    std::vector<std::string> checksums;
    std::optional<std::uint64_t> most;

    [[nodiscard]] bool has(std::string_view extension) const {
        return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
    }
    /// The algorithm to use for a request; empty: none.
    [[nodiscard]] std::string checksum_for(std::string_view wish) const {
        constexpr std::array<std::string_view, 3> best_first = {"sha256", "sha1", "md5"};
        for (const std::string_view name : best_first) {
            const bool offered =
                has("checksum") && std::find(checksums.begin(), checksums.end(), name) != checksums.end();
            if (offered && (wish == "any" || wish == name)) {
                return std::string(name);
            }
        }
        return {};
    }
};
[[nodiscard]] inline tus_offer parse_tus_offer(const response& r) {
    tus_offer offer;
    offer.extensions = list_members(r.header("Tus-Extension").value_or(""));
    offer.checksums = list_members(r.header("Tus-Checksum-Algorithm").value_or(""));
    offer.most = parse_decimal(r.header("Tus-Max-Size").value_or(""));
    return offer;
}

/// `Upload-Expires` in our own clock: the difference is taken from the server's clock. 0: none.
[[nodiscard]] inline std::int64_t tus_expiry(const response& r, std::int64_t now_unix) {
    const auto until = parse_http_date(r.header("Upload-Expires").value_or(""));
    if (!until) {
        return 0;
    }
    return now_unix + (*until - parse_http_date(r.header("Date").value_or("")).value_or(now_unix));
}

inline constexpr std::size_t longest_location = 4096;

/// The URL that a `Location` means. Throws a permanent failure when it has another origin: bytes are sent only to the
/// host that the job names.
[[nodiscard]] inline std::string tus_location(const response& r, const std::string& asked, std::size_t item) {
    const auto refuse = [&](std::string why) {
        diagnostics d = describe(r);
        d.detail = std::move(why);
        throw failure(disposition::permanent, errc::invalid_response, std::move(d), std::nullopt, item);
    };
    const auto location = r.header("Location");
    if (!location || location->empty()) {
        const bool several = std::count_if(r.headers.begin(), r.headers.end(),
                                           [](const header_field& h) { return same_header(h.name, "Location"); }) > 1;
        refuse(several ? "several Locations of the new upload" : "no Location of the new upload");
    }
    if (location->size() > longest_location) {
        refuse("the new upload's Location has " + std::to_string(location->size()) + " bytes: at most " +
               std::to_string(longest_location) + " are kept");
    }
    const url from(r.url.empty() ? asked : r.url);
    std::optional<url> to;
    try {
        to.emplace(from.resolve(std::string(*location)));
    } catch (const error&) {
        refuse("the new upload's Location is no usable URL");
    }
    if (to->origin() != from.origin()) {
        refuse("the new upload's Location is at another origin, " + to->origin() +
               "; a server behind a proxy must know its public address, or respond with relative Locations");
    }
    return to->str();
}

/// One upload resource: a whole item, or a part of it that is to be concatenated.
struct tus_part {
    std::string url;  ///< empty: not created
    std::uint64_t begin = 0;
    std::uint64_t length = 0;
    std::uint64_t offset = 0;  ///< confirmed, within the part
    std::int64_t expires = 0;
    /// An upper bound on the bytes of this upload that may have been sent, within the part; a server that reports more
    /// violates the protocol. Stored only between attempts: empty, and nothing is known, while one may be sending.
    std::optional<std::uint64_t> sent_bound;

    bool asked = false;     ///< the offset was reported in this attempt; not stored
    int troubles = 0;       ///< refusals in a row without progress; not stored
    bool deferred = false;  ///< the server does not know the length yet; not stored
};

/// The contents of a checkpoint's `state` for one item.
struct tus_state {
    bool delivered = false;
    std::uint64_t chunk = 0;     ///< the size set after a 413; 0: no limit
    std::uint64_t restarts = 0;  ///< uploads that no longer existed at the server
    finishing last;              ///< the request with the last byte, when there is one upload
    std::string checksum;
    std::string final_url;
    std::string digest_points;
    std::vector<tus_part> parts;

    [[nodiscard]] std::uint64_t confirmed() const noexcept {
        std::uint64_t sum = 0;
        for (const tus_part& p : parts) {
            sum += p.offset;
        }
        return sum;
    }
};

[[nodiscard]] inline std::string encode_tus_state(const tus_state& s) {
    encoder out;
    out.number(1).number(s.delivered ? 1 : 0).number(s.chunk).number(s.restarts).number(s.last.encode());
    out.text(s.checksum).text(s.final_url).text(s.digest_points).number(s.parts.size());
    for (const tus_part& p : s.parts) {
        out.text(p.url).number(p.begin).number(p.length).number(p.offset);
        out.number(static_cast<std::uint64_t>(std::max<std::int64_t>(p.expires, 0)));
        out.number(p.sent_bound ? *p.sent_bound + 1 : 0);
    }
    return std::move(out).take();
}

/// Empty when it cannot be decoded. Every released version is decoded forever.
[[nodiscard]] inline std::optional<tus_state> decode_tus_state(std::string_view text) {
    constexpr std::uint64_t most = INT64_MAX;
    decoder in(text);
    tus_state s;
    const bool known = in.number() == 1;
    s.delivered = in.number(1) == 1;
    s.chunk = in.number(most);
    s.restarts = in.number(most);
    s.last = finishing::decode(in.number(finishing::most_encoded));
    s.checksum = in.text();
    s.final_url = in.text();
    s.digest_points = in.text();
    const std::uint64_t count = in.number(64);
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
        tus_part p;
        p.url = in.text();
        p.begin = in.number(most);
        p.length = in.number(most);
        p.offset = in.number(p.length);
        p.expires = static_cast<std::int64_t>(in.number(most));
        if (const std::uint64_t sent_bound = in.number(most); sent_bound != 0) {
            p.sent_bound = sent_bound - 1;
        }
        s.parts.push_back(std::move(p));
    }
    return known && in.finished() ? std::optional(std::move(s)) : std::nullopt;
}

/// True when the parts are exactly an item of this size.
[[nodiscard]] inline bool covers(const tus_state& s, std::uint64_t size) noexcept {
    std::uint64_t at = 0;
    for (const tus_part& p : s.parts) {
        if (p.begin != at || p.length > size - at) {
            return false;
        }
        at += p.length;
    }
    return !s.parts.empty() && at == size;
}

/// Divides an item into parts of almost the same size, none below `least` bytes.
[[nodiscard]] inline std::vector<tus_part> cut_into_parts(std::uint64_t size, std::uint64_t wanted,
                                                          std::uint64_t least = least_tus_part) {
    const std::uint64_t count = std::clamp<std::uint64_t>(size / least, 1, wanted);
    std::vector<tus_part> parts(static_cast<std::size_t>(count));
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        parts[i].begin = at;
        parts[i].length = size / count + (i < size % count ? 1 : 0);
        at += parts[i].length;
    }
    return parts;
}

}  // namespace waybill::detail
