// SPDX-License-Identifier: BSL-1.0
#include <waybill/transport/request_timeouts.hpp>

#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <chrono>
#include <string>
#include <thread>

namespace waybill::test {
namespace {

using std::chrono::milliseconds;

}  // namespace

TEST_CASE("a server that stops reading is given up") {
    http_server server(reads_little());
    transport_loop loop;
    server.next(script("stall").read_body(100'000).hold());
    request what = put_to(server.url());
    what.limits.stall = milliseconds(150);
    what.limits.response = std::chrono::hours(1);
    const response answer = loop.perform(what, random_bytes(beyond_buffers));
    CHECK(answer.failure == errc::send_stalled);
    CHECK(answer.status == 0);
    CHECK_FALSE(answer.may_have_left);
}

TEST_CASE("a server that does not answer is given up") {
    http_server server;
    transport_loop loop;
    const std::size_t size = GENERATE(std::size_t(0), std::size_t(100), std::size_t(1 << 20));
    server.next(script("mute").read_all().hold());
    request what = put_to(server.url());
    what.limits.stall = std::chrono::hours(1);
    what.limits.response = milliseconds(150);
    const response answer = loop.perform(what, random_bytes(size));
    CHECK(answer.failure == errc::response_timed_out);
    CHECK(answer.status == 0);
    CHECK(answer.may_have_left);
}

TEST_CASE("a server that says that it is at work is not given up before its time is up twelve times") {
    http_server server;
    transport_loop loop;
    request what = put_to(server.url());
    what.limits.stall = std::chrono::hours(1);
    what.limits.response = milliseconds(400);
    const std::string at_work = "HTTP/1.1 102 Processing\r\n\r\n";
    SECTION("it gets ready") {
        std::string said;
        for (int i = 0; i < 6; ++i) {
            said += at_work;
        }
        server.next(script("busy").read_all().send_slowly(said, at_work.size(), milliseconds(150)).answer({201}));
        CHECK(loop.perform(what, random_bytes(100'000)).status == 201);
    }
    SECTION("it never does") {
        what.limits.response = milliseconds(50);
        server.next(script("busy for ever").read_all().then([at_work](exchange& x) {
            for (;;) {
                x.wire().pause(milliseconds(10));
                x.send(at_work);
            }
        }));
        const auto begun = std::chrono::steady_clock::now();
        const response answer = loop.perform(what, random_bytes(100'000));
        CHECK(answer.failure == errc::response_timed_out);
        CHECK(answer.may_have_left);
        CHECK(std::chrono::steady_clock::now() - begun >= what.limits.response * request_timeouts::max_response_limits);
    }
}

TEST_CASE("a body that waits in this machine's buffers is still being sent") {
    http_server server(reads_little());
    transport_loop loop;
    const valve go;
    server.next(script("late reader").read_body(1000).hold(go));
    request what = put_to(server.url());
    what.limits.response = milliseconds(150);  // which begins when it has left
    const std::string body = random_bytes(1'500'000);
    sending put = loop.start(what, body);
    server.log().wait_until("the head", [](const http_log::requests& all) { return !all.empty(); });
    while (put.progress().sent == 0) {
        std::this_thread::yield();
    }
    const transfer_progress shown = put.progress();
    CHECK_FALSE(shown.body_sent);
    CHECK(shown.sent < body.size() / 2);  // what the kernels on both sides of a slow server hold is not sent
    go.open();
    CHECK(put.get().status == 201);
    CHECK(put.progress().body_sent);
    CHECK(put.progress().sent == body.size());
}

TEST_CASE("a server that answers byte by byte is given up") {
    http_server server;
    transport_loop loop;
    request what = put_to(server.url());
    what.limits.response = milliseconds(1'000);
    SECTION("in its headers") {
        const std::string endless = "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'a');
        server.next(script("slow loris").read_all().send_slowly(endless, 1, milliseconds(10)));
        const response answer = loop.perform(what, "x");
        CHECK(answer.failure == errc::response_timed_out);
        CHECK(answer.status == 0);
    }
    SECTION("in its body: its status is known by then") {
        const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
        server.next(
            script("slow body").read_all().send(head).send_slowly(std::string(100'000, 'a'), 1, milliseconds(10)));
        const response answer = loop.perform(what, "x");
        CHECK(answer.failure == errc::response_timed_out);
        CHECK(answer.status == 200);
        CHECK(answer.body_truncated);
    }
}

TEST_CASE("a slow server that gets on is not given up") {
    http_server server(reads_little());
    transport_loop loop;
    // Altogether it takes far longer than either limit.
    server.next(script("slow").read_slowly(512 << 10, milliseconds(120)));
    request what = put_to(server.url());
    what.limits.stall = milliseconds(1500);
    what.limits.response = milliseconds(1500);
    const auto begun = std::chrono::steady_clock::now();
    CHECK(loop.perform(what, random_bytes(beyond_buffers)).status == 201);
    CHECK(std::chrono::steady_clock::now() - begun > what.limits.stall);
}

TEST_CASE("a host that swallows connections is given up") {
    const black_hole nobody;
    transport_loop loop;
    request what = put_to(nobody.url());
    what.limits.connect = milliseconds(150);
    const response answer = loop.perform(what, "x");
    CHECK(answer.failure == errc::connect_timed_out);
    CHECK_FALSE(answer.may_have_left);
}

TEST_CASE("a TLS handshake that nobody answers is given up") {
    certificate_authority authority;
    http_server_options how;
    how.tls = authority.issue();
    http_server server(how);
    transport_loop loop(trusting(authority));
    server.next(script("no handshake").at_accept().hold());
    request what = put_to(server.url());
    what.limits.connect = milliseconds(150);
    const response answer = loop.perform(what, "x");
    CHECK(answer.failure == errc::connect_timed_out);
    CHECK_FALSE(answer.may_have_left);
}

}  // namespace waybill::test
