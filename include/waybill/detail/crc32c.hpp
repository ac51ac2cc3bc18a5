// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace waybill::detail {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes a step. It guards stored rows:
// SQLite's integrity_check does not see a flipped bit inside a value.
struct crc32c_tables {
    std::array<std::array<std::uint32_t, 256>, 8> table{};

    constexpr crc32c_tables() {
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t crc = i;
            for (int bit = 0; bit < 8; ++bit) {
                crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
            }
            table[0][i] = crc;
        }
        for (std::size_t k = 1; k < 8; ++k) {
            for (std::size_t i = 0; i < 256; ++i) {
                const std::uint32_t below = table[k - 1][i];
                table[k][i] = (below >> 8) ^ table[0][below & 0xFFU];
            }
        }
    }
};

inline constexpr crc32c_tables crc32c_table;

/// Continues `crc` (0 to begin) over `bytes`.
[[nodiscard]] constexpr std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes) noexcept {
    const auto& t = crc32c_table.table;
    const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
    crc = ~crc;
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        const std::uint32_t low = crc ^ (at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24);
        crc = t[7][low & 0xFFU] ^ t[6][(low >> 8) & 0xFFU] ^ t[5][(low >> 16) & 0xFFU] ^ t[4][low >> 24] ^
              t[3][at(i + 4)] ^ t[2][at(i + 5)] ^ t[1][at(i + 6)] ^ t[0][at(i + 7)];
    }
    for (; i < bytes.size(); ++i) {
        crc = (crc >> 8) ^ t[0][(crc ^ at(i)) & 0xFFU];
    }
    return ~crc;
}

}  // namespace waybill::detail
