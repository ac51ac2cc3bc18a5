// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/s3.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/s3_server.hpp"
#include "support/temp_dir.hpp"

#include <asio/use_future.hpp>

#include <atomic>
#include <string>

// Whole jobs by S3, over a strict server that verifies signatures, and fails as S3 may fail.
namespace waybill::test {
namespace {

constexpr std::size_t mib = 1 << 20;

options with_keys(const temp_dir& dir, const std::string& session_token = {}) {
    options how = quick_options(dir);
    how.s3_keys = [session_token](const std::string&, const std::string&) {
        return std::optional(s3_credentials{s3_server::access_key, s3_server::secret_key, session_token});
    };
    return how;
}

/// Parts of 5 MiB, two at once.
s3 small_parts() {
    return s3{}.part_size(5 * mib).parallel(2);
}

job one_file(const temp_dir& dir, const s3_server& server, const std::string& content, const s3& how) {
    job what(server.url("/bucket/a%20file.bin"));
    what.via(how).file(dir.write("a file.bin", content));
    return what;
}

job_snapshot require_delivered(delivery& uploads, s3_server& server, const job& what, const std::string& content) {
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    INFO(describe(server.http().requests()));
    REQUIRE(done.now == status::completed);
    const auto there = server.objects();
    REQUIRE(there.size() == 1);
    CHECK((there.begin()->second.data == content));
    CHECK(there.begin()->first == "/bucket/a file.bin");
    CHECK(server.open_uploads() == 0);
    return done;
}

/// A list of parts that is given when the valve opens.
script held_list(s3_server& server, const valve& go) {
    return script("held list").only_for("GET").read_head().hold(go).then([&](exchange& x) { server.serve(x); });
}
void wait_for_list(s3_server& server) {
    server.http().log().wait_until("a list", [](const http_log::requests& all) {
        return std::any_of(all.begin(), all.end(), [](const auto& r) { return r.script == "held list"; });
    });
}

void require_lawful(const s3_server& server) {
    INFO(describe(const_cast<s3_server&>(server).http().requests()));
    CHECK(server.violations() == std::vector<std::string>());
}

}  // namespace

TEST_CASE("s3 sends small items as one PUT each, with metadata", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    job what(server.url("/bucket/in/"));
    what.via(s3{}.storage_class("STANDARD_IA"))
        .field("album", "Istanbul  by night")
        .header("Cache-Control", "no-cache")
        .bytes("a \xC3\xA9+~.txt", "first")
        .bytes("empty", "");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.now == status::completed);
    const auto there = server.objects();
    REQUIRE(there.size() == 2);
    const auto& first = there.at("/bucket/in/a \xC3\xA9+~.txt");
    CHECK(first.data == "first");
    CHECK(there.at("/bucket/in/empty").data.empty());
    CHECK(single_header(first.headers, "x-amz-meta-album") == "Istanbul  by night");
    CHECK(single_header(first.headers, "x-amz-storage-class") == "STANDARD_IA");
    CHECK(single_header(first.headers, "Cache-Control") == "no-cache");
    CHECK(single_header(first.headers, "x-amz-meta-waybill-upload").has_value());
    CHECK(server.count("CreateMultipartUpload") == 0);
    require_lawful(server);
}

TEST_CASE("s3 sends large items in parts, several at once", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(23 * mib + 7);
    const job what = one_file(dir, server, content, small_parts().parallel(3)).field("album", "Istanbul");
    const job_snapshot done = require_delivered(uploads, server, what, content);
    CHECK(done.sent == content.size());
    CHECK(server.count("UploadPart") == 5);
    CHECK(server.count("CreateMultipartUpload") == 1);
    CHECK(server.count("CompleteMultipartUpload") == 1);
    CHECK(server.http().log().connections() >= 2);
    CHECK(single_header(server.objects().begin()->second.headers, "x-amz-meta-album") == "Istanbul");
    require_lawful(server);
}

TEST_CASE("s3 has each part checked by its checksum", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string algorithm = GENERATE("crc32c", "sha256");
    const std::string content = random_bytes(GENERATE(11 * mib, std::size_t{100}));
    server.behave([](s3_behaviour& b) { b.damaged_parts = 1; });
    require_delivered(uploads, server, one_file(dir, server, content, small_parts().checksum(algorithm)), content);
    require_lawful(server);
}

TEST_CASE("s3 says so when a server knows no checksums", "[s3]") {
    const temp_dir dir;
    s3_server server;
    server.behave([](s3_behaviour& b) { b.knows_checksums = false; });
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(GENERATE(11 * mib, std::size_t{100}));
    const job_snapshot done =
        uploads.settled(uploads.enqueue(one_file(dir, server, content, small_parts().checksum("crc32c"))));
    CHECK(done.now == status::failed);
    CHECK(done.error.code == errc::not_offered);
}

TEST_CASE("s3 goes on with the parts the server does not have yet", "[s3]") {
    const temp_dir dir;
    s3_server server({}, reads_little());
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(28 * mib);
    const std::string trouble = GENERATE("cut", "slow down", "lost answer", "damaged");
    CAPTURE(trouble);
    server.behave([&](s3_behaviour& b) {
        b.list_page = 2;
        if (trouble == "cut") {
            b.cuts = {exchange::everything, exchange::everything, 1'000'000};
        }
        b.slow_downs = trouble == "slow down" ? 3 : 0;
        b.lost_part_answers = trouble == "lost answer" ? 2 : 0;
        b.damaged_parts = trouble == "damaged" ? 1 : 0;
    });
    require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(server.count("CreateMultipartUpload") == 1);
    // A part whose answer was lost is known by its MD5, and not sent again; others once for each refusal.
    CHECK(server.bytes_taken() <= content.size() + (trouble == "lost answer" ? 10'000 : 15 * mib));
    require_lawful(server);
}

TEST_CASE("s3 sends again what it cannot verify", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(12 * mib);
    server.behave([](s3_behaviour& b) {
        b.etags_are_md5 = false;
        b.lost_part_answers = 1;
    });
    require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(server.count("UploadPart") == 4);
    require_lawful(server);
}

TEST_CASE("a part that is another one at the server is replaced", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(12 * mib);
    server.behave([](s3_behaviour& b) { b.lost_part_answers = 1; });
    const valve go;
    server.http().next(held_list(server, go));
    const job_id id = uploads.enqueue(one_file(dir, server, content, small_parts()));
    wait_for_list(server);
    server.replace_part(1, random_bytes(5 * mib, 99));  // of the right size
    go.open();
    CHECK(uploads.settled(id).now == status::completed);
    CHECK((server.objects().begin()->second.data == content));
    CHECK(server.count("UploadPart") == 4);
}

TEST_CASE("a part's wrong ETag is found out when the upload is completed", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(12 * mib);
    server.behave([](s3_behaviour& b) { b.wrong_etags = 2; });
    require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(server.count("CompleteMultipartUpload") == 2);
    CHECK(server.count("UploadPart") == 3);  // what is listed instead is our bytes, by their MD5
}

TEST_CASE("a list of parts that is cut off or refused is asked for again", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(12 * mib);
    server.behave([](s3_behaviour& b) {
        b.lost_part_answers = 1;
        b.cut_lists = 1;
        b.busy_lists = 1;
        b.list_page = 1;
    });
    require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(server.count("UploadPart") == 3);
    CHECK(server.count("ListParts") >= 4);
}

TEST_CASE("a completion that fails in the body of its 200 is tried again", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(12 * mib);
    server.behave([](s3_behaviour& b) { b.failed_completions = 2; });
    require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(server.count("CompleteMultipartUpload") == 3);
    CHECK(server.count("UploadPart") == 3);
}

TEST_CASE("a completion whose answer is lost is found by the object's token", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(12 * mib);
    const std::string loss = GENERATE("connection", "body", "and a busy list");
    server.behave([&](s3_behaviour& b) { (loss == "body" ? b.empty_completions : b.lost_completions) = 1; });
    if (loss == "and a busy list") {  // the first question about it gets no answer either
        server.http().next(script("busy").only_for("GET").read_all().answer({503}));
    }
    require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(server.count("CompleteMultipartUpload") == 1);
    CHECK(server.count("CreateMultipartUpload") == 1);
    CHECK(server.count("UploadPart") == 3);
}

TEST_CASE("a completion whose answer is lost and whose object is gone is not repeated", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string loss = GENERATE("connection", "body", "and a busy list", "and may not be seen");
    CAPTURE(loss);
    server.behave([&](s3_behaviour& b) {
        (loss == "body" ? b.empty_completions : b.lost_completions) = 1;
        b.moves_completed = loss != "and may not be seen";
        b.hides = !b.moves_completed;
    });
    if (loss == "and a busy list") {
        server.http().next(script("busy").only_for("GET").read_all().answer({503}));
    }
    const job_snapshot done =
        uploads.settled(uploads.enqueue(one_file(dir, server, random_bytes(12 * mib), small_parts())));
    INFO(describe(done));
    CHECK(done.now == status::unknown_outcome);
    CHECK(server.count("CreateMultipartUpload") == 1);
}

TEST_CASE("an upload that was aborted at the server is begun anew", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(17 * mib);
    server.behave([](s3_behaviour& b) { b.lost_part_answers = 1; });
    const valve go;
    server.http().next(held_list(server, go));
    const job_id id = uploads.enqueue(one_file(dir, server, content, small_parts()));
    wait_for_list(server);
    server.abort_all();
    go.open();
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done));
    CHECK(done.now == status::completed);
    CHECK((server.objects().begin()->second.data == content));
    CHECK(server.count("CreateMultipartUpload") == 2);
}

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
    how.s3_keys = [&](const std::string& origin, const std::string& profile) -> std::optional<s3_credentials> {
        CHECK(profile == "photos");
        CHECK(origin + "/" == server.url("/"));
        return there ? std::optional(s3_credentials{s3_server::access_key, s3_server::secret_key, ""}) : std::nullopt;
    };
    how.retry.attempts = 1'000'000;
    delivery uploads(how);
    const job_id id = uploads.enqueue(one_file(dir, server, "x", s3{}.profile("photos")));
    const job_snapshot waiting = uploads.wait_until(
        id, [](const job_snapshot& j) { return j.now == status::waiting && j.reason == wait_reason::credentials; });
    CHECK(waiting.error.code == errc::no_credentials);
    there = true;
    CHECK(uploads.settled(id).now == status::completed);
}

TEST_CASE("a wrong secret fails with S3's words, and without what was signed", "[s3]") {
    const temp_dir dir;
    s3_server server;
    options how = quick_options(dir);
    how.s3_keys = [](const std::string&, const std::string&) {
        return std::optional(s3_credentials{s3_server::access_key, "wrong", "the session token"});
    };
    delivery uploads(how);
    const job_snapshot done = uploads.settled(uploads.enqueue(one_file(dir, server, "x", s3{})));
    CHECK(done.now == status::failed);
    CHECK(done.error.code == make_http_error(403));
    CHECK_THAT(done.error.message(), Catch::Contains("SignatureDoesNotMatch: refused"));
    CHECK(done.error.details.excerpt.empty());
    uploads.stop();
    for (const char* const name : {"store/queue.db", "store/queue.db-wal"}) {
        CHECK_THAT(read_file(dir / name), !Catch::Contains("the session token"));
    }
}

TEST_CASE("an object that must not be there yet is not overwritten, and is our own after a lost answer", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(GENERATE(12 * mib, std::size_t{100}));
    server.behave([](s3_behaviour& b) { b.lost_completions = 1; });
    const job first = one_file(dir, server, content, small_parts()).header("If-None-Match", "*");
    require_delivered(uploads, server, first, content);
    job second(server.url("/bucket/a%20file.bin"));
    second.via(small_parts()).header("If-None-Match", "*").file(dir.write("other", random_bytes(12 * mib, 3)));
    const job_snapshot refused = uploads.settled(uploads.enqueue(second));
    CHECK(refused.now == status::failed);
    CHECK(refused.error.code == make_http_error(412));
    CHECK((server.objects().begin()->second.data == content));
}

TEST_CASE("a canceled s3 job is aborted at the server until nothing is left", "[s3]") {
    const temp_dir dir;
    s3_server server({}, reads_little());
    const bool restarted = GENERATE(false, true);
    server.behave([](s3_behaviour& b) { b.ignored_aborts = 2; });
    auto uploads = std::make_unique<delivery>(with_keys(dir));
    server.http().next(
        script("held")
            .only_if([](const received_request& r) { return r.target.find("partNumber=3") != std::string::npos; })
            .read_body(1'000)
            .hold());
    const job_id id = uploads->enqueue(one_file(dir, server, random_bytes(28 * mib), small_parts()));
    server.http().log().wait_until("a held part", [](const http_log::requests& all) {
        return std::any_of(all.begin(), all.end(), [](const received_request& r) { return r.script == "held"; });
    });
    if (restarted) {
        server.http().next(script("down").only_for("DELETE").read_head().reset());
    }
    uploads->up().async_cancel(id, asio::use_future).get();
    CHECK(uploads->settled(id).now == status::canceled);
    if (restarted) {
        uploads->stop();
        uploads = std::make_unique<delivery>(with_keys(dir));
    }
    server.http().log().wait_until("the clean-up",
                                   [&](const http_log::requests&) { return server.open_uploads() == 0; });
    CHECK(server.objects().empty());
    CHECK(server.count("AbortMultipartUpload") >= 3);
}

TEST_CASE("an item that is one part, but was begun in parts, is finished in parts", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const std::string content = random_bytes(12 * mib);
    const std::string path = dir.write("a file.bin", content);
    delivery uploads(with_keys(dir));
    // The part size is the checkpoint's: what changes later changes nothing.
    job what(server.url("/bucket/a%20file.bin"));
    what.via(small_parts()).file(path);
    server.behave([](s3_behaviour& b) { b.cuts = {1'000, 1'000}; });
    CHECK(uploads.settled(uploads.enqueue(what)).now == status::completed);
    CHECK((server.objects().begin()->second.data == content));
    CHECK(server.count("CreateMultipartUpload") == 1);
}

TEST_CASE("an upload goes on in the next process, with the parts that are there", "[s3]") {
    const temp_dir dir;
    s3_server server({}, reads_little());
    const std::string content = random_bytes(28 * mib);
    auto uploads = std::make_unique<delivery>(with_keys(dir));
    server.http().next(
        script("held")
            .only_if([](const received_request& r) { return r.target.find("partNumber=4") != std::string::npos; })
            .read_body(1'000)
            .hold());
    const job_id id = uploads->enqueue(one_file(dir, server, content, small_parts()));
    server.http().log().wait_until("five parts", [&](const http_log::requests&) { return server.kept_parts() == 5; });
    uploads->stop();
    uploads = std::make_unique<delivery>(with_keys(dir));
    const job_snapshot done = uploads->settled(id);
    INFO(describe(done));
    CHECK(done.now == status::completed);
    CHECK((server.objects().begin()->second.data == content));
    CHECK(server.count("CreateMultipartUpload") == 1);
    CHECK(server.count("UploadPart") == 6 + 0);  // the held one did not reach the operation's count
}

TEST_CASE("a bucket in the host name is signed as it is written", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    job what(server.http().url("/key", "bucket.localhost"));
    what.via(s3{}).bytes("key", "content");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.now == status::completed);
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

TEST_CASE("a file that changes between two parts fails the job", "[s3]") {
    const temp_dir dir;
    s3_server server({}, reads_little());
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(17 * mib);
    const valve go;
    server.http().next(
        script("held")
            .only_if([](const received_request& r) { return r.target.find("partNumber=1") != std::string::npos; })
            .read_body(1'000)
            .hold(go));
    const job what = one_file(dir, server, content, small_parts());
    const job_id id = uploads.enqueue(what);
    server.http().log().wait_until("a held part", [](const http_log::requests& all) {
        return std::any_of(all.begin(), all.end(), [](const received_request& r) { return r.script == "held"; });
    });
    dir.write("a file.bin", random_bytes(17 * mib, 5));
    go.open();
    const job_snapshot done = uploads.settled(id);
    CHECK(done.now == status::failed);
    CHECK(done.error.code == errc::file_changed);
    CHECK(server.objects().empty());
}

}  // namespace waybill::test
