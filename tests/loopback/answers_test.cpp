// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/http_rules.hpp>

#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <chrono>
#include <future>
#include <string>
#include <thread>

// What a server's answer may do to us.
namespace waybill::test {
namespace {

/// Waits for what the transport sees only when it looks: what the kernel has sent meanwhile.
template <class Condition>
transfer_progress progress_when(sending& put, const Condition& reached) {
    const auto end = std::chrono::steady_clock::now() + sending::patience;
    transfer_progress seen = put.progress();
    while (!reached(seen) && std::chrono::steady_clock::now() < end) {
        std::this_thread::yield();
        seen = put.progress();
    }
    REQUIRE(reached(seen));
    return seen;
}

}  // namespace

TEST_CASE("an answer arrives whole") {
    http_server server;
    transport_loop loop;
    const std::string text = random_bytes(200'000);
    const header_list headers{{"ETag", "\"a\""}, {"X-Twice", "1"}, {"X-Twice", "2"}, {"Location", "/x"}};
    server.next(script("answer").read_all().answer({207, headers, text}));
    const response answer = loop.perform(put_to(server.url()), "x");
    CHECK(answer.status == 207);
    CHECK(answer.body == text);
    CHECK_FALSE(answer.body_truncated);
    CHECK(answer.header("etag") == "\"a\"");
    CHECK_FALSE(answer.header("X-Twice"));
    CHECK(answer.header("LOCATION") == "/x");
}

TEST_CASE("a chunked answer arrives whole and without its trailers") {
    http_server server;
    transport_loop loop;
    server.next(
        script("chunked").read_all().send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                          "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: t\r\n\r\n"));
    const response answer = loop.perform(put_to(server.url()), "x");
    CHECK(answer.status == 200);
    CHECK(answer.body == "hello world");
    CHECK_FALSE(answer.header("X-Trailer"));
    CHECK_FALSE(answer.failure);
}

TEST_CASE("an answer without an end is cut off at the limit and its status still counts") {
    http_server server;
    transport_loop loop;
    request what = put_to(server.url());
    what.limits.response_body = 1000;
    SECTION("of a known length") {
        server.next(script("long").read_all().answer({200, {}, std::string(5000, 'a')}));
    }
    SECTION("of no length") {
        server.next(script("infinite").read_all().send("HTTP/1.1 200 OK\r\n\r\n").send_forever(std::string(4096, 'a')));
    }
    const response answer = loop.perform(what, "x");
    CHECK(answer.status == 200);
    CHECK(answer.body == std::string(1000, 'a'));
    CHECK(answer.body_truncated);
    CHECK(answer.failure == errc::response_too_large);
    CHECK(waybill::judge(answer, true).accepted);
}

TEST_CASE("an answer of exactly the limit is whole") {
    http_server server;
    transport_loop loop;
    request what = put_to(server.url());
    what.limits.response_body = 1000;
    server.next(script("just").read_all().answer({200, {}, std::string(1000, 'a')}));
    const response answer = loop.perform(what, "x");
    CHECK(answer.body.size() == 1000);
    CHECK_FALSE(answer.body_truncated);
    CHECK_FALSE(answer.failure);
}

TEST_CASE("an answer that breaks off keeps its status") {
    http_server server;
    transport_loop loop;
    server.next(script("short").read_all().answer({200, {{"Content-Length", "100"}}, "only this"}).linger());
    const response answer = loop.perform(post_to(server.url()), "x");
    CHECK(answer.status == 200);
    CHECK(answer.body == "only this");
    CHECK(answer.body_truncated);
    CHECK(answer.failure == errc::connection_lost);
    CHECK(waybill::judge(answer, false).accepted);
}

TEST_CASE("headers without an end end, and the status before them counts") {
    http_server server;
    transport_loop loop;
    const std::string begin = "HTTP/1.1 200 OK\r\n";
    SECTION("many") {
        server.next(script("many").read_all().send(begin).send_forever("X-Header: value\r\n"));
    }
    SECTION("one long") {
        server.next(script("long").read_all().send(begin + "X: ").send_forever("aaaaaaaaaaaaaaaa"));
    }
    const response answer = loop.perform(put_to(server.url()), "x");
    CHECK(answer.status == 200);
    CHECK(answer.failure);
    CHECK(waybill::judge(answer, false).accepted);
}

TEST_CASE("interim answers without an end are refused") {
    http_server server;
    transport_loop loop;
    server.next(script("1xx flood").read_all().send_forever("HTTP/1.1 102 Processing\r\n\r\n"));
    const response answer = loop.perform(put_to(server.url()), "x");
    CHECK(answer.status == 0);
    CHECK(answer.failure);
    CHECK(answer.headers.empty());
    CHECK(answer.may_have_left);
    CHECK_FALSE(waybill::judge(answer, true).accepted);
    CHECK(waybill::judge(answer, false).what == disposition::ambiguous);
}

TEST_CASE("headers over the limit are not kept, and their status counts") {
    http_server server;
    transport_loop loop;
    request what = put_to(server.url());
    what.limits.response_headers = 2000;
    SECTION("a few more") {
        server.next(script("large").read_all().answer({200, {{"ETag", "a"}, {"X", std::string(3000, 'a')}}, "text"}));
        const response answer = loop.perform(what, "x");
        CHECK_FALSE(answer.failure);
        CHECK(answer.status == 200);
        CHECK(answer.header("ETag") == "a");
        CHECK_FALSE(answer.header("X"));
        CHECK(answer.body == "text");
    }
    SECTION("without an end") {
        const std::string line = "X: " + std::string(1000, 'a') + "\r\n";
        server.next(script("flood").read_all().send("HTTP/1.1 200 OK\r\nETag: a\r\n").send_forever(line));
        const response answer = loop.perform(what, random_bytes(100'000));
        CHECK(answer.failure == errc::response_too_large);
        CHECK(answer.header("ETag") == "a");
        CHECK(waybill::judge(answer, false).accepted);
    }
    SECTION("in a line that libcurl does not take") {
        server.next(script("line").read_all().answer({200, {{"X", std::string(200'000, 'a')}}}));
        const response answer = loop.perform(what, "x");
        CHECK(answer.status == 200);
        CHECK(waybill::judge(answer, false).accepted);
    }
}

TEST_CASE("what is not HTTP is no answer") {
    http_server server;
    transport_loop loop;
    server.next(script("ssh").read_all().send("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").linger());
    const response answer = loop.perform(post_to(server.url()), "x");
    CHECK(answer.status == 0);
    CHECK(answer.failure == errc::invalid_response);
    CHECK(answer.body.empty());
    // It may be a broken proxy in front of a server that has it all.
    CHECK(waybill::judge(answer, false).what == disposition::ambiguous);
}

TEST_CASE("interim answers are told of while the body is being sent and are not the answer") {
    http_server server(reads_little());
    transport_loop loop;
    const valve go;
    server.next(script("resumable")
                    .read_head()
                    .interim(104, {{"Location", "/uploads/1"}, {"Upload-Offset", "0"}})
                    .read_body(100'000)
                    .interim(104, {{"Upload-Offset", "100000"}})
                    .hold(go)
                    .read_all()
                    .answer({201, {{"X-Final", "yes"}}}));
    std::vector<header_list> told;
    std::promise<void> second;
    request what = put_to(server.url());
    what.on_interim = [&](int status, const header_list& headers) {
        told.push_back(headers);
        told.back().push_back({"status", std::to_string(status)});
        if (told.size() == 2) {
            second.set_value();
        }
    };
    sending put = loop.start(what, random_bytes(beyond_buffers));
    REQUIRE(second.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    CHECK_FALSE(put.progress().body_sent);
    go.open();
    const response answer = put.get();
    CHECK(answer.status == 201);
    CHECK_FALSE(answer.header("Location"));
    CHECK(answer.header("X-Final") == "yes");
    const std::vector<header_list> expected{{{"Location", "/uploads/1"}, {"Upload-Offset", "0"}, {"status", "104"}},
                                            {{"Upload-Offset", "100000"}, {"status", "104"}}};
    CHECK(told == expected);
}

TEST_CASE("progress counts what has arrived, not what waits in this machine, and knows when all of it is gone") {
    http_server server(reads_little());
    transport_loop loop;
    const valve half;
    const valve end;
    constexpr std::size_t size = beyond_buffers;
    server.next(script("stalls").read_body(size / 2).hold(half).read_all().hold(end));
    sending put = loop.start(put_to(server.url()), random_bytes(size));
    server.wait_for_body(1, size / 2);
    const transfer_progress middle = progress_when(put, [](const transfer_progress& p) { return p.sent >= size / 2; });
    CHECK(middle.sent < size / 2 + (512 << 10));  // the rest is what the server's machine has taken ahead of it
    CHECK_FALSE(middle.body_sent);
    half.open();
    server.wait_for_body(1, size);
    CHECK(progress_when(put, [](const transfer_progress& p) { return p.sent == size && p.body_sent; }).connected);
    end.open();
    CHECK(put.get().status == 201);
}

}  // namespace waybill::test
