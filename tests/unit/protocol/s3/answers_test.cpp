// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/s3/endpoint.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>

// What an S3 server's answers mean, in the words of several vendors.
namespace waybill::detail {
namespace {

s3_response answered(int status, const std::string& code = {}, const std::string& more = {}) {
    s3_response a;
    a.http.status = status;
    a.http.may_have_left = a.http.has_left = true;
    a.http.url = "https://bucket.s3.test/key";
    if (!code.empty()) {
        a.http.body =
            "<?xml version='1.0'?><Error><Code>" + code + "</Code><Message>their words</Message>" + more + "</Error>";
    }
    a.error = parse_s3_error(a.http.body);
    return a;
}

response with_etag(const std::string& etag) {
    response r;
    r.status = 200;
    r.headers.push_back({"ETag", etag});
    return r;
}

}  // namespace

TEST_CASE("a token or key that is no good any more is trouble with credentials, whoever says so", "[s3]") {
    const auto [status, code] = GENERATE(table<int, std::string>({{400, "ExpiredToken"},
                                                                  {400, "InvalidToken"},
                                                                  {400, "TokenRefreshRequired"},
                                                                  {403, "InvalidTokenId"},
                                                                  {403, "SecurityTokenExpired"},
                                                                  {403, "InvalidSecurity"},
                                                                  {403, "RequestExpired"},
                                                                  {403, "InvalidAccessKeyId"},
                                                                  {403, "SignatureDoesNotMatch"},
                                                                  {401, ""}}));
    CAPTURE(status, code);
    CHECK(judge(answered(status, code), true).what == disposition::credentials);
}

TEST_CASE("who may not do it is refused for good, and who is too fast for now", "[s3]") {
    CHECK(judge(answered(403, "AccessDenied"), true).what == disposition::permanent);
    CHECK(judge(answered(400, "EntityTooLarge"), true).what == disposition::permanent);
    CHECK(judge(answered(503, "SlowDown"), true).what == disposition::busy);
    CHECK(judge(answered(400, "RequestTimeout"), true).what == disposition::retry);
    CHECK(judge(answered(403, "QpsLimitExceeded"), true).what == disposition::busy);
    CHECK(judge(answered(200, "InternalError"), true).code == errc::not_completed);
}

TEST_CASE("a success without an ETag, or with that of no bytes, has stored nothing", "[s3]") {
    CHECK(stored_etag(with_etag("\"a\""), 1) == "\"a\"");
    CHECK(stored_etag(with_etag("a"), 1) == "a");
    CHECK(stored_etag(with_etag("W/\"a\""), 1) == "\"a\"");  // a proxy's mark
    CHECK(stored_etag(response(), 1).empty());
    CHECK(stored_etag(with_etag("\"\""), 1).empty());
    CHECK(stored_etag(with_etag(std::string(257, 'a')), 1).empty());
    const std::string of_nothing = "\"d41d8cd98f00b204e9800998ecf8427e\"";
    CHECK(stored_etag(with_etag(of_nothing), 0) == of_nothing);
    CHECK(stored_etag(with_etag(of_nothing), 1).empty());
    CHECK(opaque_tag("W/\"a\"") == opaque_tag("a"));
}

TEST_CASE("an upload is gone by any word but that its bucket is", "[s3]") {
    CHECK(says_gone(answered(404, "NoSuchUpload")));
    CHECK(says_gone(answered(404, "NoSuchKey")));  // Ceph
    CHECK(says_gone(answered(404)));
    CHECK(says_gone(answered(400, "NoSuchUpload")));
    CHECK_FALSE(says_gone(answered(404, "NoSuchBucket")));
    CHECK_FALSE(says_gone(answered(403, "AccessDenied")));
}

TEST_CASE("a redirect says where to", "[s3]") {
    s3_response moved = answered(301, "PermanentRedirect", "<Endpoint>bucket.s3.eu-central-1.test</Endpoint>");
    moved.http.headers.push_back({"x-amz-bucket-region", "eu-central-1"});
    CHECK(judge(moved, true).code == errc::redirect_refused);
    CHECK(describe(moved).detail ==
          "PermanentRedirect: their words; use bucket.s3.eu-central-1.test (region eu-central-1)");
    CHECK(describe(moved).excerpt == "their words");
    s3_response soon = answered(307, "TemporaryRedirect");
    soon.http.headers.push_back({"Location", "https://bucket.s3-2.test/key?uploads"});
    CHECK(judge(soon, true).what == disposition::network);  // a new bucket, of which its host hears later
    CHECK_THAT(describe(soon).detail, Catch::EndsWith("; use https://bucket.s3-2.test/key?…"));
}

TEST_CASE("of an answer its own sentence is kept, and never its document", "[s3]") {
    CHECK(describe(answered(403, "AccessDenied", "<StringToSign>secret</StringToSign>")).excerpt == "their words");
    s3_response cut = answered(403);
    cut.http.body = "<?xml version='1.0'?><Error><Code>AccessDenied</Code><StringToSign>secret";
    CHECK(describe(cut).excerpt.empty());
    s3_response page = answered(403);
    page.http.body = "<html>Please log in";
    CHECK(describe(page).excerpt == "<html>Please log in");
}

TEST_CASE("what is refused for now is told from a host that cannot be reached", "[s3]") {
    const auto passes = [](disposition what, std::error_code code, int seconds) {
        return is_refused_for_now(what, code, std::chrono::seconds(seconds));
    };
    CHECK(passes(disposition::busy, make_http_error(503), 1));
    CHECK(passes(disposition::retry, make_http_error(500), 0));
    CHECK(passes(disposition::network, make_http_error(502), 0));
    CHECK(passes(disposition::again, make_error_code(errc::stale_connection), 0));
    CHECK(passes(disposition::retry, make_error_code(errc::connection_lost), 0));
    CHECK_FALSE(passes(disposition::busy, make_http_error(503), 3600));
    CHECK_FALSE(passes(disposition::network, make_error_code(errc::connect_failed), 0));
    CHECK_FALSE(passes(disposition::credentials, make_http_error(401), 0));
    CHECK_FALSE(passes(disposition::permanent, make_http_error(403), 0));
}

TEST_CASE("a server that does not know checksums is told from one whose bytes were damaged", "[s3]") {
    CHECK(refuses_checksums(answered(501, "NotImplemented")));
    s3_response unknown = answered(400, "InvalidArgument");
    unknown.error.message = "Unsupported header 'x-amz-checksum-crc32c' received for this API call.";
    CHECK(refuses_checksums(unknown));
    unknown.error.code = "BadDigest";
    CHECK_FALSE(refuses_checksums(unknown));
    CHECK_FALSE(refuses_checksums(answered(400, "InvalidArgument")));
}

}  // namespace waybill::detail
