// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/s3/plan.hpp>

#include "support/catch.hpp"

#include <string>

namespace waybill::detail {
namespace {

constexpr unsigned long long mib = 1 << 20;

s3_state state_of(std::uint64_t size, std::uint64_t part_size) {
    s3_state s;
    s.part_size = part_size;
    s.token = "token";
    s.parts.assign(s3_part_count(size, part_size), 0);
    return s;
}

}  // namespace

TEST_CASE("an object is cut into parts of 8 MiB, or of what is wished for", "[s3]") {
    CHECK(s3_part_size(1, 0) == 8 * mib);
    CHECK(s3_part_size(1, 5 * mib) == 5 * mib);
    CHECK(s3_part_count(1, 8 * mib) == 1);
    CHECK(s3_part_count(8 * mib, 8 * mib) == 1);
    CHECK(s3_part_count(8 * mib + 1, 8 * mib) == 2);
}

TEST_CASE("no object has more than 10,000 parts, and none of its parts is above 5 GiB", "[s3]") {
    const std::uint64_t size =
        GENERATE(1ULL, 50'000 * mib, 80'000 * mib, 80'000 * mib + 1, 5ULL << 40, 48ULL << 40);  // the last is 48 TiB
    const std::uint64_t wished = GENERATE(0ULL, 5 * mib, 16 * mib);
    CAPTURE(size, wished);
    const std::uint64_t part = s3_part_size(size, wished);
    CHECK(s3_part_count(size, part) <= most_s3_parts);
    CHECK(part >= least_s3_part);
    CHECK(part <= most_s3_part);
    CHECK(part >= wished);
    CHECK((part == (wished == 0 ? usual_s3_part : wished) || part % mib == 0));
}

TEST_CASE("the parts of an object above 4 GiB add up to it", "[s3]") {
    const std::uint64_t size = (4ULL << 30) + 1;
    s3_state s = state_of(size, 8 * mib);
    REQUIRE(s.parts.size() == 513);
    CHECK(s.length(0, size) == 8 * mib);
    CHECK(s.length(512, size) == 1);
    CHECK(s.confirmed(size) == 0);
    s.parts.assign(s.parts.size(), 1);
    CHECK(s.confirmed(size) == size);
    s.parts[512] = 0;
    CHECK(s.confirmed(size) == size - 1);
}

TEST_CASE("what a checkpoint holds of an object comes back as it was", "[s3]") {
    const std::uint64_t size = 20 * mib;
    s3_state s = state_of(size, 8 * mib);
    s.parts[1] = fingerprint("\"etag\"");
    s.restarts = 3;
    s.checksum = "crc32c";
    s.delivered = true;
    s.doubtful = true;
    const auto back = decode_s3_state(encode_s3_state(s));
    REQUIRE(back);
    CHECK(back->parts == s.parts);
    CHECK(back->part_size == s.part_size);
    CHECK(back->restarts == 3);
    CHECK(back->token == "token");
    CHECK(back->checksum == "crc32c");
    CHECK(back->delivered);
    CHECK(back->doubtful);
    CHECK(covers(*back, size));
    CHECK_FALSE(covers(*back, size + 8 * mib));
    CHECK_FALSE(covers(s3_state(), size));
}

TEST_CASE("a checkpoint of 10,000 parts stays small", "[s3]") {
    s3_state s = state_of(10'000 * 8 * mib, 8 * mib);
    s.parts.assign(s.parts.size(), 0xFFFFFFFFU);
    CHECK(encode_s3_state(s).size() < 41'000);
}

TEST_CASE("a damaged checkpoint of an object is none", "[s3]") {
    const std::string good = encode_s3_state(state_of(20 * mib, 8 * mib));
    for (std::size_t length = 0; length < good.size(); ++length) {
        CAPTURE(length);
        CHECK_FALSE(decode_s3_state(std::string_view(good).substr(0, length)));
    }
    CHECK_FALSE(decode_s3_state(good + "x"));
}

TEST_CASE("an ETag's fingerprint is never that of a missing part", "[s3]") {
    CHECK(fingerprint("") != 0);
    CHECK(fingerprint("\"a\"") != fingerprint("\"b\""));
}

}  // namespace waybill::detail
