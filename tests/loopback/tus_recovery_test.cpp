// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/digest.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/tus.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/eventually.hpp"
#include "support/temp_dir.hpp"
#include "support/tus_server.hpp"

#include <asio/use_future.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

// What becomes of a tus upload when its server forgets it, when answers are lost, and when its process is another one
// later.
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

/// A job whose first request breaks in mid-body; it must arrive as the server's second upload.
void require_begun_anew(const temp_dir& dir, tus_server& server) {
    server.http.next(server.cut_after(1'000'000));
    const std::string content = random_bytes(beyond_buffers);
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(uploads.enqueue(one_file(dir.write("a", content), server)));
    INFO(describe(end));
    CHECK(end.status == status::completed);
    CHECK(server.all("POST").size() == 2);
    CHECK((server.uploads().at("/files/2").data == content));
    CHECK(server.all("PATCH").back().header("Upload-Offset") == "0");
}

}  // namespace

TEST_CASE("an upload that is gone when it is asked about is begun anew", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    const int number = GENERATE(404, 410, 403);
    CAPTURE(number);
    std::atomic<int> left = 1;
    server.fault = [&](const received_request& r) {
        return r.method == "HEAD" && left-- > 0 ? std::optional(reply(number, {{"Tus-Resumable", "1.0.0"}}))
                                                : std::nullopt;
    };
    require_begun_anew(dir, server);
}

TEST_CASE("not found by something that does not speak tus is asked again before the upload is given up", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    const int number = GENERATE(404, 410, 403);
    CAPTURE(number);
    server.http.next(server.cut_after(1'000'000));
    server.http.next(script("a proxy").only_for("HEAD").read_all().answer({number}));
    delivery uploads(quick_options(dir));
    const std::string content = random_bytes(beyond_buffers);
    const job_snapshot end = uploads.settled(uploads.enqueue(one_file(dir.write("a", content), server)));
    INFO(describe(end));
    CHECK(end.status == status::completed);
    CHECK(server.http.scripts_left() == 0);
    CHECK(server.all("POST").size() == 1);
    CHECK((server.uploads().at("/files/1").data == content));
}

TEST_CASE("a server that lets an upload neither be looked at nor created keeps it, and the job says why", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    server.http.next(server.cut_after(1'000'000));
    std::atomic<bool> created = false;
    std::atomic<bool> forgives = false;
    server.fault = [&](const received_request& r) {
        const bool refuses = created && !forgives;
        created = created || r.method == "POST";
        return refuses ? std::optional(reply(403, {{"Tus-Resumable", "1.0.0"}})) : std::nullopt;
    };
    delivery uploads(quick_options(dir));
    const std::string content = random_bytes(beyond_buffers);
    const job_id id = uploads.enqueue(one_file(dir.write("a", content), server));
    const job_snapshot refused = uploads.settled(id);
    INFO(describe(refused));
    CHECK(refused.status == status::failed);
    CHECK(refused.error.code == make_http_error(403));
    forgives = true;
    uploads.up().async_retry(id, asio::use_future).get();
    const job_snapshot end = uploads.settled(id);
    CHECK(end.status == status::completed);
    CHECK(server.uploads().size() == 1);  // it went on
    CHECK(server.all("PATCH").back().header("Upload-Offset") != "0");
}

TEST_CASE("whether an upload has expired is asked of its server, not of our clock", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    server.expires = "Wed, 25 Jun 2014 16:00:00 GMT";
    server.http.next(server.cut_after(1'000'000));
    const std::string content = random_bytes(beyond_buffers);
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(uploads.enqueue(one_file(dir.write("a", content), server)));
    INFO(describe(end));
    CHECK(end.status == status::completed);
    CHECK(server.all("POST").size() == 1);
    CHECK((server.uploads().at("/files/1").data == content));
}

TEST_CASE("an upload whose end the server has lost is begun anew, unless it may have been finished", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    std::atomic<int> left = 1;
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        if (r.method != "HEAD" || left-- <= 0) {
            return std::nullopt;
        }
        return reply(200, {{"Tus-Resumable", "1.0.0"}, {"Upload-Offset", "99999"}});
    };
    const std::string content = random_bytes(300'000);
    const bool finished = GENERATE(false, true);
    const std::string lost_at = finished ? "200000" : "100000";
    server.loses = [&](const received_request& r) { return appends(r) && r.header("Upload-Offset") == lost_at; };
    delivery uploads(quick_options(dir));
    job what = one_file(dir.write("a", content), server, tus{}.chunk_size(100'000));
    const job_id id = uploads.enqueue(what);
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end));
    if (finished) {
        CHECK(end.status == status::unknown_outcome);
        CHECK(server.all("POST").size() == 1);
        return;
    }
    CHECK(end.status == status::completed);
    CHECK((server.uploads().at("/files/2").data == content));
    eventually("the clean-up", [&] { return server.uploads().size() == 1; });
}

TEST_CASE("a limit that a server hangs up with is heard, and obeyed by smaller requests", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    const std::uint64_t most = GENERATE(std::uint64_t(3'000'000), std::uint64_t(1000));
    CAPTURE(most);
    server.http.always(script("in front").then([&](exchange& x) {
        x.read_head();
        const received_request head = x.seen();
        const auto size = parse_decimal(head.header("Content-Length")).value_or(0);
        if (size <= most) {
            server.serve_one(x);
        } else if (head.has_header("Expect")) {
            x.answer({413, {{"Connection", "close"}}, "at most 3 MB"});
        } else {
            x.read_body(100'000);
            x.wire().reset();
        }
    }));
    const std::string content = random_bytes(2 * beyond_buffers);
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(uploads.enqueue(one_file(dir.write("a", content), server)));
    INFO(describe(end));
    INFO(describe(server.http.requests()));
    CHECK(end.attempt <= 6);
    if (most == 1000) {
        CHECK(end.status == status::failed);
        CHECK(end.error.code == make_http_error(413));
        CHECK(end.error.details.excerpt == "at most 3 MB");
        return;
    }
    CHECK(end.status == status::completed);
    CHECK((server.uploads().at("/files/1").data == content));
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
        options persistent = quick_options(dir);
        persistent.retry.attempts = 1'000'000;
        delivery uploads(persistent);
        id = uploads.enqueue(one_file(dir.write("a", content), server, tus{}.chunk_size(5'000'000).digest(algorithm)));
        uploads.wait_until(id, [](const job_snapshot& j) { return j.confirmed == 5'000'000; });
        uploads.stop();
    }
    refuses = false;
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end));
    CHECK(end.status == status::completed);
    CHECK(end.item(0).receipt == server.http.url("/files/1") + " " + algorithm +
                                     "=:" + detail::to_base64(detail::digest_of(algorithm, content)) + ":");
}

TEST_CASE("a whole that was made of parts is not made again, though its parts are gone and it cannot be looked at",
          "[tus]") {
    const temp_dir dir;
    tus_server server;
    const int refusal = GENERATE(503, 403, 400);
    CAPTURE(refusal);
    std::atomic<int> refusals = 1;
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        const bool whole = r.method == "HEAD" && r.target == "/files/3";
        return whole && refusals-- > 0 ? std::optional(reply(refusal)) : std::nullopt;
    };
    server.afterthought = [&](const received_request& r) -> std::optional<reply> {
        if (r.header("Upload-Concat").starts_with("final")) {
            server.remove("/files/1");
            server.remove("/files/2");
        }
        return std::nullopt;
    };
    const std::string content = random_bytes(2 << 20);
    delivery uploads(quick_options(dir));
    const job_snapshot end =
        uploads.settled(uploads.enqueue(one_file(dir.write("a", content), server, tus{}.parallel(2))));
    INFO(describe(end));
    CHECK(end.status == status::completed);
    CHECK(server.all("POST").size() == 3);
    REQUIRE(server.uploads().size() == 1);
    CHECK((server.uploads().at("/files/3").data == content));
}

TEST_CASE("parts that are sent at once go on each where it was, also by the next process", "[tus]") {
    const temp_dir dir;
    tus_server server;
    std::atomic<bool> refuses = true;
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        const bool even = r.target == "/files/2" || r.target == "/files/4";
        return appends(r) && even && refuses ? std::optional(reply(503)) : std::nullopt;
    };
    const std::string content = random_bytes(4 << 20);
    job_id id;
    {
        options persistent = quick_options(dir);
        persistent.retry.attempts = 1'000'000;
        delivery uploads(persistent);
        id = uploads.enqueue(one_file(dir.write("a", content), server, tus{}.parallel(4)));
        uploads.wait_until(id, [](const job_snapshot& j) { return j.confirmed == 2 << 20; });
        uploads.stop();
    }
    refuses = false;
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end));
    CHECK(end.status == status::completed);
    // Four parts and the whole; a part whose creation was not heard of when another one was refused is created again.
    CHECK(server.all("POST").size() >= 5);
    CHECK(server.all("POST").size() <= 7);
    std::size_t copies = 0;
    for (const auto& [path, upload] : server.uploads()) {
        const bool whole = upload.data == content;
        copies += whole ? 1 : 0;
        CHECK((!whole || end.item(0).receipt == server.http.url(path)));
    }
    CHECK(copies == 1);
    const auto patches = server.all("PATCH");
    // Once more at the most: when it was interrupted before the server had looked at it.
    CHECK(std::count_if(patches.begin(), patches.end(),
                        [](const received_request& r) { return r.target == "/files/1" && r.complete; }) <= 2);
}

TEST_CASE("a concatenation whose answer was lost is not made twice", "[tus]") {
    const temp_dir dir;
    tus_server server;
    server.loses = [](const received_request& r) { return r.header("Upload-Concat").starts_with("final;"); };
    delivery uploads(quick_options(dir));
    const job_snapshot end =
        uploads.settled(uploads.enqueue(one_file(dir.write("a", random_bytes(2 << 20)), server, tus{}.parallel(2))));
    INFO(describe(end));
    CHECK(end.status == status::unknown_outcome);
    CHECK(server.all("POST").size() == 3);
    CHECK(server.uploads().size() == 3);
}

TEST_CASE("an upload whose last answer was lost is found complete, and nothing of it is sent again", "[tus]") {
    const temp_dir dir;
    tus_server server;
    server.loses = appends;
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(uploads.enqueue(one_file(dir.write("a", "content"), server)));
    INFO(describe(end));
    CHECK(end.status == status::completed);
    CHECK(server.all("PATCH").size() == 1);
    CHECK(server.uploads().at("/files/1").data == "content");
}

TEST_CASE("a creation whose answer was lost costs an empty upload, and not one byte", "[tus]") {
    const temp_dir dir;
    tus_server server;
    std::atomic<int> left = 1;
    server.loses = [&](const received_request& r) { return r.method == "POST" && left-- > 0; };
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(uploads.enqueue(one_file(dir.write("a", "content"), server)));
    INFO(describe(end));
    CHECK(end.status == status::completed);
    CHECK(server.uploads().at("/files/1").data.empty());
    CHECK(server.uploads().at("/files/2").data == "content");
}

TEST_CASE("the upload of a job that has become too old is removed from its server", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    server.http.next(server.cut_after(1'000'000));
    server.fault = [](const received_request& r) {
        return r.method == "HEAD" ? std::optional(reply(503)) : std::nullopt;
    };
    job_id id;
    {
        options persistent = quick_options(dir);
        persistent.retry.attempts = 1'000'000;
        delivery uploads(persistent);
        id = uploads.enqueue(one_file(dir.write("a", random_bytes(beyond_buffers)), server));
        REQUIRE(uploads.waiting(id).status == status::waiting);
        uploads.stop();
    }
    options strict = quick_options(dir);
    strict.retry.max_age = std::chrono::hours(0);
    delivery uploads(strict);
    const job_snapshot end = uploads.settled(id);
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::expired);
    server.http.log().wait_until(
        "the clean-up", [](const http_log::requests& all) { return all.back().method == "DELETE" && all.back().over; });
    CHECK(server.uploads().empty());
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
        REQUIRE(uploads.settled(id).status == status::failed);
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
    {
        delivery uploads(quick_options(dir));
        const job_id id = uploads.enqueue(one_file(dir.write("a", random_bytes(beyond_buffers)), server));
        server.http.wait_for_body(2, 1'000);
        uploads.up().async_cancel(id, asio::use_future).get();
        server.http.log().wait_until("a refusal", [&](const auto& all) { return removals(all) > 0; });
        uploads.stop();
    }
    CHECK(server.uploads().size() == 1);
    down = false;
    const delivery next(quick_options(dir));
    eventually("the clean-up", [&] { return server.uploads().empty(); });
}

}  // namespace waybill::test
