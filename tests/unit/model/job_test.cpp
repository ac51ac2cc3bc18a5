// SPDX-License-Identifier: BSL-1.0
#include <waybill/model/job.hpp>
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/put.hpp>

#include "support/catch.hpp"

#include <string>

namespace waybill::test {
namespace {

TEST_CASE("a job begins as a put in the unnamed lane that parks when the answer is lost", "[model][job]") {
    const job j("https://example.com/up");
    CHECK(j.url() == "https://example.com/up");
    CHECK(j.id().empty());
    CHECK(j.protocol() == put().spec());
    CHECK(j.lane().empty());
    CHECK(j.fields().empty());
    CHECK(j.headers().empty());
    CHECK(j.items().empty());
    CHECK(j.if_unknown() == on_unknown::park);
}

TEST_CASE("a job keeps everything it was built with, in order", "[model][job]") {
    job j("https://example.com/posts");
    j.id(job_id("post-7")).via(multipart()).lane("family").if_unknown(on_unknown::retry);
    j.field("caption", "Istanbul").field("caption", "again").field("", "nameless");
    j.header("X-Album", "7").header("X-Album", "8");
    j.file("/photos/a.jpg").range("/photos/film.mov", 100, 50).bytes("note.txt", "hello");

    CHECK(j.id().str() == "post-7");
    CHECK(j.protocol().name == "multipart");
    CHECK(j.lane() == "family");
    CHECK(j.if_unknown() == on_unknown::retry);
    CHECK(j.fields() == detail::string_pairs{{"caption", "Istanbul"}, {"caption", "again"}, {"", "nameless"}});
    CHECK(j.headers() == detail::string_pairs{{"X-Album", "7"}, {"X-Album", "8"}});
    REQUIRE(j.items().size() == 3);
    CHECK(j.items()[0].kind() == source_kind::file);
    CHECK(j.items()[0].path() == "/photos/a.jpg");
    CHECK(j.items()[1].kind() == source_kind::range);
    CHECK(j.items()[1].offset() == 100);
    CHECK(j.items()[1].length() == 50);
    CHECK(j.items()[2].kind() == source_kind::bytes);
    CHECK(j.items()[2].data() == "hello");
    CHECK(j.items()[2].length() == 5);
}

TEST_CASE("a job can be spoken by a protocol of the user's own", "[model][job]") {
    struct carrier_pigeon {
        [[nodiscard]] protocol_spec spec() const { return {"pigeon", {{"altitude", "low"}}}; }
    };
    job j("https://example.com/");
    j.via(carrier_pigeon());
    CHECK(j.protocol().name == "pigeon");
    CHECK(j.protocol().settings == detail::string_pairs{{"altitude", "low"}});
    CHECK_FALSE(protocol_choice<int>);
}

TEST_CASE("an item is named after the last component of its path unless it is given a name", "[model][item]") {
    CHECK(item::file("/photos/a.jpg").name() == "a.jpg");
    CHECK(item::file("a.jpg").name() == "a.jpg");
    CHECK(item::range("dir/b.bin", 0, 1).name() == "b.bin");
    CHECK(item::file("/photos/").name().empty());
    CHECK(item::bytes("note.txt", "x").name() == "note.txt");

    item renamed = item::file("/photos/a.jpg");
    renamed.name("holiday.jpg");
    CHECK(renamed.name() == "holiday.jpg");
    CHECK(renamed.path() == "/photos/a.jpg");
}

TEST_CASE("an item goes into its job's form field as plain bytes unless told otherwise", "[model][item]") {
    item i = item::file("/photos/a.jpg");
    CHECK(i.field().empty());
    CHECK(i.content_type() == "application/octet-stream");
    CHECK(i.length() == 0);
    i.field("photo").content_type("image/jpeg");
    CHECK(i.field() == "photo");
    CHECK(i.content_type() == "image/jpeg");
}

TEST_CASE("bytes may hold anything, also nothing", "[model][item]") {
    const std::string zeros(3, '\0');
    CHECK(item::bytes("z", zeros).data() == zeros);
    CHECK(item::bytes("z", zeros).length() == 3);
    CHECK(item::bytes("empty", "").length() == 0);
}

TEST_CASE("the numbers of policies and kinds are those that stores on disk have", "[model][job]") {
    CHECK(static_cast<int>(on_unknown::park) == 0);
    CHECK(static_cast<int>(on_unknown::retry_same_key) == 1);
    CHECK(static_cast<int>(on_unknown::retry) == 2);
    CHECK(static_cast<int>(source_kind::file) == 0);
    CHECK(static_cast<int>(source_kind::range) == 1);
    CHECK(static_cast<int>(source_kind::bytes) == 2);
}

}  // namespace
}  // namespace waybill::test
