// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/http_rules.hpp>

#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include <sys/wait.h>
#include <unistd.h>

namespace waybill::test {
namespace {

http_server_options with(const server_identity& identity) {
    http_server_options how;
    how.tls = identity;
    return how;
}

}  // namespace

TEST_CASE("a body arrives over TLS when the authority is trusted") {
    certificate_authority authority;
    http_server server(with(authority.issue()));
    transport_loop loop(trusting(authority));
    std::size_t count = 0;
    for (const std::size_t size : {0, 1, 65536, 65537, 3 << 20}) {
        CAPTURE(size);
        const std::string body = random_bytes(size);
        const response answer = loop.perform(put_to(server.url()), body);
        INFO(answer.transport_text);
        CHECK(answer.status == 201);
        CHECK(server.finished(++count).sha256 == sha256(body));
    }
    CHECK(server.log().connections() == 1);
    CHECK(loop.perform(put_to(server.url("/by-name", "localhost")), "x").status == 201);
}

TEST_CASE("a server that cannot prove who it is gets nothing") {
    certificate_authority authority;
    certificate_authority other;
    const auto refused = [](const server_identity& identity, const curl_options& how, const std::string& why) {
        http_server server(with(identity));
        transport_loop loop(how);
        const response answer = loop.perform(post_to(server.url()), "secret");
        CHECK(answer.failure == errc::tls_untrusted);
        CHECK(answer.failure_detail.find(why) != std::string::npos);
        CHECK(answer.status == 0);
        CHECK_FALSE(answer.may_have_left);
        CHECK(answer.failure == cause::retryable);
        CHECK(server.requests().empty());
    };
    SECTION("its authority is not trusted") {
        refused(authority.issue(), {}, "authority");
    }
    SECTION("another authority is trusted") {
        refused(authority.issue(), trusting(other), "authority");
    }
    SECTION("its certificate is for another host") {
        refused(authority.issue({"example.org"}), trusting(authority), "another host name");
    }
    SECTION("its certificate has expired") {
        refused(authority.issue({"127.0.0.1"}, std::chrono::hours(-24)), trusting(authority), "has expired");
    }
}

TEST_CASE("the keys of a connection are written nowhere, whatever the environment says") {
    const temp_dir dir;
    const std::string file = dir / "keys";
    // libcurl reads it when it is initialised: in a process of its own.
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::setenv("SSLKEYLOGFILE", file.c_str(), 1);
        bool arrived = false;
        {
            certificate_authority authority;
            http_server server(with(authority.issue()));
            transport_loop loop(trusting(authority));
            arrived = loop.perform(put_to(server.url()), "x").status == 201;
        }
        ::_exit(arrived ? 0 : 1);
    }
    int how_it_ended = -1;
    REQUIRE(::waitpid(child, &how_it_ended, 0) == child);
    CHECK(how_it_ended == 0);
    std::error_code none;
    const auto size = std::filesystem::file_size(file, none);
    CHECK((none || size == 0));
}

TEST_CASE("a handshake that fails for other reasons may be tried again") {
    certificate_authority authority;
    transport_loop loop(trusting(authority));
    http_server server(with(authority.issue()));
    server.next(script("closes").at_accept().close());
    server.next(script("resets").at_accept().then([](exchange& x) { x.wire().wait_for_bytes(); }).reset());
    server.next(script("speaks plainly").at_accept().send("HTTP/1.1 400 Bad Request\r\n\r\n").linger());
    for (int i = 0; i < 3; ++i) {
        const response answer = loop.perform(post_to(server.url()), "x");
        CAPTURE(i, answer.transport_text);
        CHECK(answer.failure == errc::tls_failed);
        CHECK(answer.failure == cause::retryable);
        CHECK_FALSE(answer.may_have_left);
    }
    CHECK(loop.perform(post_to(server.url()), "x").status == 200);
}

// In TLS 1.3 the client has sent its request by the time it hears that.
TEST_CASE("a server that wants a client certificate has processed nothing, and the error says what it wants") {
    certificate_authority authority;
    http_server_options how = with(authority.issue());
    how.wants_client_certificate = true;
    http_server server(how);
    transport_loop loop(trusting(authority));
    const response answer = loop.perform(post_to(server.url()), "x");
    CAPTURE(answer.transport_text, answer.failure_detail);
    CHECK(answer.failure == errc::tls_failed);
    CHECK(answer.failure_detail.find("client certificate") != std::string::npos);
    CHECK_FALSE(answer.may_have_left);
    CHECK(waybill::judge(answer, false).what == disposition::network);
}

// Without a length libcurl takes the end of the connection for the end of the answer, close alert or not.
TEST_CASE("an answer cut short within its length is not taken for whole") {
    certificate_authority authority;
    http_server server(with(authority.issue()));
    transport_loop loop(trusting(authority));
    server.next(script("truncated").read_all().answer({200, {{"Content-Length", "100"}}, "half an ans"}).drop());
    const response answer = loop.perform(put_to(server.url()), "x");
    CHECK(answer.status == 200);
    CHECK(answer.body_truncated);
    CHECK(answer.failure == errc::connection_lost);
}

}  // namespace waybill::test
