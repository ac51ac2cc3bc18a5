// SPDX-License-Identifier: BSL-1.0

#include <waybill/store/detail/record_format.hpp>

#include "support/catch.hpp"

#include <string>

using namespace waybill;
using namespace waybill::detail;

namespace {

std::string fields(std::initializer_list<std::pair<std::uint64_t, std::string>> list) {
    encoder out;
    for (const auto& [tag, value] : list) {
        out.number(tag).text(value);
    }
    return std::move(out).take();
}

}  // namespace

TEST_CASE("a field that has its default takes no space and changes no checksum", "[store][format]") {
    CHECK(extra_of(job_spec()).empty());
    CHECK(extra_of(job_state()).empty());
    CHECK(extra_of(item_spec()).empty());
    CHECK(extra_of(item_state()).empty());
    CHECK(extra_of(checkpoint()).empty());
    // No version may change these numbers: they are in the stores that are out there.
    job_spec spec;
    spec.id = job_id("one");
    CHECK(checksum(spec) == 0xC296E9BCU);
    CHECK(checksum(static_cast<job_seq>(1), job_state()) == 0x19027C8DU);
    CHECK(checksum(static_cast<job_seq>(1), 0, item_spec()) == 0x226C62B7U);
    CHECK(checksum(static_cast<job_seq>(1), 0, item_state()) == 0x7D631999U);
    CHECK(checksum(static_cast<job_seq>(1), checkpoint()) == 0x289CAF1BU);
}

TEST_CASE("known fields come back as they were", "[store][format]") {
    job_state before;
    before.wait = std::chrono::milliseconds(7);
    before.troubles = 3;
    job_state after;
    REQUIRE(read_extra(extra_of(before), after));
    CHECK(after.wait == before.wait);
    CHECK(after.troubles == before.troubles);
    CHECK(after.unknown.empty());

    checkpoint doubted;
    doubted.doubted = true;
    checkpoint again;
    REQUIRE(read_extra(extra_of(doubted), again));
    CHECK(again.doubted);
}

TEST_CASE("fields of a newer version are kept, count in the checksum and are written back", "[store][format]") {
    const std::string newer = fields({{90, "priority"}, {91, std::string("\0\xFF", 2)}});
    job_state state;
    state.wait = std::chrono::milliseconds(5);
    const std::uint32_t without = checksum(static_cast<job_seq>(1), state);
    state.unknown = newer;
    CHECK(checksum(static_cast<job_seq>(1), state) != without);
    job_state read;
    REQUIRE(read_extra(extra_of(state), read));
    CHECK(read.unknown == newer);
    CHECK(read.wait == state.wait);
    read.troubles = 2;  // it goes on living
    job_state again;
    REQUIRE(read_extra(extra_of(read), again));
    CHECK(again.unknown == newer);
    CHECK(again.troubles == 2);

    const auto comes_back = [&](auto record) {
        record.unknown = newer;
        decltype(record) kept;
        CHECK(read_extra(extra_of(record), kept));
        CHECK(kept.unknown == newer);
    };
    comes_back(job_spec());
    comes_back(item_spec());
    comes_back(item_state());
    comes_back(checkpoint());
}

// A version that knows 1, 2 and 3 writes them in this order; one that knows only 1 and 3 must find the same bytes.
TEST_CASE("a field that is not known is written back in its place among those that are", "[store][format]") {
    const std::string whole = fields({{1, "\x05"}, {2, "\x06"}, {3, "\x07"}, {9, "later"}});
    std::string unknown;
    REQUIRE(read_extension(whole, unknown, [](std::uint64_t tag, const std::string&) { return tag == 1 || tag == 3; }));
    CHECK(unknown == fields({{2, "\x06"}, {9, "later"}}));
    extension_writer again;
    again.number(1, 5).number(3, 7);
    CHECK(std::move(again).take(unknown) == whole);
}

TEST_CASE("an extension that no version writes is damaged", "[store][format]") {
    std::string unknown;
    const auto knows_none = [](std::uint64_t, const std::string&) { return false; };
    CHECK_FALSE(read_extension(fields({{2, "b"}, {1, "a"}}), unknown, knows_none));
    CHECK_FALSE(read_extension(fields({{1, "a"}, {1, "b"}}), unknown, knows_none));
    CHECK_FALSE(
        read_extension("\x01\x05"
                       "ab",
                       unknown, knows_none));
    CHECK_FALSE(read_extension("\x01", unknown, knows_none));
    job_state state;
    CHECK_FALSE(read_extra(fields({{1, ""}}), state));                       // no number
    CHECK_FALSE(read_extra(fields({{1, std::string("\x05\x05")}}), state));  // more than one
    job_spec spec;
    CHECK_FALSE(read_extra(fields({{1, "\x09"}}), spec));  // no such policy
}
