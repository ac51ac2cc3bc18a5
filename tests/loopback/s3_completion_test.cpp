// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/digest.hpp>

#include "loopback/s3_jobs.hpp"

#include <asio/use_future.hpp>

#include <atomic>
#include <string>

// How an upload by S3 is completed, and what becomes of it when nobody has heard that it was.
namespace waybill::test {

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

TEST_CASE("a completion in doubt is found by its object where no parts are listed", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(12 * mib);
    const int status_of_list = GENERATE(405, 501, 404, 400, 200);
    CAPTURE(status_of_list);
    const bool unsaid = GENERATE(false, true);
    server.behave([&](s3_behaviour& b) {
        (unsaid ? b.empty_completions : b.lost_completions) = 1;
        b.instead_of_list = reply(status_of_list);
        b.gone_code = "NoSuchKey";
    });
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
    CHECK(done.status == status::unknown_outcome);
    CHECK(server.count("CreateMultipartUpload") == 1);
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
    CHECK(refused.status == status::failed);
    CHECK(refused.error.code == make_http_error(412));
    CHECK((server.objects().begin()->second.data == content));
}

TEST_CASE("an object that an earlier upload has made is ours, and the parts of the later one do not stay", "[s3]") {
    const temp_dir dir;
    s3_server server;
    server.behave([](s3_behaviour& b) {
        b.lost_completions = 1;
        b.hides = true;
    });
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(12 * mib);
    const job_id id = uploads.enqueue(one_file(dir, server, content, small_parts()).header("If-None-Match", "*"));
    REQUIRE(uploads.settled(id).status == status::unknown_outcome);
    server.behave([](s3_behaviour& b) { b.hides = false; });
    server.http().next(script("hidden once more").only_for("HEAD").answer({403}));
    uploads.up().async_resolve(id, resolution::retry, asio::use_future).get();
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done));
    REQUIRE(done.status == status::completed);
    CHECK((server.objects().begin()->second.data == content));
    CHECK(server.count("CreateMultipartUpload") == 2);
    server.http().log().wait_until(
        "the parts are removed", [&](const http_log::requests&) { return server.count("AbortMultipartUpload") == 1; });
}

TEST_CASE("a doubt about a completion is there in the next process, however long nobody can be asked", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const std::string answer = GENERATE("200 without a body", "500", "503");
    CAPTURE(answer);
    server.behave([&](s3_behaviour& b) {
        (answer == "200 without a body" ? b.empty_completions : b.failed_after_all) = 1;
        b.failure = answer == "500" ? 500 : 503;
        b.moves_completed = true;
        b.busy_lists = 1'000'000;
    });
    job_id id;
    {
        options persistent = with_keys(dir);
        persistent.retry.attempts = 1'000'000;
        delivery uploads(persistent);
        id = uploads.enqueue(one_file(dir, server, random_bytes(12 * mib), small_parts()));
        server.http().log().wait_until("some questions",
                                       [&](const http_log::requests&) { return server.count("ListParts") > 2; });
        uploads.stop();
    }
    server.behave([](s3_behaviour& b) { b.busy_lists = 0; });
    delivery uploads(with_keys(dir));
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done));
    CHECK(done.status == status::unknown_outcome);
    CHECK(server.count("CreateMultipartUpload") == 1);

    // Whoever asks for it again gets it sent again.
    server.behave([](s3_behaviour& b) { b.moves_completed = false; });
    uploads.up().async_resolve(id, resolution::retry, asio::use_future).get();
    CHECK(uploads.settled(id).status == status::completed);
    CHECK(server.count("CreateMultipartUpload") == 2);
}

TEST_CASE("a completion in doubt that nobody can be asked about for good is unknown, not failed", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const bool unsaid = GENERATE(false, true);
    server.behave([&](s3_behaviour& b) {
        (unsaid ? b.empty_completions : b.failed_after_all) = 1;
        b.busy_lists = 1'000'000;
    });
    options how = with_keys(dir);
    how.retry.max_age = std::chrono::hours(0);  // a busy server costs no attempt
    delivery uploads(how);
    const job_snapshot done =
        uploads.settled(uploads.enqueue(one_file(dir, server, random_bytes(6 * mib), small_parts())));
    INFO(describe(done));
    CHECK(done.status == status::unknown_outcome);
    CHECK(server.count("CreateMultipartUpload") == 1);
}

TEST_CASE("a second completion that finds no upload leaves the doubt about the first", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const bool unsaid = GENERATE(false, true);
    const bool busy = GENERATE(false, true);
    server.behave([&](s3_behaviour& b) {
        (unsaid ? b.empty_completions : b.lost_completions) = 1;
        b.moves_completed = true;
        b.late_lists = unsaid ? 2 : 1;
    });
    if (busy) {  // and the question that would clear it up gets no answer: the doubt is there in the next attempt
        server.http().next(script("busy").only_for("HEAD").read_all().answer({503}));
    }
    const job_snapshot done =
        uploads.settled(uploads.enqueue(one_file(dir, server, random_bytes(6 * mib), small_parts())));
    INFO(describe(done));
    CHECK(done.status == status::unknown_outcome);
    CHECK(server.count("CompleteMultipartUpload") == 2);
    CHECK(server.count("CreateMultipartUpload") == 1);
}

TEST_CASE("keys that may write and not list send a broken upload's parts again", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const std::string content = random_bytes(12 * mib);
    server.behave([](s3_behaviour& b) {
        b.cuts = {100'000};
        b.refuses_lists = true;
    });
    delivery uploads(with_keys(dir));
    require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(server.count("CreateMultipartUpload") == 1);
}

TEST_CASE("parts whose checksums are not listed are known by their ETags, and not sent again", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const std::string content = random_bytes(17 * mib);
    const std::string algorithm = GENERATE("crc32c", "sha256");
    server.behave([](s3_behaviour& b) {
        b.lists_checksums = false;
        b.refuses_parts_after = 2;
    });
    delivery uploads(with_keys(dir));
    const job_id id = uploads.enqueue(one_file(dir, server, content, small_parts().parallel(1).checksum(algorithm)));
    REQUIRE(uploads.settled(id).status == status::failed);
    server.behave([](s3_behaviour& b) { b.refuses_parts_after = std::nullopt; });
    uploads.up().async_retry(id, asio::use_future).get();
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(server.count("UploadPart") == 3 + 2);
    CHECK((server.objects().begin()->second.data == content));
}

TEST_CASE("keys that may not list any more lose nothing of what was confirmed", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const std::string content = random_bytes(22 * mib);
    server.behave([](s3_behaviour& b) {
        b.etags_are_md5 = false;  // what is forgotten cannot be recognised
        b.refuses_parts_after = 2;
    });
    delivery uploads(with_keys(dir));
    const job_id id = uploads.enqueue(one_file(dir, server, content, small_parts().parallel(1)));
    REQUIRE(uploads.settled(id).status == status::failed);
    CHECK(server.count("UploadPart") == 3);
    server.behave([](s3_behaviour& b) { b.refuses_lists = true; });
    uploads.up().async_retry(id, asio::use_future).get();
    REQUIRE(uploads.settled(id).status == status::failed);
    server.behave([](s3_behaviour& b) {
        b.refuses_lists = false;
        b.refuses_parts_after = std::nullopt;
    });
    uploads.up().async_retry(id, asio::use_future).get();
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(server.count("CreateMultipartUpload") == 1);
    CHECK(server.count("UploadPart") == 3 + 1 + 3);
}

TEST_CASE("a condition that fails after a lost answer is somebody else's doing only where their object is", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const std::string content = random_bytes(100);
    const bool gone = GENERATE(false, true);
    server.behave([](s3_behaviour& b) { b.lost_completions = 1; });
    options how = patient_options(dir);
    how.protocols = with_keys(dir).protocols;
    delivery uploads(how);
    const job_id id = uploads.enqueue(one_file(dir, server, content, small_parts()).header("If-None-Match", "*"));
    REQUIRE(uploads.waiting(id).status == status::waiting);
    server.http().next(script("another").only_for("PUT").read_all().answer(
        {412, {}, "<Error><Code>PreconditionFailed</Code></Error>"}));
    const header_list anothers = {{"Content-Length", "100"}, {"x-amz-meta-waybill-upload", "another"}};
    server.http().next(script("seen").only_for("HEAD").answer(gone ? reply(404) : reply(200, anothers)));
    uploads.up().async_retry(id, asio::use_future).get();
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done));
    CHECK(done.status == (gone ? status::unknown_outcome : status::failed));
}

TEST_CASE("whose an object without our token is, its ETag says where it is an MD5", "[s3]") {
    struct shown {
        std::string etag;
        header_list more;
        status end;
    };
    const temp_dir dir;
    s3_server server;
    const std::string content = random_bytes(100);
    const std::string ours = "\"" + detail::to_hex(detail::digest_of("md5", content)) + "\"";
    const std::string anothers = "\"" + detail::to_hex(detail::digest_of("md5", "another")) + "\"";
    const std::vector<shown> all = {
        {ours, {}, status::completed},
        {anothers, {}, status::failed},
        {"\"opaque\"", {}, status::unknown_outcome},
        {anothers, {{"x-amz-server-side-encryption", "aws:kms"}}, status::unknown_outcome},
        {anothers, {{"x-amz-server-side-encryption-customer-algorithm", "AES256"}}, status::unknown_outcome},
    };
    const shown one = GENERATE_REF(from_range(all));
    CAPTURE(one.etag, one.more.size());
    server.behave([](s3_behaviour& b) { b.lost_completions = 1; });
    options how = patient_options(dir);
    how.protocols = with_keys(dir).protocols;
    delivery uploads(how);
    const job_id id = uploads.enqueue(one_file(dir, server, content, small_parts()).header("If-None-Match", "*"));
    REQUIRE(uploads.waiting(id).status == status::waiting);
    server.http().next(script("refuses").only_for("PUT").read_all().answer(
        {412, {}, "<Error><Code>PreconditionFailed</Code></Error>"}));
    header_list headers = {{"Content-Length", "100"}, {"ETag", one.etag}};
    headers.insert(headers.end(), one.more.begin(), one.more.end());
    server.http().next(script("shows").only_for("HEAD").answer({200, headers}));
    uploads.up().async_retry(id, asio::use_future).get();
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done));
    CHECK(done.status == one.end);
}

TEST_CASE("a page in place of S3 is no bucket, and costs no attempt", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const reply page(200, {{"Content-Type", "text/html"}}, "<html>Log in</html>");
    server.http().next(script("login page").only_for("PUT").read_all().answer(page));
    server.http().next(script("login page").only_for("HEAD").answer({200, {{"Content-Type", "text/html"}}}));
    options how = with_keys(dir);
    how.retry.attempts = 1;
    delivery uploads(how);
    const job_snapshot done = uploads.settled(uploads.enqueue(one_file(dir, server, "content", small_parts())));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(server.http().scripts_left() == 0);
    CHECK(server.objects().size() == 1);
}

TEST_CASE("keys that may only write leave a completion in doubt to the app", "[s3]") {
    const temp_dir dir;
    s3_server server;
    server.behave([](s3_behaviour& b) {
        b.lost_completions = 1;
        b.refuses_lists = true;
        b.hides = true;
    });
    const std::size_t size = GENERATE(12 * mib, std::size_t{100});
    delivery uploads(with_keys(dir));
    const job what = one_file(dir, server, random_bytes(size), small_parts()).header("If-None-Match", "*");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::unknown_outcome);
    CHECK(server.object_count() == 1);
}

TEST_CASE("the app's verifier decides about a completion in doubt", "[s3]") {
    const temp_dir dir;
    s3_server server;
    std::atomic<int> asked = 0;
    const verification decision = GENERATE(verification::delivered, verification::not_delivered);
    options how = with_keys(dir);
    how.verifiers["backend"] = [&](const job_snapshot&) -> asio::awaitable<verification> {
        server.behave([](s3_behaviour& b) { b.moves_completed = false; });
        co_return ++asked < 2 ? verification::unknown : decision;
    };
    delivery uploads(how);
    server.behave([](s3_behaviour& b) {
        b.empty_completions = 1;
        b.moves_completed = true;
    });
    job what = one_file(dir, server, random_bytes(6 * mib), small_parts());
    what.verify_with("backend");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(asked == 2);
    CHECK(server.count("CreateMultipartUpload") == (decision == verification::delivered ? 1 : 2));
}

TEST_CASE("an object that somebody else writes at the same time is sent again under its condition", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(GENERATE(12 * mib, std::size_t{100}));
    server.behave([](s3_behaviour& b) { b.conflicts = 1; });
    const job what = one_file(dir, server, content, small_parts()).header("If-None-Match", "*");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK((server.objects().at("/bucket/a file.bin").data == content));
    const bool in_parts = content.size() > 5 * mib;
    CHECK(server.count(in_parts ? "CreateMultipartUpload" : "PutObject") == 2);
    server.http().log().wait_until("the clean-up",
                                   [&](const http_log::requests&) { return server.open_uploads() == 0; });
}

TEST_CASE("an object that somebody else writes at the same time for ever is given up", "[s3]") {
    const temp_dir dir;
    s3_server server;
    options how = with_keys(dir);
    delivery uploads(how);
    server.behave([](s3_behaviour& b) { b.conflicts = 1'000'000; });
    const job what = one_file(dir, server, random_bytes(6 * mib), small_parts()).header("If-None-Match", "*");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    CHECK(done.status == status::failed);
    CHECK(done.error.code == make_http_error(409));
    CHECK(server.count("CreateMultipartUpload") == 9);
}

}  // namespace waybill::test
