// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/resumable.hpp>
#include <waybill/protocol/tus.hpp>

#include "loopback/s3_jobs.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_server.hpp"
#include "support/resumable_server.hpp"
#include "support/temp_dir.hpp"
#include "support/tus_server.hpp"

#include <asio/use_future.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

// Files that are gone, or others, after their last byte had left and nobody has heard what became of it.
namespace waybill::test {
namespace {

/// The answer to its last byte is lost; what became of it is asked when its file is gone.
job_snapshot deliver_without_file(job what, const options& how, const std::string& content,
                                  const std::string& change = "is deleted", int retries = 1) {
    const temp_dir files;
    const std::string path = files.write("a.bin", content);
    what.file(path);
    delivery uploads(how);
    const job_id id = uploads.enqueue(what);
    const job_snapshot held = uploads.waiting(id);
    INFO(describe(held));
    REQUIRE(held.status == status::waiting);
    if (change == "is deleted") {
        std::filesystem::remove(path);
    } else {
        files.write("a.bin", "other bytes");
    }
    for (int tried = 1; tried <= retries; ++tried) {
        uploads.up().async_retry(id, asio::use_future).get();
        static_cast<void>(uploads.wait_until(id, [&](const job_snapshot& j) {
            return j.terminal() || is_parked(j.status) || (j.status == status::waiting && j.attempt > tried);
        }));
    }
    job_snapshot end = uploads.settled(id);
    UNSCOPED_INFO(describe(end));
    return end;
}

/// What was sent is there, nobody hears of it, and the server does not talk of it either.
void lose_and_refuse(tus_server& server) {
    server.loses = [](const received_request& r) { return r.method == "PATCH"; };
    server.fault = [](const received_request& r) {
        return r.method == "HEAD" ? std::optional(reply(403, {{"Tus-Resumable", "1.0.0"}})) : std::nullopt;
    };
}

}  // namespace

TEST_CASE("of an upload whose last answer was lost the server is asked, for which its file is not needed") {
    const temp_dir dir;
    const std::string content = random_bytes(100'000);
    const bool digest = GENERATE(false, true);
    const auto change = GENERATE(as<std::string>(), "is deleted", "is another one");
    CAPTURE(digest, change);
    SECTION("tus") {
        tus_server server;
        server.loses = [lost = false](const received_request& r) mutable {
            return r.method == "PATCH" && !std::exchange(lost, true);
        };
        job what(server.url());
        what.via(digest ? tus{}.digest("sha-256") : tus{});
        CHECK(deliver_without_file(what, patient_options(dir), content, change).status == status::completed);
        CHECK(server.uploads().at("/files/1").data == content);
        CHECK(server.all("PATCH").size() == 1);
    }
    SECTION("resumable") {
        for (const bool form : {false, true}) {
            resumable_server server;
            server.behave([](resumable_behaviour& b) { b.lost_answers = 1; });
            server.http().next(script("busy").only_for("HEAD").read_all().answer({503}));
            resumable how = form ? resumable{}.as_form() : resumable{};
            job what(server.url("/x"));
            what.via(digest ? how.digest("sha-256") : how);
            CHECK(deliver_without_file(what, patient_options(dir), content, change).status == status::completed);
            CHECK(server.arrived().size() == 1);
        }
    }
    SECTION("s3") {
        s3_server server;
        server.behave([](s3_behaviour& b) { b.lost_completions = 1; });
        options how = patient_options(dir);
        how.protocols = with_keys(dir).protocols;
        job what(server.url("/bucket/x"));
        what.via(digest ? small_parts().digest("crc32c") : small_parts());
        CHECK(deliver_without_file(what, how, random_bytes(6 * mib), change).status == status::completed);
        CHECK(server.object_count() == 1);
        CHECK(server.count("CreateMultipartUpload") == 1);
    }
}

TEST_CASE("a job that may have arrived, and cannot be sent again, is set aside with the reason") {
    const temp_dir dir;
    const std::string content = random_bytes(1000);
    SECTION("a form whose file is another one, where the key would be repeated") {
        http_server server;
        server.next(script("lost").only_for("POST").read_all().reset());
        job what(server.url("/posts"));
        what.via(multipart{}).if_unknown(on_unknown::retry_same_key);
        const job_snapshot end = deliver_without_file(what, patient_options(dir), content, "is another one");
        CHECK(end.status == status::unknown_outcome);
        CHECK_THAT(end.error.message(), Catch::Contains(make_error_code(errc::file_changed).message()));
    }
    SECTION("an upload about which the server refuses to talk") {
        tus_server server;
        lose_and_refuse(server);
        job what(server.url());
        what.via(tus{});
        const job_snapshot end = deliver_without_file(what, patient_options(dir), content);
        CHECK(end.status == status::unknown_outcome);
        CHECK_THAT(end.error.message(), Catch::Contains("403"));
        CHECK(server.all("POST").size() == 1);
    }
}

TEST_CASE("a doubt about an item ends with it: what another one fails for is said") {
    const temp_dir dir;
    resumable_server server;
    server.behave([](resumable_behaviour& b) { b.lost_answers = 1; });
    server.http().next(script("busy").only_for("HEAD").read_all().answer({503}));
    const std::string second = dir.write("second", random_bytes(1000));
    delivery uploads(patient_options(dir));
    job what(server.url("/x"));
    what.via(resumable{}).file(dir.write("first", random_bytes(1000))).file(second);
    const job_id id = uploads.enqueue(what);
    REQUIRE(uploads.waiting(id).status == status::waiting);
    std::filesystem::remove(second);
    uploads.up().async_retry(id, asio::use_future).get();
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end));
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::source_missing);
    CHECK(end.item(0).status == item_status::completed);
    CHECK(server.arrived().size() == 1);
}

TEST_CASE("an upload whose server lies about it after its last byte is given up, and no doubt") {
    const temp_dir dir;
    tus_server server;
    server.loses = [](const received_request& r) { return r.method == "PATCH"; };
    server.fault = [](const received_request& r) -> std::optional<reply> {
        return r.method == "HEAD" ? std::optional(reply(200, {{"Tus-Resumable", "1.0.0"}, {"Upload-Offset", "2000"}}))
                                  : std::nullopt;
    };
    job what(server.url());
    what.via(tus{});
    const job_snapshot end = deliver_without_file(what, patient_options(dir), random_bytes(1000));
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::wrong_offset);
}

TEST_CASE(
    "for an app that accepts a duplicate an upload that is not shown is sent again, for which its file is needed") {
    const temp_dir dir;
    tus_server server;
    lose_and_refuse(server);
    job what(server.url());
    what.via(tus{}).if_unknown(on_unknown::retry);
    const job_snapshot end = deliver_without_file(what, patient_options(dir), random_bytes(1000), "is deleted", 2);
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::source_missing);
}

TEST_CASE("the app's backend is asked about an upload of which the server refuses to talk") {
    const temp_dir dir;
    tus_server server;
    lose_and_refuse(server);
    const auto knows = GENERATE(verification::delivered, verification::not_delivered);
    options how = patient_options(dir);
    how.verifiers["backend"] = [&](const job_snapshot&) -> asio::awaitable<verification> { co_return knows; };
    job what(server.url());
    what.via(tus{}).verify_with("backend");
    const job_snapshot end = deliver_without_file(what, how, random_bytes(1000));
    CHECK(end.status == (knows == verification::delivered ? status::completed : status::failed));
}

}  // namespace waybill::test
