// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/digest.hpp>
#include <waybill/protocol/tus.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/temp_dir.hpp"
#include "support/tus_server.hpp"

#include <asio/use_future.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <string>

// What becomes of a tus upload when its server refuses, forgets, expires or lies, and when its file or its
// process is another one later.
namespace waybill::test {
namespace {

job one_file(const std::string& file, const tus_server& server, const tus& how = tus{}) {
    job what(server.url());
    what.via(how).file(file);
    return what;
}

bool appends(const received_request& r) {
    return r.method == "PATCH";
}

}  // namespace

TEST_CASE("a tus server's refusal that does not pass fails the job, after a bounded number of requests", "[tus]") {
    const temp_dir dir;
    tus_server server;
    const int number = GENERATE(400, 403, 409, 412, 413, 415, 460, 501);
    CAPTURE(number);
    server.fault = [&](const received_request& r) {
        return appends(r) ? std::optional(reply(number, {{"Tus-Resumable", "1.0.0"}})) : std::nullopt;
    };
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(
        uploads.enqueue(one_file(dir.write("a", random_bytes(500'000)), server, tus{}.checksum("sha1"))));
    INFO(describe(end));
    CHECK(end.now == status::failed);
    CHECK(end.error.details.http_status == number);
    CHECK(server.all("PATCH").size() <= 4);
    CHECK(server.all("POST").size() == 1);
    if (number == 413) {
        CHECK(server.all("PATCH").back().body_length < 128 << 10);  // halved before it was given up
    }
}

TEST_CASE("a server that forgets every upload is not fed for ever", "[tus]") {
    const temp_dir dir;
    tus_server server;
    const int number = GENERATE(404, 410);
    CAPTURE(number);
    server.fault = [&](const received_request& r) {
        return appends(r) ? std::optional(reply(number, {{"Tus-Resumable", "1.0.0"}})) : std::nullopt;
    };
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(uploads.enqueue(one_file(dir.write("a", "content"), server)));
    INFO(describe(end));
    CHECK(end.now == status::failed);
    CHECK(end.error.details.http_status == number);
    CHECK(server.all("POST").size() == 9);
}

TEST_CASE("an upload that is gone when it is asked about is begun anew", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    const int number = GENERATE(404, 410);
    CAPTURE(number);
    std::atomic<int> left = 1;
    server.fault = [&](const received_request& r) {
        return r.method == "HEAD" && left-- > 0 ? std::optional(reply(number)) : std::nullopt;
    };
    server.http.next(server.cut_after(1'000'000));
    const std::string content = random_bytes(beyond_buffers);
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(uploads.enqueue(one_file(dir.write("a", content), server)));
    INFO(describe(end));
    CHECK(end.now == status::completed);
    CHECK(server.all("POST").size() == 2);
    CHECK((server.uploads().at("/files/2").data == content));
    CHECK(server.all("PATCH").back().header("Upload-Offset") == "0");
}

TEST_CASE("an upload whose Upload-Expires has passed is not asked about but begun anew", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    server.expires = "Wed, 25 Jun 2014 16:00:00 GMT";
    std::atomic<int> created = 0;
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        if (r.method == "POST" && ++created == 2) {
            server.expires.clear();
        }
        return std::nullopt;
    };
    server.http.next(server.cut_after(1'000'000));
    const std::string content = random_bytes(beyond_buffers);
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(uploads.enqueue(one_file(dir.write("a", content), server)));
    INFO(describe(end));
    CHECK(end.now == status::completed);
    CHECK(server.all("POST").size() == 2);
    CHECK(server.all("HEAD").empty());
    CHECK((server.uploads().at("/files/2").data == content));
}

TEST_CASE("a tus upload whose file is another one later fails with the file's name, and stays unfinished", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    server.http.next(server.cut_after(1'000'000));
    const std::string file = dir.write("a.bin", random_bytes(beyond_buffers));
    options patient = quick_options(dir);
    patient.retry.base = patient.retry.floor = patient.retry.cap = std::chrono::hours(1);
    delivery uploads(patient);
    const job_id id = uploads.enqueue(one_file(file, server));
    REQUIRE(uploads.waiting(id).now == status::waiting);
    std::ofstream(file, std::ios::app | std::ios::binary) << "more";
    uploads.up().async_retry(id, asio::use_future).get();
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end));
    CHECK(end.now == status::failed);
    CHECK(end.error.code == errc::file_changed);
    CHECK_THAT(end.error.message(), Catch::Contains("a.bin"));
    CHECK(server.all("PATCH").size() == 1);
    CHECK(server.uploads().at("/files/1").data.size() == 1'000'000);
}

TEST_CASE("a success that goes back behind what was sent ends the upload", "[tus]") {
    const temp_dir dir;
    tus_server server;
    const std::string offset = GENERATE("6", "99999", "200001", "18446744073709551615");
    CAPTURE(offset);
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        if (appends(r) && r.header("Upload-Offset") == "100000") {
            return reply(204, {{"Tus-Resumable", "1.0.0"}, {"Upload-Offset", offset}});
        }
        return std::nullopt;
    };
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(
        uploads.enqueue(one_file(dir.write("a", random_bytes(300'000)), server, tus{}.chunk_size(100'000))));
    CHECK(end.now == status::failed);
    CHECK(end.error.code == errc::wrong_offset);
}

TEST_CASE("an offset that is no number is no answer", "[tus]") {
    const temp_dir dir;
    tus_server server;
    const std::string offset = GENERATE("", "-1", "+5", "0x10", "7 7", "18446744073709551616", "all");
    CAPTURE(offset);
    std::atomic<int> left = 2;
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        if ((appends(r) || r.method == "HEAD") && left-- > 0) {
            return reply(r.method == "HEAD" ? 200 : 204, {{"Tus-Resumable", "1.0.0"}, {"Upload-Offset", offset}});
        }
        return std::nullopt;
    };
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(uploads.enqueue(one_file(dir.write("a", "content"), server)));
    INFO(describe(end));
    CHECK(end.now == status::completed);
    CHECK(server.uploads().at("/files/1").data == "content");
}

TEST_CASE("where PATCH and DELETE are blocked tus sends POST and says what is meant", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    server.knows_override = true;
    delivery uploads(quick_options(dir));
    const std::string content = random_bytes(300'000);
    const job_snapshot end = uploads.settled(
        uploads.enqueue(one_file(dir.write("a", content), server, tus{}.override_method().chunk_size(100'000))));
    INFO(describe(end));
    CHECK(end.now == status::completed);
    CHECK((server.uploads().at("/files/1").data == content));
    CHECK(server.all("PATCH").empty());
    CHECK(server.all("POST").size() == 4);
}

TEST_CASE("removing a failed job removes its upload from the server, by POST where methods are overridden", "[tus]") {
    const temp_dir dir;
    tus_server server;
    server.knows_override = true;
    const bool overrides = GENERATE(false, true);
    CAPTURE(overrides);
    server.fault = [&](const received_request& r) {
        return r.header("Upload-Offset") == "100000" ? std::optional(reply(403)) : std::nullopt;
    };
    tus how = tus{}.chunk_size(100'000);
    if (overrides) {
        how.override_method();
    }
    delivery uploads(quick_options(dir));
    const job_id id = uploads.enqueue(one_file(dir.write("a", random_bytes(300'000)), server, how));
    REQUIRE(uploads.settled(id).now == status::failed);
    CHECK(server.uploads().size() == 1);  // a retry could continue it
    uploads.up().async_remove(id, asio::use_future).get();
    server.http.log().wait_until("the clean-up", [&](const http_log::requests& all) {
        const bool removes = all.back().method == "DELETE" || all.back().header("X-HTTP-Method-Override") == "DELETE";
        return removes && all.back().over;
    });
    CHECK(server.uploads().empty());
    CHECK(server.all("DELETE").size() == (overrides ? 0 : 1));
}

TEST_CASE("a server that takes an overridden method for a new upload fails the job: it is not fed twice", "[tus]") {
    const temp_dir dir;
    tus_server server;
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        if (r.has_header("X-HTTP-Method-Override")) {
            return reply(201, {{"Tus-Resumable", "1.0.0"}, {"Location", "/files/99"}});
        }
        return std::nullopt;
    };
    delivery uploads(quick_options(dir));
    const job_snapshot end =
        uploads.settled(uploads.enqueue(one_file(dir.write("a", "content"), server, tus{}.override_method())));
    CHECK(end.now == status::failed);
    CHECK(end.error.code == errc::invalid_response);
    CHECK(server.all("POST").size() == 2);
}

TEST_CASE("the digest of an item survives breaks and restarts, and is in its receipt", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    const std::string algorithm = GENERATE("sha-256", "crc32c");
    const std::string content = random_bytes(beyond_buffers + 5);
    std::atomic<bool> refuses = true;
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        const bool second = appends(r) && r.header("Upload-Offset") == "5000000";
        return second && refuses ? std::optional(reply(503)) : std::nullopt;
    };
    job_id id;
    {
        delivery uploads(quick_options(dir));
        id = uploads.enqueue(one_file(dir.write("a", content), server, tus{}.chunk_size(5'000'000).digest(algorithm)));
        uploads.wait_until(id, [](const job_snapshot& j) { return j.confirmed == 5'000'000; });
        uploads.stop();
    }
    refuses = false;
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end));
    CHECK(end.now == status::completed);
    CHECK(end.item(0).receipt == server.http.url("/files/1") + " " + algorithm +
                                     "=:" + detail::to_base64(detail::digest_of(algorithm, content)) + ":");
}

TEST_CASE("when a failed job is forgotten after its time its upload is removed from the server", "[tus]") {
    const temp_dir dir;
    tus_server server;
    server.fault = [&](const received_request& r) {
        return r.header("Upload-Offset") == "100000" ? std::optional(reply(403)) : std::nullopt;
    };
    {
        delivery uploads(quick_options(dir));
        const job_id id =
            uploads.enqueue(one_file(dir.write("a", random_bytes(300'000)), server, tus{}.chunk_size(100'000)));
        REQUIRE(uploads.settled(id).now == status::failed);
        uploads.stop();
    }
    CHECK(server.uploads().size() == 1);
    options forgetful = quick_options(dir);
    forgetful.keep_finished = std::chrono::hours(0);
    const delivery next(forgetful);
    server.http.log().wait_until("the clean-up", [&](const http_log::requests& all) {
        return all.back().method == "DELETE" && all.back().over;
    });
    CHECK(server.uploads().empty());
}

TEST_CASE("a canceled upload is removed from its server later, and by the next process, when it is down now", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    std::atomic<bool> down = true;
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        return r.method == "DELETE" && down ? std::optional(reply(503)) : std::nullopt;
    };
    server.http.next(script("held").only_for("PATCH").read_body(1'000).hold());
    const auto removals = [](const http_log::requests& all) {
        return std::count_if(all.begin(), all.end(),
                             [](const received_request& r) { return r.method == "DELETE" && r.over; });
    };
    std::ptrdiff_t refused = 0;
    {
        delivery uploads(quick_options(dir));
        const job_id id = uploads.enqueue(one_file(dir.write("a", random_bytes(beyond_buffers)), server));
        server.http.wait_for_body(2, 1'000);
        uploads.up().async_cancel(id, asio::use_future).get();
        server.http.log().wait_until("a refusal", [&](const auto& all) { return removals(all) > 0; });
        uploads.stop();
        refused = removals(server.http.requests());
    }
    CHECK(server.uploads().size() == 1);
    down = false;
    const delivery next(quick_options(dir));
    server.http.log().wait_until("the clean-up", [&](const auto& all) { return removals(all) > refused; });
    CHECK(server.uploads().empty());
}

}  // namespace waybill::test
