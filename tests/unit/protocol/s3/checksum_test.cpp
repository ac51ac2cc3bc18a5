// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/crc32c.hpp>
#include <waybill/protocol/s3/checksum.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <cstddef>
#include <string>

namespace waybill::test {

using namespace detail;

TEST_CASE("the checksum of a whole is that of its parts, wherever it is cut", "[protocol][s3]") {
    const std::string whole = random_bytes(100'003);
    for (const std::size_t cut : {std::size_t(0), std::size_t(1), std::size_t(7), std::size_t(65'536), whole.size()}) {
        CAPTURE(cut);
        const std::string end = whole.substr(cut);
        CHECK(crc32c_combined(crc32c(0, whole.substr(0, cut)), crc32c(0, end), end.size()) == crc32c(0, whole));
    }
    std::uint32_t sum = 0;
    for (std::size_t at = 0; at < whole.size(); at += 30'001) {
        const std::string part = whole.substr(at, 30'001);
        sum = crc32c_combined(sum, crc32c(0, part), part.size());
    }
    CHECK(sum == crc32c(0, whole));
}

TEST_CASE("a checksum is written as S3 does, and read back", "[protocol][s3]") {
    CHECK(write_crc32c(crc32c(0, "123456789")) == "4waSgw==");  // E3069283, the published check value
    CHECK(parse_crc32c("4waSgw==") == 0xE3069283U);
    CHECK(write_crc32c(crc32c(0, "abc")) == to_base64(digest_of("crc32c", "abc")));
    for (const char* const none : {"", "4waSgw", "4waSgw==-3", "AAAA", "AAAAAAAA", "????"}) {
        CAPTURE(none);
        CHECK_FALSE(parse_crc32c(none));
    }
}

}  // namespace waybill::test
