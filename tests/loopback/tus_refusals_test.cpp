// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/tus.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/temp_dir.hpp"
#include "support/tus_server.hpp"

#include <asio/use_future.hpp>

#include <atomic>
#include <string>

// What becomes of a tus upload when its server refuses for good, contradicts itself or talks nonsense.
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
    CHECK(end.status == status::failed);
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
    CHECK(end.status == status::failed);
    CHECK(end.error.details.http_status == number);
    CHECK(server.all("POST").size() == 9);
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
    CHECK(end.status == status::failed);
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
    CHECK(end.status == status::completed);
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
    CHECK(end.status == status::completed);
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
    REQUIRE(uploads.settled(id).status == status::failed);
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
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::invalid_response);
    CHECK(server.all("POST").size() == 2);
}

}  // namespace waybill::test
