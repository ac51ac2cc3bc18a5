// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/put.hpp>
#include <waybill/protocol/s3_presign.hpp>

#include "loopback/s3_jobs.hpp"

#include <atomic>
#include <chrono>
#include <string>

// Who signs requests for S3, by which keys, clock and region, and what of it is seen.
namespace waybill::test {

TEST_CASE("s3 follows the server's clock, and its region", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::int64_t ahead = GENERATE(3'600, -86'400 * 400);
    server.behave([&](s3_behaviour& b) {
        b.clock_ahead = ahead;
        b.region = "eu-central-1";
    });
    const std::string content = random_bytes(12 * mib);
    const job_snapshot done =
        require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(done.attempt == 1);
}

TEST_CASE("temporary keys are sent with their session token", "[s3]") {
    const temp_dir dir;
    s3_server server;
    server.behave([](s3_behaviour& b) { b.session_token = "FQoG+/token=="; });
    delivery uploads(with_keys(dir, "FQoG+/token=="));
    const std::string content = random_bytes(6 * mib);
    require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    require_lawful(server);
}

TEST_CASE("s3 waits for keys, and takes the profile's", "[s3]") {
    const temp_dir dir;
    s3_server server;
    options how = quick_options(dir);
    std::atomic<bool> there = false;
    how.protocols.add(s3_with([&](const std::string& origin,
                                  const std::string& profile) -> std::optional<s3_credentials> {
        CHECK(profile == "photos");
        CHECK(origin + "/" == server.url("/"));
        return there ? std::optional(s3_credentials{s3_server::access_key, s3_server::secret_key, ""}) : std::nullopt;
    }));
    how.retry.attempts = 1'000'000;
    delivery uploads(how);
    const job_id id = uploads.enqueue(one_file(dir, server, "x", s3{}.profile("photos")));
    const job_snapshot waiting = uploads.wait_until(
        id, [](const job_snapshot& j) { return j.status == status::waiting && j.reason == wait_reason::credentials; });
    CHECK(waiting.error.code == errc::no_credentials);
    there = true;
    CHECK(uploads.settled(id).status == status::completed);
}

TEST_CASE("a wrong secret waits for the right one with S3's words, and without what was signed", "[s3]") {
    const temp_dir dir;
    s3_server server;
    options how = quick_options(dir);
    std::atomic<bool> right = false;
    how.protocols.add(s3_with([&](const std::string&, const std::string&) {
        const char* const secret = right ? s3_server::secret_key : "wrong";
        return std::optional(s3_credentials{s3_server::access_key, secret, right ? "" : "the session token"});
    }));
    how.retry.attempts = 1'000'000;
    delivery uploads(how);
    const job_id id = uploads.enqueue(one_file(dir, server, "x", s3{}));
    const job_snapshot waiting = uploads.waiting(id);
    CHECK(waiting.reason == wait_reason::credentials);
    CHECK(waiting.error.code == make_http_error(403));
    CHECK_THAT(waiting.error.message(), Catch::Contains("SignatureDoesNotMatch: refused"));
    CHECK(waiting.error.details.excerpt == "refused");
    right = true;
    CHECK(uploads.settled(id).status == status::completed);
    uploads.stop();
    for (const char* const name : {"store/queue.db", "store/queue.db-wal"}) {
        CHECK_THAT(read_file(dir / name), !Catch::Contains("the session token"));
    }
}

TEST_CASE("a token that ends meanwhile is followed by the next one within the attempt", "[s3]") {
    const temp_dir dir;
    s3_server server;
    server.behave([](s3_behaviour& b) {
        b.session_token = "second";
        b.token_code = GENERATE("ExpiredToken", "InvalidTokenId", "TokenRefreshRequired");
    });
    options how = quick_options(dir);
    std::atomic<int> asked = 0;
    how.protocols.add(s3_with([&](const std::string&, const std::string&) {
        const char* const token = ++asked > 1 ? "second" : "first";
        return std::optional(s3_credentials{s3_server::access_key, s3_server::secret_key, token});
    }));
    delivery uploads(how);
    const std::string content = random_bytes(12 * mib);
    const job_snapshot done =
        require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(done.attempt == 1);
    CHECK(asked == 2);
}

TEST_CASE("keys that cannot be sent are waited for, as missing ones are", "[s3]") {
    const temp_dir dir;
    s3_server server;
    options how = quick_options(dir);
    std::atomic<bool> sound = false;
    const std::string flaw = GENERATE("line break", "provider's words");
    how.protocols.add(s3_with([&](const std::string&, const std::string&) {
        if (!sound && flaw == "provider's words") {
            throw error(errc::no_credentials, "the keys are in the other coat");
        }
        return std::optional(
            s3_credentials{s3_server::access_key, s3_server::secret_key + std::string(sound ? "" : "\r"), ""});
    }));
    how.retry.attempts = 1'000'000;
    delivery uploads(how);
    const job_id id = uploads.enqueue(one_file(dir, server, "x", s3{}));
    const job_snapshot waiting = uploads.waiting(id);
    CHECK(waiting.reason == wait_reason::credentials);
    CHECK(waiting.error.code == errc::no_credentials);
    CHECK_THAT(waiting.error.message(), Catch::Contains(flaw == "line break" ? "the secret key has a line break in it"
                                                                             : "the keys are in the other coat"));
    CHECK(server.http().requests().empty());
    sound = true;
    CHECK(uploads.settled(id).status == status::completed);
}

TEST_CASE("the region that comes with the keys is used by jobs that name none", "[s3]") {
    const temp_dir dir;
    s3_server server;
    server.behave([](s3_behaviour& b) { b.region = "eu-central-1"; });
    options how = quick_options(dir);
    how.protocols.add(s3_with([](const std::string&, const std::string&) {
        return std::optional(s3_credentials{s3_server::access_key, s3_server::secret_key, "", "eu-central-1"});
    }));
    delivery uploads(how);
    CHECK(uploads.settled(uploads.enqueue(one_file(dir, server, "x", s3{}))).status == status::completed);
    CHECK(server.http().requests().size() == 1);
}

TEST_CASE("a redirect to another endpoint is named and not followed", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    server.http().next(
        script("moved").read_all().answer({301,
                                           {{"x-amz-bucket-region", "eu-central-1"}},
                                           "<Error><Code>PermanentRedirect</Code><Message>Use the endpoint.</Message>"
                                           "<Endpoint>bucket.s3.eu-central-1.example.com</Endpoint></Error>"}));
    const job_snapshot done = uploads.settled(uploads.enqueue(one_file(dir, server, "x", s3{})));
    INFO(describe(done));
    CHECK(done.status == status::failed);
    CHECK(done.error.code == errc::redirect_refused);
    CHECK_THAT(done.error.message(), Catch::Contains("bucket.s3.eu-central-1.example.com (region eu-central-1)"));
}

TEST_CASE("a bucket in the host name is signed as it is written", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    job what(server.http().url("/key", "bucket.localhost"));
    what.via(s3{}).bytes("key", "content");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(server.objects().count("/key") == 1);
    CHECK_THAT(server.http().requests().front().header("Host"), Catch::StartsWith("bucket.localhost:"));
    require_lawful(server);
}

TEST_CASE("over TLS the bytes may be left out of the signature", "[s3]") {
    const temp_dir dir;
    certificate_authority authority;
    http_server_options tls;
    tls.tls = authority.issue();
    s3_server server({}, tls);
    options how = with_keys(dir);
    how.http.ca_file = authority.ca_file();
    delivery uploads(how);
    const std::string content = random_bytes(12 * mib);
    require_delivered(uploads, server, one_file(dir, server, content, small_parts().unsigned_payload()), content);
    for (const received_request& r : server.http().requests()) {
        if (r.method == "PUT") {
            CHECK(r.header("x-amz-content-sha256") == "UNSIGNED-PAYLOAD");
        }
    }
    require_lawful(server);
}

TEST_CASE("whoever has a presigned URL may send its object by PUT, without keys", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const s3_credentials who{s3_server::access_key, s3_server::secret_key, ""};
    const std::string target = s3_presigned_put(server.url("/bucket/a%20%C3%A9+~.txt"), who, std::chrono::minutes(5));
    CHECK_THAT(target, !Catch::Contains(s3_server::secret_key));
    delivery uploads(quick_options(dir));
    job what(target);
    what.via(put{}).bytes("any name", "content");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(server.objects().at("/bucket/a \xC3\xA9+~.txt").data == "content");
    require_lawful(server);
}

TEST_CASE("headers that a presigned URL demands are those of its job", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const s3_credentials who{s3_server::access_key, s3_server::secret_key, ""};
    const header_list demanded = {
        {"x-amz-acl", "public-read"}, {"Content-Disposition", "inline"}, {"Content-Type", "text/html"}};
    job what(s3_presigned_put(server.url("/bucket/key"), who, std::chrono::minutes(5), "us-east-1",
                              std::chrono::system_clock::now(), demanded));
    what.header("x-amz-acl", "public-read").header("Content-Disposition", "inline");
    what.via(put{}).add(item::bytes("a", "content").content_type("text/html"));
    delivery uploads(quick_options(dir));
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(single_header(server.objects().at("/bucket/key").headers, "x-amz-acl") == "public-read");
    require_lawful(server);
}

TEST_CASE("a presigned URL that has expired, or was made for another object, puts nothing there", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const s3_credentials who{s3_server::access_key, s3_server::secret_key, ""};
    const auto long_ago = std::chrono::system_clock::now() - std::chrono::hours(1);
    std::string target =
        s3_presigned_put(server.url("/bucket/key"), who, std::chrono::minutes(5), "us-east-1", long_ago);
    if (GENERATE(false, true)) {
        target = s3_presigned_put(server.url("/bucket/key"), who, std::chrono::minutes(5));
        target.replace(target.find("/key?"), 5, "/other?");
    }
    delivery uploads(quick_options(dir));
    job what(target);
    what.via(put{}).bytes("a", "content");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    CHECK(done.status == status::failed);
    CHECK(done.error.code == make_http_error(403));
    CHECK(server.objects().empty());
    // The server repeats the URL; what it is signed with is not kept.
    const std::string signature = target.substr(target.find("X-Amz-Signature=") + 16);
    CHECK_THAT(done.error.details.excerpt, !Catch::Contains(signature));
}

TEST_CASE("a URL is presigned for no longer than S3 takes it, and for an object only", "[s3]") {
    const s3_credentials who{"key", "secret", ""};
    CHECK_THROWS_AS(s3_presigned_put("https://h/b/k", who, std::chrono::seconds(0)), error);
    CHECK_THROWS_AS(s3_presigned_put("https://h/b/k", who, std::chrono::hours(24 * 7 + 1)), error);
    CHECK_THROWS_AS(s3_presigned_put("https://h/b/k?x=1", who, std::chrono::seconds(1)), error);
    CHECK_THROWS_AS(s3_presigned_put("https://h/", who, std::chrono::seconds(1)), error);
    CHECK_NOTHROW(s3_presigned_put("https://h/b/k", who, std::chrono::hours(24 * 7)));
}

}  // namespace waybill::test
