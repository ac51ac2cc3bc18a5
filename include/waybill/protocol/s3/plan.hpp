// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>
#include <waybill/detail/crc32c.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// How an object is divided into parts, and what a checkpoint holds of them. Pure functions.
namespace waybill::detail {

inline constexpr std::uint64_t least_s3_part = 5ULL << 20;  ///< except for the last part
inline constexpr std::uint64_t most_s3_part = 5ULL << 30;
inline constexpr std::uint64_t usual_s3_part = 8ULL << 20;
inline constexpr std::uint64_t most_s3_parts = 10'000;

/// The size of an object's parts: the requested one, or as many MiB as keep it within 10,000.
[[nodiscard]] constexpr std::uint64_t s3_part_size(std::uint64_t size, std::uint64_t wished) noexcept {
    constexpr std::uint64_t step = 1 << 20;
    const std::uint64_t needed = size / most_s3_parts + (size % most_s3_parts != 0 ? 1 : 0);
    const std::uint64_t first = wished == 0 ? usual_s3_part : wished;
    return needed <= first ? first : (needed + step - 1) / step * step;
}

[[nodiscard]] constexpr std::size_t s3_part_count(std::uint64_t size, std::uint64_t part_size) noexcept {
    return static_cast<std::size_t>(size / part_size + (size % part_size != 0 ? 1 : 0));
}

/// What is remembered of a part's ETag: enough to see that the server has another part than the one it confirmed. Never
/// 0.
[[nodiscard]] constexpr std::uint32_t fingerprint(std::string_view etag) noexcept {
    return std::max<std::uint32_t>(crc32c(0, etag), 1);
}

/// The contents of a checkpoint's `state` for one item. Small even with 10,000 parts: the server lists the parts'
/// ETags, here are only their fingerprints.
struct s3_state {
    bool delivered = false;
    bool doubtful = false;  ///< the response to a completion did not reveal its outcome
    std::uint64_t part_size = 0;
    std::uint64_t restarts = 0;  ///< uploads that no longer existed at the server
    std::string token;           ///< of the object's metadata
    std::string checksum;
    std::vector<std::uint32_t> parts;  ///< the fingerprint of each; 0: not confirmed

    [[nodiscard]] std::uint64_t length(std::size_t part, std::uint64_t size) const noexcept {
        return std::min(part_size, size - part * part_size);
    }
    [[nodiscard]] std::uint64_t confirmed(std::uint64_t size) const noexcept {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            sum += parts[i] != 0 ? length(i, size) : 0;
        }
        return sum;
    }
};

[[nodiscard]] inline std::string encode_s3_state(const s3_state& s) {
    std::string prints;
    for (const std::uint32_t print : s.parts) {
        for (unsigned shift = 0; shift < 32; shift += 8) {
            prints.push_back(static_cast<char>(print >> shift));
        }
    }
    encoder out;
    out.number(1).number(s.delivered ? 1 : 0).number(s.doubtful ? 1 : 0).number(s.part_size).number(s.restarts);
    out.text(s.token).text(s.checksum).text(prints);
    return std::move(out).take();
}

/// Empty when it cannot be decoded. Every released version is decoded forever.
[[nodiscard]] inline std::optional<s3_state> decode_s3_state(std::string_view text) {
    decoder in(text);
    s3_state s;
    const bool known = in.number() == 1;
    s.delivered = in.number(1) == 1;
    s.doubtful = in.number(1) == 1;
    s.part_size = in.number(1ULL << 62);
    s.restarts = in.number(INT64_MAX);
    s.token = in.text();
    s.checksum = in.text();
    const std::string prints = in.text();
    for (std::size_t i = 0; i + 4 <= prints.size(); i += 4) {
        std::uint32_t print = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            print |= static_cast<std::uint32_t>(static_cast<unsigned char>(prints[i + k])) << 8 * k;
        }
        s.parts.push_back(print);
    }
    const bool whole = prints.size() % 4 == 0 && s.parts.size() <= most_s3_parts;
    return known && whole && in.finished() ? std::optional(std::move(s)) : std::nullopt;
}

/// True when the parts are those of an item of this size.
[[nodiscard]] inline bool covers(const s3_state& s, std::uint64_t size) noexcept {
    return s.part_size != 0 && !s.parts.empty() && s3_part_count(size, s.part_size) == s.parts.size();
}

}  // namespace waybill::detail
