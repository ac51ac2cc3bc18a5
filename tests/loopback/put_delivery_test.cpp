// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/put.hpp>

#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"

#include <asio/use_future.hpp>

#include <chrono>
#include <filesystem>
#include <set>
#include <string>

#include <sys/stat.h>

// Whole jobs, from acceptance to their end, by PUT.
namespace waybill::test {
namespace {

using std::chrono::milliseconds;

}  // namespace

TEST_CASE("a job's items arrive one after the other under their names") {
    const temp_dir dir;
    http_server server;
    delivery uploads(quick_options(dir));
    job what(server.url("/in/"));
    what.file(dir.write("plain.txt", "plain"));
    what.add(item::file(dir.write("two", random_bytes(200'000))).name("größe 50% \"x\"#?.bin").content_type("text/x"));
    what.bytes("memory", "from memory");
    what.header("X-Album", "Istanbul");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(done.sent == done.size());
    const auto seen = server.requests();
    REQUIRE(seen.size() == 3);
    CHECK(seen[0].target == "/in/plain.txt");
    CHECK(seen[0].body == "plain");
    CHECK(seen[1].target == "/in/gr%C3%B6%C3%9Fe%2050%25%20%22x%22%23%3F.bin");
    CHECK(seen[1].body == random_bytes(200'000));
    CHECK(seen[1].header("Content-Type") == "text/x");
    CHECK(seen[2].target == "/in/memory");
    CHECK(seen[2].body == "from memory");
    for (const received_request& r : seen) {
        CHECK(r.method == "PUT");
        CHECK(r.header("X-Album") == "Istanbul");
        CHECK_FALSE(r.has_header("Idempotency-Key"));
    }
}

TEST_CASE("a job's items are sent at once, as many as are allowed") {
    const temp_dir dir;
    http_server server;
    const valve go;
    for (int i = 0; i < 3; ++i) {
        server.next(script("is held").read_all().hold(go));
    }
    delivery uploads(quick_options(dir));
    job what(server.url("/in/"));
    what.via(put().parallel(3));
    for (const char* const name : {"a", "b", "c", "d", "e"}) {
        what.bytes(name, random_bytes(100'000));
    }
    const job_id id = uploads.enqueue(what);
    CHECK(server.begun(3).target.starts_with("/in/"));  // though none of the three is answered
    uploads.wait_until(id, [](const job_snapshot& j) {
        return j.item(2).status == item_status::uploading && j.item(3).status == item_status::pending;
    });
    CHECK(server.requests().size() == 3);
    go.open();
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(done.sent == done.size());
    std::set<std::string> targets;
    for (const received_request& r : server.requests()) {
        targets.insert(r.target);
        CHECK(r.body == random_bytes(100'000));
    }
    CHECK(targets == std::set<std::string>{"/in/a", "/in/b", "/in/c", "/in/d", "/in/e"});
    CHECK(server.requests().size() == 5);
}

TEST_CASE("one of several items at once that fails is named, and the others are not blamed") {
    const temp_dir dir;
    http_server server;
    server.next(script("refused")
                    .only_if([](const received_request& r) { return r.target == "/in/c"; })
                    .read_all()
                    .answer({403}));
    delivery uploads(quick_options(dir));
    job what(server.url("/in/"));
    what.via(put().parallel(4));
    for (const char* const name : {"a", "b", "c", "d"}) {
        what.bytes(name, random_bytes(100'000));
    }
    const job_snapshot failed = uploads.settled(uploads.enqueue(what));
    INFO(describe(failed));
    CHECK(failed.status == status::failed);
    CHECK(failed.error.item == 2);
    CHECK(failed.error.code == make_http_error(403));
    CHECK(failed.item(2).status == item_status::failed);
}

TEST_CASE("a broken PUT is sent again from its beginning and completed items are not") {
    const temp_dir dir;
    http_server server;
    delivery uploads(quick_options(dir));
    const std::string second = random_bytes(300'000);
    server.next(script("breaks")
                    .only_if([](const received_request& r) { return r.target == "/b"; })
                    .read_body(100'000)
                    .reset());
    job what(server.url("/"));
    what.bytes("a", "first").file(dir.write("b", second)).bytes("c", "third");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    const auto seen = server.requests();
    REQUIRE(seen.size() == 4);
    CHECK(seen[0].target == "/a");
    CHECK(seen[1].target == "/b");
    CHECK_FALSE(seen[1].complete);
    CHECK(seen[2].target == "/b");
    CHECK(seen[2].body == second);
    CHECK(seen[3].target == "/c");
}

TEST_CASE("a dead kept connection costs no attempt and the PUT is repeated once on a fresh one") {
    const temp_dir dir;
    http_server server;
    delivery uploads(quick_options(dir));
    const std::size_t size = GENERATE(std::size_t(1000), std::size_t(3 << 20));
    CAPTURE(size);
    const std::string content = random_bytes(size);
    job first(server.url("/first"));
    first.bytes("x", "x");
    CHECK(uploads.settled(uploads.enqueue(first)).status == status::completed);
    server.next(script("dead").read_body(1).reset());
    job second(server.url("/second"));
    second.file(dir.write("second", content));
    const job_snapshot done = uploads.settled(uploads.enqueue(second));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(done.attempt == 1);
    const auto seen = server.requests();
    REQUIRE(seen.size() == 3);
    CHECK(seen[1].script == "dead");
    CHECK(seen[1].on_connection == 2);
    CHECK(seen[2].on_connection == 1);
    CHECK(seen[2].body == content);
}

TEST_CASE("an early success is no success and the job is tried again") {
    const temp_dir dir;
    http_server server(reads_little());
    options how = quick_options(dir);
    how.retry.floor = how.retry.cap = std::chrono::minutes(1);  // time to look at it
    delivery uploads(how);
    const std::string content = random_bytes(beyond_buffers);
    server.next(script("early 200").read_body(100'000).answer({200, {{"Connection", "close"}}}).linger());
    job what(server.url("/x"));
    what.file(dir.write("x", content));
    const job_id id = uploads.enqueue(what);
    const job_snapshot held = uploads.waiting(id);
    CHECK(held.status == status::waiting);
    CHECK(held.reason == wait_reason::backoff);
    CHECK(held.error.code == errc::early_response);
    uploads.up().async_retry(id, asio::use_future).get();
    CHECK(uploads.settled(id).status == status::completed);
    REQUIRE(server.requests().size() == 2);
    CHECK(server.finished(2).sha256 == sha256(content));
}

TEST_CASE("a job whose file changed or vanished fails and says which") {
    const temp_dir dir;
    http_server server;
    options how = quick_options(dir);
    how.max_concurrent_jobs = 1;
    delivery uploads(how);
    const std::string path = dir.write("second", "content");
    std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));

    // The first job keeps the lane busy while the second job's file is tampered with.
    const valve go;
    server.next(script("held").read_head().hold(go));
    job first(server.url("/first"));
    first.bytes("x", "x");
    const job_id first_id = uploads.enqueue(first);
    (void)server.begun(1);
    job second(server.url("/in/"));
    second.bytes("intact", "y").file(path);
    const job_id id = uploads.enqueue(second);
    const std::error_code expected = GENERATE(errc::file_changed, errc::source_missing, errc::source_not_regular);
    if (expected == errc::file_changed) {
        dir.write("second", "CONTENT");
    } else {
        std::filesystem::remove(path);
    }
    if (expected == errc::source_not_regular) {
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    }
    go.open();
    CHECK(uploads.settled(first_id).status == status::completed);
    const job_snapshot done = uploads.settled(id);
    CHECK(done.status == status::failed);
    CHECK(done.error.code == expected);
    CHECK(done.error.item == 1);
    CHECK(done.error.message().find(path) != std::string::npos);
    CHECK(done.item(0).status == item_status::completed);
    CHECK(done.item(1).status == item_status::failed);
    CHECK(server.requests().size() == 2);

    // A retry sends the file as it is then.
    std::filesystem::remove(path);
    dir.write("second", "new content");
    uploads.up().async_retry(id, asio::use_future).get();
    CHECK(uploads.settled(id).status == status::completed);
    CHECK(server.requests().back().body == "new content");
    CHECK(server.requests().size() == 3);
}

TEST_CASE("the uploader's limits end stalled transfers and the job is tried again") {
    const temp_dir dir;
    http_server server(reads_little());
    options how = quick_options(dir);
    how.limits.stall = milliseconds(1'000);
    how.limits.response = milliseconds(1'000);
    how.retry.floor = how.retry.cap = std::chrono::minutes(1);
    delivery uploads(how);
    std::size_t size = beyond_buffers;
    std::error_code expected = errc::send_stalled;
    SECTION("while sending") {
        server.next(script("stall").read_body(100'000).hold());
    }
    SECTION("before the answer") {
        server.next(script("mute").read_all().hold());
        expected = errc::response_timed_out;
        size = 1000;  // the answer's limit grows with the body
    }
    job what(server.url("/x"));
    what.file(dir.write("x", random_bytes(size)));
    const job_id id = uploads.enqueue(what);
    const job_snapshot held = uploads.waiting(id);
    CHECK(held.status == status::waiting);
    CHECK(held.error.code == expected);
    uploads.up().async_retry(id, asio::use_future).get();
    CHECK(uploads.settled(id).status == status::completed);
}

TEST_CASE("a canceled job's transfer is cut off and other lanes go on") {
    const temp_dir dir;
    http_server server(reads_little());
    delivery uploads(quick_options(dir));
    const std::string content = random_bytes(beyond_buffers);
    const std::string path = dir.write("x", content);
    const valve go;
    server.next(script("held 1").read_body(100'000).hold(go));
    server.next(script("held 2").read_body(100'000).hold(go));
    job first(server.url("/first"));
    first.file(path).lane("one");
    const job_id canceled = uploads.enqueue(first);
    server.wait_for_body(1, 100'000);
    job second(server.url("/second"));
    second.file(path).lane("two");
    const job_id neighbor = uploads.enqueue(second);
    server.wait_for_body(2, 100'000);
    uploads.up().async_cancel(canceled, asio::use_future).get();
    go.open();
    CHECK(uploads.settled(canceled).status == status::canceled);
    CHECK(uploads.settled(neighbor).status == status::completed);
    CHECK_FALSE(server.finished(1).complete);
    CHECK(server.finished(2).sha256 == sha256(content));
    CHECK(server.requests().size() == 2);
}

TEST_CASE("a small form that was stopped, or killed, before it had a connection is simply sent later") {
    const temp_dir dir;
    const black_hole nobody;
    job_id id;
    {
        delivery uploads(quick_options(dir));
        job what(nobody.url());
        what.via(multipart{}).bytes("a.txt", "hello");
        id = uploads.enqueue(std::move(what));
        uploads.wait_until(id, [](const job_snapshot& j) { return j.status == status::uploading; });
    }
    delivery uploads(quick_options(dir));
    const job_snapshot again = uploads.wait_until(
        id, [](const job_snapshot& j) { return j.status == status::unknown_outcome || j.attempt == 2; });
    CHECK(again.status == status::uploading);
}

}  // namespace waybill::test
