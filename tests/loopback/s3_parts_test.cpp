// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/digest.hpp>

#include "loopback/s3_jobs.hpp"

#include <asio/use_future.hpp>

#include <algorithm>
#include <memory>
#include <string>

// An item in parts by S3: those the server has, those it lost, and those that are not what was sent.
namespace waybill::test {

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
    CHECK(done.status == status::failed);
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
    CHECK(uploads.settled(id).status == status::completed);
    CHECK((server.objects().begin()->second.data == content));
    CHECK(server.count("UploadPart") == 4);
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
    CHECK(done.status == status::completed);
    CHECK((server.objects().begin()->second.data == content));
    CHECK(server.count("CreateMultipartUpload") == 2);
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
    CHECK(uploads->settled(id).status == status::canceled);
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
    CHECK(uploads.settled(uploads.enqueue(what)).status == status::completed);
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
    CHECK(done.status == status::completed);
    CHECK((server.objects().begin()->second.data == content));
    CHECK(server.count("CreateMultipartUpload") == 1);
    CHECK(server.count("UploadPart") == 6 + 0);  // the held one did not reach the operation's count
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
    CHECK(done.status == status::failed);
    CHECK(done.error.code == errc::file_changed);
    CHECK(server.objects().empty());
}

TEST_CASE("a part without an ETag is known by its MD5, and not sent again", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(12 * mib);
    server.behave([](s3_behaviour& b) { b.missing_etags = 1; });
    require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(server.count("UploadPart") == 3);
    require_lawful(server);
}

TEST_CASE("one part refused among many is sent again within the attempt", "[s3]") {
    const temp_dir dir;
    s3_server server;
    server.behave([](s3_behaviour& b) { b.refuses_every = 3; });
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(32 * mib);
    const job_snapshot done =
        require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(done.attempt == 1);
    CHECK(server.count("CreateMultipartUpload") == 1);
    CHECK(server.count("UploadPart") >= 7 + 3);
    require_lawful(server);
}

TEST_CASE("where no part at all is taken the attempt ends", "[s3]") {
    const temp_dir dir;
    s3_server server;
    server.behave([](s3_behaviour& b) { b.slow_downs = 4; });
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(22 * mib);
    const job_snapshot done =
        require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(done.attempt == 3);
    CHECK(server.count("UploadPart") == 5 + 4);
}

TEST_CASE("a part that is refused each time ends the attempt though others are taken", "[s3]") {
    const temp_dir dir;
    s3_server server;
    options how = with_keys(dir);
    how.retry.attempts = 2;
    delivery uploads(how);
    const auto is_poison = [](const received_request& r) {
        return r.method == "PUT" && r.target.find("partNumber=2") != std::string::npos;
    };
    for (int i = 0; i < 50; ++i) {
        server.http().next(script("poison").only_if(is_poison).read_all().answer({500}));
    }
    const job_snapshot done =
        uploads.settled(uploads.enqueue(one_file(dir, server, random_bytes(17 * mib), small_parts())));
    INFO(describe(done));
    CHECK(done.status == status::failed);
    CHECK(done.error.code == make_http_error(500));
    CHECK(done.attempt <= 3);
    CHECK(server.count("UploadPart") == 3);
}

TEST_CASE("a server that does not list parts gets those once more that it may have lost", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const auto [what, instead] = GENERATE(table<std::string, reply>(
        {{"405", {405, {}, "<Error><Code>MethodNotAllowed</Code></Error>"}},
         {"501", {501, {}, "<Error><Code>NotImplemented</Code></Error>"}},
         {"404", {404, {}, "<Error><Code>NoSuchKey</Code></Error>"}},  // it was asked for the object, it thinks
         {"400", {400}},
         {"a page", {200, {{"Content-Type", "text/html"}}, "<html>Welcome</html>"}},
         {"nothing", {200}},
         {"another list", {200, {}, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"}}}));
    CAPTURE(what);
    const bool restarted = GENERATE(false, true);
    server.behave([&, &instead = instead](s3_behaviour& b) {
        b.instead_of_list = instead;
        b.etags_are_md5 = false;
        b.lost_part_answers = restarted ? 0 : 1;
        b.refuses_parts_after = restarted ? std::optional<std::uint64_t>(2) : std::nullopt;
    });
    const std::string content = random_bytes(12 * mib);
    delivery uploads(with_keys(dir));
    const job_id id = uploads.enqueue(one_file(dir, server, content, small_parts().parallel(1)));
    if (restarted) {
        REQUIRE(uploads.settled(id).status == status::failed);
        server.behave([](s3_behaviour& b) { b.refuses_parts_after = std::nullopt; });
        uploads.up().async_retry(id, asio::use_future).get();
    }
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK((server.objects().begin()->second.data == content));
    CHECK(server.count("CreateMultipartUpload") == 1);
    CHECK(server.count("UploadPart") == (restarted ? 3 + 3 : 3 + 1));
}

TEST_CASE("an upload that is gone is begun anew, whatever the server calls it", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(17 * mib);
    server.behave([](s3_behaviour& b) {
        b.lost_part_answers = 1;
        b.gone_code = "NoSuchKey";
    });
    const valve go;
    server.http().next(held_list(server, go));
    const job_id id = uploads.enqueue(one_file(dir, server, content, small_parts()));
    wait_for_list(server);
    server.abort_all();
    go.open();
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK((server.objects().begin()->second.data == content));
    CHECK(server.count("CreateMultipartUpload") == 2);
}

TEST_CASE("bytes are sent with their MD5 to a bucket that wants it", "[s3]") {
    const temp_dir dir;
    s3_server server;
    server.behave([](s3_behaviour& b) { b.wants_md5 = true; });
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(GENERATE(17 * mib, std::size_t{100}));
    const job_snapshot done =
        require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(done.attempt == 1);
    require_lawful(server);
}

TEST_CASE("a list of parts that goes round in circles is not followed", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    server.behave([](s3_behaviour& b) {
        b.missing_etags = 1;  // so that there is a list
        b.list_page = 1;
        b.lists_loop = true;
    });
    const std::string content = random_bytes(17 * mib);
    require_delivered(uploads, server, one_file(dir, server, content, small_parts()), content);
    CHECK(server.count("ListParts") == 2);
    CHECK(server.count("UploadPart") == 4 + 1);  // the one that nobody has heard of
}

TEST_CASE("the checksum of a whole object is sent, compared, and in its receipt", "[s3]") {
    const temp_dir dir;
    s3_server server({}, reads_little());
    const std::string content = random_bytes(GENERATE(17 * mib + 5, std::size_t{100}));
    const std::string sum = detail::to_base64(detail::digest_of("crc32c", content));
    const bool in_parts = content.size() > 5 * mib;
    server.behave([](s3_behaviour& b) {
        b.cuts = {1'000'000};  // parts that are listed later count, too
        b.lost_part_answers = 1;
        b.lost_completions = 1;
    });
    delivery uploads(with_keys(dir));
    const job what = one_file(dir, server, content, small_parts().digest("crc32c"));
    const job_snapshot done = require_delivered(uploads, server, what, content);
    CHECK_THAT(done.item(0).receipt, Catch::EndsWith(" crc32c=:" + sum + ":"));
    std::size_t sent = 0;
    for (const received_request& r : server.http().requests()) {
        const bool of_whole = r.method == "POST" && r.has_header("x-amz-checksum-crc32c");
        sent += of_whole && r.header("x-amz-checksum-crc32c") == sum ? 1 : 0;
    }
    CHECK(sent == (in_parts ? 1 : 0));
    require_lawful(server);
}

TEST_CASE("an object whose checksum at the server is another one is no success", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const int lost = GENERATE(0, 1);
    server.behave([lost](s3_behaviour& b) {
        b.damages_objects = true;
        b.lost_completions = lost;
    });
    delivery uploads(with_keys(dir));
    const job_snapshot done =
        uploads.settled(uploads.enqueue(one_file(dir, server, random_bytes(6 * mib), small_parts().digest("crc32c"))));
    INFO(describe(done));
    // What an earlier request sent is not known any more: the file may have been edited since.
    CHECK(done.status == (lost == 0 ? status::failed : status::unknown_outcome));
    CHECK(done.error.code == (lost == 0 ? errc::invalid_response : errc::outcome_unknown));
    CHECK(server.count("CreateMultipartUpload") == 1);
}

}  // namespace waybill::test
