// SPDX-License-Identifier: BSL-1.0
#include <waybill/model/job.hpp>
#include <waybill/protocol/put.hpp>
#include <waybill/protocol/put/protocol.hpp>

#include "support/catch.hpp"
#include "support/run.hpp"
#include "unit/protocol/fake_session.hpp"

#include <asio/io_context.hpp>

#include <optional>
#include <string>

namespace waybill::test {
namespace {

using detail::put_protocol;

std::error_code check(const job& j) {
    return error_of([&] { put_protocol(put().spec()).check(j); });
}

void upload(fake_session& session, const put& how = put()) {
    asio::io_context context;
    put_protocol speaks(how.spec());
    run<void>(context, [&] { return speaks.upload(session); });
}

TEST_CASE("put takes the number of items at once, a digest, and no other setting", "[protocol][put]") {
    CHECK(put().spec().name == "put");
    CHECK(put().spec().settings.empty());
    CHECK(error_of([] { put_protocol(protocol_spec{"put", {{"part_size", "5"}}}); }) == errc::invalid_setting);
    CHECK(error_of([] { put_protocol(put().parallel(0).spec()); }) == errc::invalid_setting);
    CHECK(error_of([] { put_protocol(put().parallel(65).spec()); }) == errc::invalid_setting);
    CHECK(error_of([] { put_protocol(put().digest("md5").spec()); }) == errc::invalid_setting);
    CHECK_FALSE(error_of([] { put_protocol(put().parallel(64).spec()); }));
    CHECK_FALSE(put_protocol(put().spec()).finalizes());
}

TEST_CASE("put speaks PUT, POST and PATCH, and only PUTs at once", "[protocol][put]") {
    CHECK(put().method("PUT").spec().settings.empty());
    CHECK(put().method("POST").spec().settings == detail::string_pairs{{"method", "POST"}});
    CHECK_FALSE(error_of([] { put_protocol(put().method("POST").spec()); }));
    CHECK_FALSE(error_of([] { put_protocol(put().method("PATCH").digest("sha-256").spec()); }));
    for (const char* const method : {"", "post", "GET", "DELETE", "PUT\r\nX: y"}) {
        CHECK(error_of([&] { put_protocol(put().method(method).spec()); }) == errc::invalid_setting);
    }
    CHECK(error_of([] { put_protocol(put().method("POST").parallel(2).spec()); }) == errc::invalid_setting);
    CHECK(error_of([] { put_protocol(put().parallel(2).method("PATCH").spec()); }) == errc::invalid_setting);
}

TEST_CASE("posts may all go to one URL, and to one of their own where it has a place for the name", "[protocol][put]") {
    const auto check_post = [](const job& j) {
        return error_of([&] { put_protocol(put().method("POST").spec()).check(j); });
    };
    CHECK_FALSE(check_post(job("https://h/in").bytes("a", "1").bytes("b", "2")));
    CHECK_FALSE(check_post(job("https://h/in/").bytes("a", "1").bytes("a", "2")));
    CHECK(check_post(job("https://h/{name}").bytes("a", "1").bytes("a", "2")) == errc::duplicate_name);
    CHECK(check_post(job("https://h/in").bytes("a", "1").field("caption", "x")) == errc::invalid_field);
}

TEST_CASE("put sends an item's bytes as the body of a POST, which is not to be repeated blindly", "[protocol][put]") {
    fake_session session("https://h/in/");
    session.with("a b.json", "{}", "application/json").with("c", "2").answers(201, {{"ETag", "\"1\""}}, "made\n7");
    session.answers(204, {{"ETag", "\"2\""}});
    upload(session, put().method("POST"));
    REQUIRE(session.sent.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(session.sent[i].method == "POST");
        CHECK(session.sent[i].url == "https://h/in/");
        CHECK_FALSE(session.sent[i].idempotent);
        CHECK(session.sent[i].about == i);
        CHECK(session.records[i].state.status == item_status::completed);
    }
    CHECK(session.sent[0].body == "{}");
    CHECK(header_of(session.sent[0], "Content-Type") == "application/json");
    CHECK(header_of(session.sent[0], "Content-Disposition") ==
          "inline; filename=\"a b.json\"; filename*=UTF-8''a%20b.json");
    CHECK(session.records[0].state.receipt == "made 7");
    CHECK(session.records[1].state.receipt == "\"2\"");
}

TEST_CASE("a PATCH goes where a PUT would", "[protocol][put]") {
    fake_session session("https://h/up/");
    session.with("a", "1").answers(200);
    upload(session, put().method("PATCH"));
    CHECK(session.sent.at(0).method == "PATCH");
    CHECK(session.sent.at(0).url == "https://h/up/a");
    CHECK_FALSE(session.sent.at(0).idempotent);
}

TEST_CASE("an ambiguous answer to a POST is a doubt about its item", "[protocol][put]") {
    fake_session session("https://h/in");
    session.with("a", "1").with("b", "2").answers(200).answers(502);
    try {
        upload(session, put().method("POST"));
        FAIL("a doubt was accepted");
    } catch (const failure& f) {
        CHECK(f.what_to_do() == disposition::ambiguous);
        CHECK(f.item() == 1);
    }
}

TEST_CASE("put refuses jobs that have no one target for each item", "[protocol][put]") {
    CHECK_FALSE(check(job("https://h/a.jpg").bytes("a", "1")));
    CHECK_FALSE(check(job("https://h/up/").bytes("a", "1").bytes("b", "2")));
    CHECK_FALSE(check(job("https://h/up/?sig=1").bytes("a", "1").bytes("b", "2")));
    CHECK_FALSE(check(job("https://h/{name}/raw").bytes("a", "1").bytes("b", "2")));
    CHECK(check(job("https://h/a.jpg").bytes("a", "1").bytes("b", "2")) == errc::invalid_url);
    CHECK_FALSE(check(job("https://h/up?name={name}").bytes("a", "1").bytes("b", "2")));
    CHECK(check(job("https://h/up?name={name}").bytes("a", "1").bytes("a", "2")) == errc::duplicate_name);
    CHECK(check(job("https://h/a.jpg?dir=/").bytes("a", "1").bytes("b", "2")) == errc::invalid_url);
    CHECK(check(job("https://h/up/").bytes("a", "1").bytes("a", "2")) == errc::duplicate_name);
    CHECK_FALSE(check(job("https://h/up/").bytes("a", "1").bytes("A", "2")));
    CHECK(check(job("https://h/a.jpg").bytes("a", "1").field("caption", "x")) == errc::invalid_field);
}

TEST_CASE("put sends each item to its own target, in order", "[protocol][put]") {
    fake_session session("https://h/up/?sig=1");
    session.with("a b.jpg", "first", "image/jpeg")
        .with("ü", "second")
        .with("../x", "")
        .answers(201)
        .answers(200)
        .answers(204);
    upload(session);
    REQUIRE(session.sent.size() == 3);
    CHECK(session.sent[0].url == "https://h/up/a%20b.jpg?sig=1");
    CHECK(session.sent[1].url == "https://h/up/%C3%BC?sig=1");
    CHECK(session.sent[2].url == "https://h/up/..%2Fx?sig=1");
    CHECK(session.sent[0].body == "first");
    CHECK(session.sent[1].body == "second");
    CHECK(session.sent[2].body.empty());
    for (std::size_t i = 0; i < 3; ++i) {
        const auto& r = session.sent[i];
        CHECK(r.method == "PUT");
        CHECK(r.idempotent);
        CHECK(r.about == i);
        REQUIRE(r.spans.size() == 1);
        CHECK(r.spans[0].item == i);
        CHECK(r.spans[0].body_offset == 0);
        CHECK(r.spans[0].length == session.records[i].spec.size);
        CHECK(session.records[i].state.status == item_status::completed);
    }
    CHECK(header_of(session.sent[0], "Content-Type") == "image/jpeg");
}

TEST_CASE("put sends a single item to the URL as it stands", "[protocol][put]") {
    fake_session session("https://h/a.jpg?X-Signature=abc");
    session.with("b.jpg", "data").answers(200, {{"ETag", "\"5d41\""}});
    upload(session);
    CHECK(session.sent.at(0).url == "https://h/a.jpg?X-Signature=abc");
    CHECK(session.records[0].state.receipt == "\"5d41\"");
}

TEST_CASE("put does not send again what was confirmed before", "[protocol][put]") {
    fake_session session("https://h/{name}");
    session.with("a", "1").with("b", "2").with("c", "3").answers(200).answers(200);
    session.records[1].state.status = item_status::completed;
    upload(session);
    REQUIRE(session.sent.size() == 2);
    CHECK(session.sent[0].url == "https://h/a");
    CHECK(session.sent[1].url == "https://h/c");
}

TEST_CASE("put stops at the first item that fails and names it", "[protocol][put]") {
    fake_session session("https://h/{name}");
    session.with("a", "1").with("b", "2").with("c", "3").answers(200).answers(403);
    try {
        upload(session);
        FAIL("a refusal was accepted");
    } catch (const failure& f) {
        CHECK(f.item() == 1);
        CHECK(f.code() == make_http_error(403));
    }
    CHECK(session.sent.size() == 2);
    CHECK(session.records[0].state.status == item_status::completed);
    CHECK(session.records[1].state.status == item_status::pending);
}

TEST_CASE("put sends each item's digest ahead and keeps it in the receipt", "[protocol][put]") {
    fake_session session("https://h.test/in/");
    session.with("a", "abc").with("empty", "");
    session.answers(201, {{"ETag", "\"1\""}}).answers(201);
    upload(session, put().digest("sha-256"));
    const std::string abc = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:";
    const std::string nothing = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    REQUIRE(session.sent.size() == 2);
    CHECK(single_header(session.sent[0].headers, "Repr-Digest") == abc);
    CHECK(session.sent[0].body == "abc");
    CHECK(single_header(session.sent[1].headers, "Repr-Digest") == nothing);
    CHECK(session.items()[0].state.receipt == "\"1\" " + abc);
    CHECK(session.items()[1].state.receipt == nothing);
}

/// A conditional PUT whose answer was lost in an earlier attempt.
void put_in_doubt(fake_session& session, const std::string& condition = "If-None-Match",
                  const std::string& value = "*") {
    session.record.spec.headers.emplace_back(condition, value);
    session.with("a", "abc").answers(412);
    session.record.state.attempt = 2;
    session.record.state.intent = intent(1, 0);
}

std::optional<failure> failure_of(fake_session& session) {
    try {
        upload(session);
    } catch (const failure& f) {
        return f;
    }
    return std::nullopt;
}

const std::string md5_of_abc = "\"900150983cd24fb0d6963f7d28e17f72\"";
const std::string sha256_of_abc = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:";

TEST_CASE("put records an intent before the last byte of a conditional request, and repeats none", "[protocol][put]") {
    fake_session session("https://h/up/");
    session.with("a", "1").with("b", "2").answers(201).answers(201);
    SECTION("with a condition") {
        session.record.spec.headers.emplace_back("if-match", "\"1\"");
        upload(session, put().parallel(8));
        CHECK(session.sent[0].finishing);
        CHECK(session.sent[1].finishing);
    }
    SECTION("without") {
        upload(session);
        CHECK_FALSE(session.sent[0].finishing);
    }
}

TEST_CASE("put hears of itself when a condition fails after a lost answer, and looks at what is there",
          "[protocol][put]") {
    struct shown {
        header_list headers;
        std::string becomes;
    };
    const shown there = GENERATE(values<shown>({
        {{{"Content-Length", "3"}, {"ETag", "\"900150983CD24FB0D6963F7D28E17F72\""}}, "delivered"},
        {{{"Content-Length", "3"}, {"Repr-Digest", sha256_of_abc}}, "delivered"},
        {{{"Repr-Digest", sha256_of_abc}}, "delivered"},
        {{{"Content-Length", "4"}, {"ETag", md5_of_abc}}, "refused"},
        {{{"Content-Length", "3"}, {"Repr-Digest", "sha-256=:AAAA:"}}, "refused"},
        {{{"Content-Length", "3"}}, "unknown"},
        {{{"Content-Length", "3"}, {"ETag", "\"00000000000000000000000000000000\""}}, "unknown"},  // no MD5, perhaps
        {{{"Content-Length", "3"}, {"ETag", "W/\"900150983cd24fb0d6963f7d28e17f72\""}}, "unknown"},
        {{{"Content-Length", "9"}, {"Content-Encoding", "gzip"}, {"ETag", md5_of_abc}}, "unknown"},
        {{}, "unknown"},
    }));
    fake_session session("https://h/a");
    put_in_doubt(session);
    session.answers(200, there.headers);
    const auto why = failure_of(session);
    REQUIRE(session.sent.size() == 2);
    CHECK(session.sent[1].method == "HEAD");
    CHECK_FALSE(session.sent[1].conditional);
    CHECK((there.becomes == "delivered") == (session.records[0].state.status == item_status::completed));
    CHECK((there.becomes == "delivered") == !why);
    if (there.becomes == "refused") {
        CHECK(why->code() == make_http_error(412));
        CHECK(why->settles());
    } else if (there.becomes == "unknown") {
        CHECK(why->code() == errc::outcome_unknown);
        CHECK(why->what_to_do() == disposition::ambiguous);
        CHECK_FALSE(why->settles());
    }
}

TEST_CASE("what somebody else has put there says nothing of a replacement of ours", "[protocol][put]") {
    fake_session session("https://h/a");
    put_in_doubt(session, "If-Match", "\"1\"");
    session.answers(200, {{"Content-Length", "4"}});
    CHECK(failure_of(session)->code() == errc::outcome_unknown);
}

TEST_CASE("a target that cannot be looked at leaves a failed condition undecided, or is asked later",
          "[protocol][put]") {
    const int status = GENERATE(403, 404, 405, 500, 503);
    fake_session session("https://h/a");
    put_in_doubt(session);
    session.answers(status);
    const auto why = failure_of(session);
    CHECK_FALSE(why->settles());
    CHECK((why->code() == errc::outcome_unknown) == (status < 500));
}

TEST_CASE("a condition that fails without an earlier request is a refusal", "[protocol][put]") {
    fake_session session("https://h/a");
    put_in_doubt(session);
    session.record.state.intent.settle();
    CHECK(failure_of(session)->code() == make_http_error(412));
    CHECK(session.sent.size() == 1);
}

TEST_CASE("put settles the item in doubt before it sends another", "[protocol][put]") {
    fake_session session("https://h/up/");
    put_in_doubt(session);
    session.with("b", "2").with("c", "3");
    session.record.state.intent = intent(1, 1);
    session.to_come.clear();
    session.answers(201).answers(201).answers(201);
    upload(session);
    CHECK(session.sent.at(0).url == "https://h/up/b");
    CHECK(session.sent.at(1).url == "https://h/up/a");
    CHECK(session.sent.at(2).url == "https://h/up/c");
}

TEST_CASE("put keeps only a bounded, printable receipt", "[protocol][put]") {
    fake_session session("https://h/a");
    session.with("a", "1").answers(200, {{"ETag", "x\x01" + std::string(1'000, 'y')}});
    upload(session);
    CHECK(session.records[0].state.receipt == "x " + std::string(254, 'y'));
}

}  // namespace
TEST_CASE("a presigned URL's headers are those that it lists", "[put]") {
    const std::string url = "https://h/b/k?X-Amz-Signature=00&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-acl";
    CHECK(detail::is_signed_header(url, "X-Amz-Acl"));
    CHECK(detail::is_signed_header(url, "content-type"));
    CHECK_FALSE(detail::is_signed_header(url, "x-amz-ac"));
    CHECK_FALSE(detail::is_signed_header(url, "x-amz-acl2"));
    CHECK_FALSE(detail::is_signed_header(url, "x-amz-tagging"));
    CHECK(detail::is_signed_header("https://h/k?x-amz-signedheaders=host;x-amz-acl;a&b=c", "x-amz-acl"));
    CHECK_FALSE(detail::is_signed_header("https://h/k?a=x-amz-acl", "x-amz-acl"));
    CHECK_FALSE(detail::is_signed_header("https://h/k", "x-amz-acl"));
    CHECK_FALSE(detail::is_signed_header("https://h/k?X-Amz-SignedHeaders=%3B%3b;&", "x-amz-acl"));
}

}  // namespace waybill::test
