// SPDX-License-Identifier: BSL-1.0
//
// What checkpoints hold, byte for byte: every version that was released is decoded for ever. A new version adds a test
// here, and changes none.

#include <waybill/detail/digest.hpp>
#include <waybill/protocol/resumable/upload.hpp>
#include <waybill/protocol/s3/plan.hpp>
#include <waybill/protocol/tus/rules.hpp>

#include "support/catch.hpp"

#include <string>
#include <string_view>

using namespace waybill;
using namespace waybill::detail;

namespace {

std::string from_hex(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        bytes.push_back(static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}

}  // namespace

TEST_CASE("version 1 of what a checkpoint holds of tus is decoded for ever", "[protocol][tus]") {
    const std::string stored = "0100e80702d20f04736861310166016d02017500ac02c801070100ac0264000000";
    const auto s = decode_tus_state(from_hex(stored));
    REQUIRE(s);
    CHECK_FALSE(s->delivered);
    CHECK(s->chunk == 1000);
    CHECK(s->restarts == 2);
    CHECK(s->last.refused == 500);
    CHECK(s->last.unacknowledged);
    CHECK(s->checksum == "sha1");
    CHECK(s->final_url == "f");
    CHECK(s->digest_points == "m");
    REQUIRE(s->parts.size() == 2);
    CHECK(s->parts[0].url == "u");
    CHECK(s->parts[0].length == 300);
    CHECK(s->parts[0].offset == 200);
    CHECK(s->parts[0].expires == 7);
    CHECK(s->parts[0].sent_bound == 0U);
    CHECK(s->parts[1].begin == 300);
    CHECK_FALSE(s->parts[1].sent_bound);
    CHECK(to_hex(encode_tus_state(*s)) == stored);
}

TEST_CASE("version 1 of what a checkpoint holds of a resumable upload is decoded for ever", "[protocol][resumable]") {
    const std::string stored = "0108ac02e807c901d10f0162077368612d323536016d";
    const auto s = resumable_state::decode(from_hex(stored));
    REQUIRE(s);
    CHECK(s->interop == 8);
    CHECK(s->length == 300);
    CHECK(s->most_append == 1000);
    CHECK(s->sent_bound == 200U);
    CHECK(s->last.refused == 500);
    CHECK(s->last.reported);
    CHECK(s->boundary == "b");
    CHECK(s->algorithm == "sha-256");
    CHECK(s->digest_points == "m");
    CHECK(to_hex(s->encode()) == stored);
}

TEST_CASE("version 1 of what a checkpoint holds of an object is decoded for ever", "[protocol][s3]") {
    const std::string stored = "010001e80702017406637263333263080102030400000000";
    const auto s = decode_s3_state(from_hex(stored));
    REQUIRE(s);
    CHECK_FALSE(s->delivered);
    CHECK(s->doubtful);
    CHECK(s->part_size == 1000);
    CHECK(s->restarts == 2);
    CHECK(s->token == "t");
    CHECK(s->checksum == "crc32c");
    CHECK(s->parts == std::vector<std::uint32_t>{0x04030201U, 0U});
    CHECK(to_hex(encode_s3_state(*s)) == stored);
}

TEST_CASE("what a newer version holds in a checkpoint is not decoded", "[protocol]") {
    tus_state tus;
    std::string newer = encode_tus_state(tus);
    newer[0] = 2;
    CHECK_FALSE(decode_tus_state(newer));
    newer = encode_s3_state({});
    newer[0] = 2;
    CHECK_FALSE(decode_s3_state(newer));
    newer = resumable_state().encode();
    newer[0] = 2;
    CHECK_FALSE(resumable_state::decode(newer));
    CHECK_FALSE(decode_tus_state(""));
    CHECK_FALSE(decode_s3_state(""));
    CHECK_FALSE(resumable_state::decode(""));
}
