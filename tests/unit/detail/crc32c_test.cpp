// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/crc32c.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace waybill::test {
namespace {

using detail::crc32c;

// The definition, bit by bit.
std::uint32_t slowly(std::string_view bytes) {
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 1U) != 0 ? (crc >> 1) ^ 0x82F63B78U : crc >> 1;
        }
    }
    return ~crc;
}

TEST_CASE("CRC-32C gives the values that are published", "[detail][crc32c]") {
    CHECK(crc32c(0, "") == 0);
    CHECK(crc32c(0, "123456789") == 0xE3069283U);  // the check value of every catalogue

    // RFC 3720 appendix B.4.
    std::string rising;
    std::string falling;
    for (int i = 0; i < 32; ++i) {
        rising.push_back(static_cast<char>(i));
        falling.push_back(static_cast<char>(31 - i));
    }
    CHECK(crc32c(0, std::string(32, '\0')) == 0x8A9136AAU);
    CHECK(crc32c(0, std::string(32, '\xFF')) == 0x62A8AB43U);
    CHECK(crc32c(0, rising) == 0x46DD794EU);
    CHECK(crc32c(0, falling) == 0x113FDB5CU);
    constexpr unsigned char scsi_read[48] = {0x01, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                             0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
                                             0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
                                             0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
    CHECK(crc32c(0, std::string_view(reinterpret_cast<const char*>(scsi_read), 48)) == 0xD9963A56U);
}

TEST_CASE("CRC-32C is a constant where its input is one", "[detail][crc32c]") {
    static_assert(crc32c(0, "123456789") == 0xE3069283U);
    SUCCEED();
}

TEST_CASE("CRC-32C in steps of eight bytes is what it is bit by bit", "[detail][crc32c]") {
    const std::string bytes = random_bytes(300, 3);
    for (std::size_t length = 0; length <= bytes.size(); ++length) {
        const auto part = std::string_view(bytes).substr(0, length);
        REQUIRE(crc32c(0, part) == slowly(part));
    }
}

TEST_CASE("CRC-32C continues where it stopped", "[detail][crc32c]") {
    const std::string bytes = random_bytes(100, 4);
    const std::uint32_t whole = crc32c(0, bytes);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        const std::string_view all = bytes;
        REQUIRE(crc32c(crc32c(0, all.substr(0, cut)), all.substr(cut)) == whole);
    }
}

TEST_CASE("CRC-32C sees every flipped bit", "[detail][crc32c]") {
    std::string bytes = random_bytes(64, 5);
    const std::uint32_t whole = crc32c(0, bytes);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
        REQUIRE(crc32c(0, bytes) != whole);
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    }
}

}  // namespace
}  // namespace waybill::test
