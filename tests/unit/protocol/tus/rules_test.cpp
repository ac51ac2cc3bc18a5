// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/tus.hpp>
#include <waybill/protocol/tus/rules.hpp>
#include <waybill/testing/seeded_random.hpp>

#include "support/catch.hpp"
#include "support/run.hpp"

#include <string>
#include <vector>

// tus without the network: what is sent, and what is made of what a server says.
namespace waybill::test {
namespace {

using namespace detail;
using strings = std::vector<std::string>;

response answer(header_list headers, int status = 201) {
    response r;
    r.status = status;
    r.headers = std::move(headers);
    r.may_have_left = true;
    r.has_left = true;
    return r;
}

std::error_code location_error(const std::string& location) {
    return error_of([&] {
        static_cast<void>(tus_location(answer({{"Location", location}}), "https://h.test/files", 0));
    });
}

TEST_CASE("a Location that cannot be used is refused with its true cause", "[protocol][tus]") {
    const auto refusal = [](header_list headers) {
        try {
            static_cast<void>(tus_location(answer(std::move(headers)), "https://h.test/files", 0));
        } catch (const failure& f) {
            return f.details().detail;
        }
        return std::string();
    };
    CHECK(refusal({}) == "no Location of the new upload");
    CHECK(refusal({{"Location", "/a"}, {"location", "/b"}}) == "several Locations of the new upload");
    CHECK(refusal({{"Location", "/" + std::string(4999, 'a')}}) ==
          "the new upload's Location has 5000 bytes: at most 4096 are kept");
    CHECK(refusal({{"Location", "/" + std::string(4095, 'a')}}).empty());
}

TEST_CASE("tus refuses settings it does not know and values out of range", "[protocol][tus]") {
    const tus_settings s = parse_tus_settings(tus{}.chunk_size(5).parallel(64).checksum("md5").digest("crc32c").spec());
    CHECK(s.chunk_size == 5);
    CHECK(s.parallel == 64);
    CHECK(s.checksum == "md5");
    CHECK(s.digest == "crc32c");
    for (const auto& [name, value] : string_pairs{{"chunk-size", "-1"},
                                                  {"chunk-size", "1k"},
                                                  {"chunk-size", "18446744073709551616"},
                                                  {"parallel", "0"},
                                                  {"parallel", "65"},
                                                  {"checksum", "crc32"},
                                                  {"digest", "md5"},
                                                  {"defer-length", "0"},
                                                  {"unknown", "1"}}) {
        CAPTURE(name, value);
        const protocol_spec spec{"tus", {{name, value}}};
        CHECK(error_of([&] { static_cast<void>(parse_tus_settings(spec)); }) == errc::invalid_setting);
    }
}

TEST_CASE("chunks are limited where a lost one would cost its checksum or digest again", "[protocol][tus]") {
    CHECK(parse_tus_settings(tus{}.spec()).chunk_size == 0);
    CHECK(parse_tus_settings(tus{}.checksum("any").spec()).chunk_size == 16 << 20);
    CHECK(parse_tus_settings(tus{}.digest("sha-256").spec()).chunk_size == 16 << 20);
    CHECK(parse_tus_settings(tus{}.digest("sha-256").chunk_size(7).spec()).chunk_size == 7);
}

TEST_CASE("an upload's URL is a setting like others: it must be one", "[protocol][tus]") {
    CHECK(parse_tus_settings(tus{}.upload_url("https://h.test/files/1").spec()).upload_url == "https://h.test/files/1");
    for (const char* const bad :
         {"", "files/1", "ftp://h.test/1", "https://user:secret@h.test/1", "https://h.test/ 1"}) {
        CAPTURE(bad);
        CHECK(error_of([&] { static_cast<void>(parse_tus_settings(tus{}.upload_url(bad).spec())); }));
    }
}

TEST_CASE("metadata is keys and padded base64, the app's own before the name and type", "[protocol][tus]") {
    CHECK(tus_metadata({}, "a", "b") == "filename YQ==,filetype Yg==");
    CHECK(tus_metadata({{"empty", ""}}, "a", "") == "empty,filename YQ==,filetype");
    CHECK(tus_metadata({{"filename", "other"}}, "a", "b") == "filename b3RoZXI=,filetype Yg==");
    CHECK(tus_metadata({}, "\xC4\xB0\r\n,", "b") == "filename xLANCiw=,filetype Yg==");
    for (const char* const key : {"a", "a-b_c", "~", "!#$%&'*+"}) {
        CHECK(is_tus_key(key));
    }
    for (const char* const key : {"", "a b", "a,b", "a\tb", "a\r\nb", "\xC3\xA9", "\x7F"}) {
        CAPTURE(key);
        CHECK_FALSE(is_tus_key(key));
    }
}

TEST_CASE("what a server offers is read whatever the spaces, and never without end", "[protocol][tus]") {
    CHECK(list_members("a,b , c,,\td ,") == strings{"a", "b", "c", "d"});
    CHECK(list_members("").empty());
    CHECK(list_members(", ,\t,").empty());
    CHECK(list_members(std::string(100'000, 'x')).at(0).size() == 4096);
    CHECK(list_members(std::string(100'000, ',')).empty());
    const tus_offer offer = parse_tus_offer(answer(
        {{"Tus-Extension", "creation, checksum"}, {"Tus-Checksum-Algorithm", "md5,sha1"}, {"Tus-Max-Size", "7"}}));
    CHECK(offer.has("checksum"));
    CHECK_FALSE(offer.has("check"));
    CHECK(offer.most == 7U);
    for (const char* const bad : {"", "-7", "7.0", "seven", "18446744073709551616"}) {
        CHECK_FALSE(parse_tus_offer(answer({{"Tus-Max-Size", bad}})).most);
    }
}

TEST_CASE("the best checksum that is wanted and offered is used", "[protocol][tus]") {
    tus_offer offer;
    offer.checksums = {"md5", "sha1", "sha256", "crc32"};
    CHECK(offer.checksum_for("any").empty());  // the algorithms alone are no offer
    offer.extensions = {"checksum"};
    CHECK(offer.checksum_for("any") == "sha256");
    CHECK(offer.checksum_for("md5") == "md5");
    CHECK(offer.checksum_for("crc32").empty());
    offer.checksums = {"sha1", "md5"};
    CHECK(offer.checksum_for("any") == "sha1");
    CHECK(offer.checksum_for("sha256").empty());
    CHECK(digest_for_tus("sha1") == "sha-1");
    CHECK(digest_for_tus("SHA1").empty());
    CHECK(to_base64(digest_of("sha-1", "hello world")) == "Kq5sNclPz7QV2+lfQIuc6R7oRu0=");  // the specification's
}

TEST_CASE("an expiry is as far off as the server's own clock says", "[protocol][tus]") {
    const std::string noon = "Wed, 25 Jun 2014 12:00:00 GMT";
    const std::string later = "Wed, 25 Jun 2014 16:00:00 GMT";
    const std::string before = "Wed, 25 Jun 2014 11:00:00 GMT";
    CHECK(tus_expiry(answer({{"Upload-Expires", later}, {"Date", noon}}), 1000) == 1000 + 4 * 3600);
    CHECK(tus_expiry(answer({{"Upload-Expires", before}, {"Date", noon}}), 10'000) == 10'000 - 3600);
    CHECK(tus_expiry(answer({{"Upload-Expires", later}}), 1403697600) == 1403697600 + 4 * 3600);
    CHECK(tus_expiry(answer({}), 1000) == 0);
    CHECK(tus_expiry(answer({{"Upload-Expires", "tomorrow, or so"}}), 1000) == 0);
    CHECK(tus_expiry(answer({{"Upload-Expires", std::string(100'000, '1')}}), 1000) == 0);
}

TEST_CASE("a Location is resolved, and leads to no other origin", "[protocol][tus]") {
    const auto place = [](const std::string& location) {
        return tus_location(answer({{"Location", location}}), "https://h.test/files?x=1", 0);
    };
    CHECK(place("/files/1") == "https://h.test/files/1");
    CHECK(place("1") == "https://h.test/1");
    CHECK(place("//h.test/2") == "https://h.test/2");
    CHECK(place("https://h.test:443/files/1").starts_with("https://h.test"));
    CHECK(place("https://H.TEST/files/1?a=b") == "https://H.TEST/files/1?a=b");
    for (const std::string bad : {"", "http://h.test/files/1", "https://evil.test/1", "//evil.test/1",
                                  "https://h.test:8443/1", "https://h.test@evil.test/1", "javascript:alert(1)",
                                  "file:///etc/passwd", "https://user@h.test/1", "/a b", "/a#b", "\\\\evil.test\\1"}) {
        CAPTURE(bad);
        const std::error_code ec = location_error(bad);
        // A backslash is a character of a path here: what matters is that it leads nowhere else.
        CHECK((ec == errc::invalid_response || (!ec && url(place(bad)).origin() == "https://h.test:443")));
    }
    CHECK(location_error(std::string(5000, 'a')) == errc::invalid_response);
    CHECK(error_of([] { static_cast<void>(tus_location(answer({}), "https://h.test/files", 0)); }) ==
          errc::invalid_response);
}

TEST_CASE("an item is cut into parts that cover it", "[protocol][tus]") {
    for (const std::uint64_t size : {0ULL, 1ULL, (1ULL << 20) - 1, 3ULL << 20, (7ULL << 30) + 5}) {
        for (const std::uint64_t wanted : {1ULL, 3ULL, 64ULL}) {
            CAPTURE(size, wanted);
            tus_state s;
            s.parts = cut_into_parts(size, wanted);
            CHECK(covers(s, size));
            CHECK_FALSE(covers(s, size + 1));
            CHECK(s.parts.size() <= wanted);
            for (const tus_part& p : s.parts) {
                CHECK((s.parts.size() == 1 || p.length >= 1 << 20));
            }
        }
    }
}

TEST_CASE("parts that overlap, leave a gap or overflow do not cover an item", "[protocol][tus]") {
    tus_state s;
    CHECK_FALSE(covers(s, 0));
    s.parts = cut_into_parts(4 << 20, 2);
    s.parts[1].begin += 1;
    CHECK_FALSE(covers(s, 4 << 20));
    s.parts = cut_into_parts(4 << 20, 2);
    s.parts[0].length = UINT64_MAX;
    CHECK_FALSE(covers(s, 4 << 20));
}

TEST_CASE("a state is what it was after it was stored, and garbage is no state", "[protocol][tus]") {
    tus_state s;
    s.delivered = true;
    s.chunk = 65536;
    s.restarts = 3;
    s.last.refused = 500;
    s.checksum = "sha1";
    s.final_url = "https://h.test/final";
    s.digest_points = std::string("\0\xFF", 2);
    s.parts = cut_into_parts(5 << 20, 3);
    s.parts[1].url = "https://h.test/2";
    s.parts[1].offset = 17;
    s.parts[2].expires = 1'700'000'000;
    s.parts[0].expires = -5;  // long past when it was told
    const std::string stored = encode_tus_state(s);
    const auto read = decode_tus_state(stored);
    REQUIRE(read);
    CHECK(encode_tus_state(*read) == stored);
    CHECK(read->delivered);
    CHECK(read->confirmed() == 17);
    CHECK(read->parts[1].url == "https://h.test/2");
    CHECK(read->parts[2].expires == 1'700'000'000);
    CHECK_FALSE(decode_tus_state(""));
    CHECK_FALSE(decode_tus_state(stored + "x"));
    for (std::size_t i = 0; i < stored.size(); ++i) {
        CHECK_FALSE(decode_tus_state(stored.substr(0, i)));
    }
    waybill::testing::seeded_random random(7);
    for (int i = 0; i < 20'000; ++i) {
        std::string damaged = stored;
        damaged[random.below(damaged.size())] = static_cast<char>(random.next());
        if (const auto taken = decode_tus_state(damaged)) {
            for (const tus_part& p : taken->parts) {  // whatever it says, it is within bounds
                CHECK(p.offset <= p.length);
            }
        }
    }
}

}  // namespace
}  // namespace waybill::test
