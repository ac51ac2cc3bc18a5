// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/digest.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The CRC-32C of an object from those of its parts, which are computed concurrently. Pure.
namespace waybill::detail {

/// The product of two polynomials modulo that of CRC-32C, both with their lowest power in the highest bit.
[[nodiscard]] constexpr std::uint32_t crc32c_product(std::uint32_t a, std::uint32_t b) noexcept {
    std::uint32_t product = 0;
    for (std::uint32_t bit = 1U << 31; bit != 0; bit >>= 1) {
        product ^= (a & bit) != 0 ? b : 0U;
        b = (b >> 1) ^ ((b & 1U) != 0 ? 0x82F63B78U : 0U);
    }
    return product;
}

/// The checksum of two concatenated texts, from theirs: the first one's is shifted by the length of the second, which
/// is a multiplication.
[[nodiscard]] constexpr std::uint32_t crc32c_combined(std::uint32_t first, std::uint32_t second,
                                                      std::uint64_t second_length) noexcept {
    std::uint32_t power = 1U << 23;  // x^8, one byte
    for (; second_length != 0; second_length >>= 1) {
        first = (second_length & 1U) != 0 ? crc32c_product(power, first) : first;
        power = crc32c_product(power, power);
    }
    return first ^ second;
}

/// A checksum as S3 writes it: base64 of four bytes, the highest first. Empty when it is none.
[[nodiscard]] inline std::optional<std::uint32_t> parse_crc32c(std::string_view text) {
    const std::optional<std::string> bytes = from_base64(text);
    if (!bytes || bytes->size() != 4) {
        return std::nullopt;
    }
    std::uint32_t sum = 0;
    for (const char c : *bytes) {
        sum = sum << 8 | static_cast<unsigned char>(c);
    }
    return sum;
}
[[nodiscard]] inline std::string write_crc32c(std::uint32_t sum) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) {
        bytes.push_back(static_cast<char>(sum >> shift));
    }
    return to_base64(bytes);
}

}  // namespace waybill::detail
