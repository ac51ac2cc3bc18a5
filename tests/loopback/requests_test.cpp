// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <netdb.h>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

namespace waybill::test {
namespace {

/// This machine's name, if it leads back to this machine.
std::optional<std::string> own_name() {
    std::array<char, 256> name{};
    addrinfo wanted{};
    wanted.ai_family = AF_INET;
    addrinfo* found = nullptr;
    if (::gethostname(name.data(), name.size() - 1) != 0 || ::getaddrinfo(name.data(), nullptr, &wanted, &found) != 0) {
        return std::nullopt;
    }
    ::freeaddrinfo(found);
    return std::string(name.data());
}

}  // namespace

TEST_CASE("headers arrive in their order and as they were given") {
    http_server server;
    transport_loop loop;
    request what = put_to(server.url("/a%20b?c=d"));
    what.headers = {{"Content-Type", "text/x; charset=\"utf-8\""},
                    {"X-Second", "one, two"},
                    {"X-Empty", ""},
                    {"X-Colon", "a:b; c"},
                    {"X-Utf8", "Größe"}};
    loop.perform(what, "body");
    const received_request got = server.finished(1);
    CHECK(got.target == "/a%20b?c=d");
    CHECK(got.header("Host") == "127.0.0.1:" + std::to_string(server.port()));
    CHECK(got.header("User-Agent").starts_with("waybill/"));
    header_list ours;
    for (const header_field& h : got.headers) {
        if (h.name == "Content-Type" || h.name.starts_with("X-")) {
            ours.push_back(h);
        }
    }
    CHECK(ours == what.headers);
}

TEST_CASE("no request has headers that nobody asked for") {
    http_server server;
    transport_loop loop;
    // Small ones leave in one piece, large ones are streamed, and libcurl has ideas of its own about both.
    const std::size_t size = GENERATE(std::size_t(0), std::size_t(100), std::size_t(3 << 20));
    const std::string method = GENERATE("PUT", "POST", "PATCH");
    CAPTURE(size, method);
    request what = put_to(server.url());
    what.method = method;
    loop.perform(what, std::string(size, 'x'));
    const received_request got = server.finished(1);
    CHECK(got.method == method);
    CHECK_FALSE(got.has_header("Expect"));
    CHECK_FALSE(got.has_header("Content-Type"));
    CHECK_FALSE(got.has_header("Transfer-Encoding"));
    CHECK_FALSE(got.has_header("Authorization"));
    CHECK(got.header("Content-Length") == std::to_string(size));
}

TEST_CASE("a request without a body can be of any method") {
    http_server server;
    server.otherwise([](const received_request& r) { return reply(200, {}, r.method == "HEAD" ? "" : "content"); });
    transport_loop loop;
    for (const std::string method : {"HEAD", "GET", "DELETE", "OPTIONS", "POST"}) {
        CAPTURE(method);
        request what = put_to(server.url());
        what.method = method;
        const response answer = loop.start(what, std::shared_ptr<body_source>()).get();
        CHECK(answer.status == 200);
        CHECK_FALSE(answer.failure);
        CHECK(answer.body == (method == "HEAD" ? "" : "content"));
        CHECK(server.requests().back().method == method);
        CHECK(server.requests().back().body_bytes == 0);
    }
}

TEST_CASE("requests that may be repeated share a connection and others get their own") {
    http_server server;
    transport_loop loop;
    loop.perform(put_to(server.url("/1")), "x");
    CHECK(loop.perform(put_to(server.url("/2")), "x").reused_connection);
    CHECK_FALSE(loop.perform(post_to(server.url("/3")), "x").reused_connection);
    CHECK_FALSE(loop.perform(post_to(server.url("/4")), "x").reused_connection);
    request fresh = put_to(server.url("/5"));
    fresh.fresh_connection = true;
    CHECK_FALSE(loop.perform(fresh, "x").reused_connection);
    const auto seen = server.requests();
    REQUIRE(seen.size() == 5);
    CHECK(seen[1].connection == seen[0].connection);
    CHECK(seen[2].on_connection == 1);
    CHECK(seen[3].on_connection == 1);
    CHECK(seen[4].on_connection == 1);
}

TEST_CASE("a host is found by its name") {
    const std::optional<std::string> name = own_name();
    if (!name) {
        WARN("not checked: this machine's name does not resolve");
        return;
    }
    http_server_options everywhere;
    everywhere.all_addresses = true;
    http_server server(everywhere);
    transport_loop loop;
    const std::string body = random_bytes(200'000);
    for (int i = 1; i <= 3; ++i) {
        request what = put_to(server.url("/", *name));
        what.fresh_connection = true;
        const response answer = loop.perform(what, body);
        INFO(*name << ": " << answer.transport_text);
        REQUIRE(answer.status == 201);
        CHECK(server.finished(static_cast<std::size_t>(i)).sha256 == sha256(body));
    }
}

TEST_CASE("a host that does not exist is said to be missing") {
    transport_loop loop;
    const response answer = loop.perform(put_to("http://no-such-host.invalid/"), "x");
    CHECK(answer.failure == errc::host_not_found);
    CHECK(answer.status == 0);
    CHECK_FALSE(answer.may_have_left);
}

TEST_CASE("a port where nobody listens refuses the connection") {
    std::string url;
    {
        const http_server gone;
        url = gone.url();
    }
    transport_loop loop;
    const response answer = loop.perform(put_to(url), "x");
    CHECK(answer.failure == errc::connect_failed);
    CHECK_FALSE(answer.may_have_left);
}

// "localhost" is ::1 first and 127.0.0.1 second, and nobody listens on the first: libcurl 7.88
// alone would wait for half of the connect timeout before it tried the second.
TEST_CASE("a host's second address is tried at once when the first refuses") {
    http_server server;
    transport_loop loop;
    request what = put_to(server.url("/", "localhost"));
    what.limits.connect = std::chrono::seconds(18);
    const auto begun = std::chrono::steady_clock::now();
    CHECK(loop.perform(what, "x").status == 201);
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(5));
}

TEST_CASE("proxies of the environment are ignored and given ones are used") {
    http_server proxy;
    http_server server;
    const environment_variable lower("http_proxy", proxy.url());
    const environment_variable all("ALL_PROXY", proxy.url());
    const environment_variable none("no_proxy", "");
    {
        transport_loop loop;
        CHECK(loop.perform(put_to(server.url("/direct")), "x").status == 201);
        CHECK(server.requests().size() == 1);
        CHECK(proxy.log().connections() == 0);
    }
    curl_options how;
    how.proxy = proxy.url();
    transport_loop loop(how);
    CHECK(loop.perform(put_to("http://far.invalid/by-proxy"), "x").status == 201);
    CHECK(proxy.finished(1).target == "http://far.invalid/by-proxy");
}

TEST_CASE("a proxy that was asked for is used, whatever the environment says") {
    const environment_variable upper("NO_PROXY", "127.0.0.1");
    const environment_variable lower("no_proxy", "*");
    http_server server;
    http_server proxy;
    curl_options how;
    how.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
    transport_loop loop(how);
    static_cast<void>(loop.perform(put_to(server.url()), "x"));
    CHECK(proxy.log().connections() == 1);
    CHECK(server.log().connections() == 0);
}

TEST_CASE("what a proxy refuses is the proxy's failure, with its status") {
    http_server proxy;
    curl_options how;
    how.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
    transport_loop loop(how);
    proxy.next(script("refuses").read_head().answer({405, {{"Connection", "close"}}}).linger());
    const response answer = loop.perform(put_to("https://upload.test/d/a"), "x");
    CHECK(answer.failure == errc::proxy_failed);
    CHECK(answer.failure_detail == "the proxy responded 405 to CONNECT");
    CHECK(answer.status == 0);
    CHECK_FALSE(answer.may_have_left);
}

TEST_CASE("a proxy that wants other credentials is no host that is down: it is asked ever more seldom") {
    http_server proxy;
    curl_options how;
    how.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
    transport_loop loop(how);
    proxy.next(script("wants a password").read_head().answer({407, {{"Connection", "close"}}}).linger());
    const response answer = loop.perform(put_to("https://upload.test/d/a"), "x");
    CHECK(answer.failure == errc::proxy_unauthorized);
    CHECK(judge(answer, true).what == disposition::credentials);
    CHECK(answer.failure_detail == "the proxy responded 407 to CONNECT: it wants other credentials");
}

TEST_CASE("a proxy that is not there is told from a server that is not there") {
    curl_options how;
    {
        http_server gone;
        how.proxy = "http://127.0.0.1:" + std::to_string(gone.port());
    }
    transport_loop loop(how);
    const response answer = loop.perform(put_to("http://127.0.0.1:9/x"), "x");
    CHECK(answer.failure == errc::proxy_failed);
    CHECK(answer.failure_detail == "no connection to the proxy");
}

}  // namespace waybill::test
