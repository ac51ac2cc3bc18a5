// SPDX-License-Identifier: BSL-1.0
#include <waybill/http/representation.hpp>
#include <waybill/http/structured_fields.hpp>
#include <waybill/protocol/shared/upload_fields.hpp>
#include <waybill/testing/seeded_random.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

namespace waybill::test {
namespace {

using namespace detail;
using type = field_value::type;

header_list field(std::string name, std::string value) {
    header_list headers;
    headers.push_back({std::move(name), std::move(value)});
    return headers;
}

TEST_CASE("items of all types parse as RFC 9651 wants it", "[protocol][fields]") {
    CHECK(parse_item("42")->number == 42);
    CHECK(parse_item("  -7 ")->number == -7);
    CHECK(parse_item("999999999999999")->number == 999'999'999'999'999);
    CHECK(parse_item("1.5")->kind == type::decimal);
    CHECK(parse_item("\"a \\\"b\\\" \\\\\"")->text == "a \"b\" \\");
    CHECK(parse_item(":aGVsbG8=:")->text == "hello");
    CHECK(parse_item("?1")->number == 1);
    CHECK(parse_item("*to/ken:x")->kind == type::token);
    CHECK(parse_item("5;a;b=\"x\";c=?0")->number == 5);
}

TEST_CASE("what is no item is nothing at all", "[protocol][fields]") {
    for (const char* const bad : {"",
                                  " ",
                                  "-",
                                  "1000000000000000",
                                  "1.",
                                  "1.2345",
                                  "1234567890123.1",
                                  "\"",
                                  "\"a",
                                  "\"\\n\"",
                                  "\"\x01\"",
                                  "\"\xC3\xBC\"",
                                  ":a",
                                  ":a:",
                                  ":!!!!:",
                                  "?",
                                  "?2",
                                  "?true",
                                  "true,",
                                  "1 2",
                                  "1,2",
                                  "1;",
                                  "1;A",
                                  "1;a=",
                                  "+1",
                                  "(1 2)",
                                  "1\t2",
                                  "@5"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_item(bad));
    }
    CHECK_FALSE(parse_item(std::string(most_field_bytes + 1, 'a')));
}

TEST_CASE("dictionaries parse and the last of a repeated key counts", "[protocol][fields]") {
    const auto found = parse_dictionary("a=1 , b;x=2,\tc=(1 \"two\");q, a=3, *d.e_f-g=:AA==:");
    REQUIRE(found);
    REQUIRE(found->size() == 4);
    CHECK((*found)[0].first == "b");
    CHECK((*found)[0].second.number == 1);
    CHECK((*found)[1].second.kind == type::inner_list);
    CHECK((*found)[2].first == "a");
    CHECK((*found)[2].second.number == 3);
    CHECK((*found)[3].first == "*d.e_f-g");
    CHECK(parse_dictionary("")->empty());
    for (const char* const bad :
         {",", "a,", "a,,b", "A=1", "a=", "a=1 b=2", "a=(1", "a=(1,2)", "a=1;", "=1", "a=\"", "1=2"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_dictionary(bad));
    }
}

TEST_CASE("upload fields with other values than the draft allows are ignored", "[protocol][fields]") {
    CHECK(size_field(field("Upload-Offset", "100"), "upload-offset") == 100U);
    for (const char* const bad : {"-1", "1.0", "\"1\"", "?1", "1, 2", "99999999999999999999", "", "0x10"}) {
        CAPTURE(bad);
        CHECK_FALSE(size_field(field("Upload-Offset", bad), "Upload-Offset"));
    }
    header_list twice = field("Upload-Offset", "1");
    twice.push_back({"Upload-Offset", "1"});
    CHECK_FALSE(size_field(twice, "Upload-Offset"));
    CHECK(boolean_field(field("Upload-Complete", "?0"), "Upload-Complete") == false);
    for (const char* const bad : {"true", "1", "?2", "?1?1", "? 1"}) {
        CAPTURE(bad);
        CHECK_FALSE(boolean_field(field("Upload-Complete", bad), "Upload-Complete"));
    }
}

TEST_CASE("limits may come in several lines, and one wrong member voids them all", "[protocol][fields]") {
    header_list headers = field("Upload-Limit", "max-size=1000, unknown=\"x\", max-age=60");
    headers.push_back({"upload-limit", "min-append-size=5, max-append-size=10"});
    const auto limits = parse_upload_limit(headers);
    REQUIRE(limits);
    CHECK(limits->max_size == 1000U);
    CHECK(limits->max_age == 60U);
    CHECK(limits->min_append_size == 5U);
    CHECK(limits->max_append_size == 10U);
    CHECK(parse_upload_limit(field("Upload-Limit", "min-size=7"))->min_size == 7U);
    CHECK_FALSE(parse_upload_limit({}));
    for (const char* const bad : {"max-size=-1", "max-size=1.5", "max-size", "max-size=\"5\"", "max-size=(5)",
                                  "max-size=5,", "max-age=5, max-size=?1", "min-size=x"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_upload_limit(field("Upload-Limit", bad)));
    }
}

TEST_CASE("a problem is known by its type, in JSON problem details only", "[protocol][fields]") {
    response answer;
    answer.body = R"({"type":"https://iana.org/assignments/http-problem-types#mismatching-upload-offset"})";
    CHECK(parse_upload_problem(answer) == upload_problem::none);
    answer.headers = field("Content-Type", "application/problem+json; charset=utf-8");
    CHECK(parse_upload_problem(answer) == upload_problem::mismatching_offset);
    answer.body = R"({"type":"https://iana.org/assignments/http-problem-types#inconsistent-upload-length"})";
    CHECK(parse_upload_problem(answer) == upload_problem::inconsistent_length);
    answer.body = R"({"type":"https://iana.org/assignments/http-problem-types#completed-upload"})";
    CHECK(parse_upload_problem(answer) == upload_problem::completed);
    answer.body = R"({"type":"https://iana.org/assignments/http-problem-types#completed-uploads"})";
    CHECK(parse_upload_problem(answer) == upload_problem::none);
}

TEST_CASE("a digest is read by its algorithm", "[protocol][fields]") {
    const header_list headers = field("Repr-Digest", "md5=:AAAA:, sha-256=:aGVsbG8=:, crc32c=5");
    CHECK(parse_repr_digest(headers, "sha-256") == "hello");
    CHECK_FALSE(parse_repr_digest(headers, "crc32c"));
    CHECK_FALSE(parse_repr_digest(headers, "sha-512"));
}

TEST_CASE("garbage never parses into more than its bytes and never ends badly", "[protocol][fields]") {
    testing::seeded_random random(7);
    const std::string alphabet = "a=1?;:,\"()\\ \t-.*%AZ09\x01\xFF";
    for (int i = 0; i < 50'000; ++i) {
        std::string text;
        for (std::uint64_t n = random.below(24); n > 0; --n) {
            text.push_back(alphabet[static_cast<std::size_t>(random.below(alphabet.size()))]);
        }
        const auto item = parse_item(text);
        const auto members = parse_dictionary(text);
        REQUIRE((!item || item->text.size() <= text.size()));
        REQUIRE((!members || members->size() <= text.size()));
    }
}

}  // namespace
}  // namespace waybill::test
