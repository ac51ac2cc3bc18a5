// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/http_rules.hpp>

#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <string>
#include <vector>

// What becomes of a request whose connection breaks, or whose answer comes too early.
namespace waybill::test {
namespace {

const std::string& endless_body() {
    static const std::string body = random_bytes(beyond_buffers);
    return body;
}

request either(bool idempotent, const std::string& url) {
    return idempotent ? put_to(url) : post_to(url);
}

}  // namespace

TEST_CASE("a connection that breaks in mid-body is lost and its request incomplete") {
    certificate_authority authority;
    http_server_options how = reads_little();
    if (GENERATE(false, true)) {
        how.tls = authority.issue();
    }
    http_server server(how);
    transport_loop loop(trusting(authority));
    const bool idempotent = GENERATE(true, false);
    CAPTURE(how.tls.has_value(), idempotent);
    const std::vector<script> ways = {
        script("reset").read_body(300'000).reset(), script("close").read_body(300'000).close(),
        script("drop").read_body(300'000).drop(), script("reset after head").read_head().reset()};
    server.next(GENERATE_REF(from_range(ways)));
    const response answer = loop.perform(either(idempotent, server.url()), endless_body());
    CHECK(answer.failure == errc::connection_lost);
    CHECK(answer.status == 0);
    CHECK_FALSE(answer.may_have_left);
    CHECK(answer.body_offered < beyond_buffers);
    const auto judged = waybill::judge(answer, idempotent);
    CHECK_FALSE(judged.accepted);
    CHECK(judged.what == disposition::retry);
    CHECK(server.requests().size() == 1);
}

// From here on the request may have been processed.
TEST_CASE("a server that takes everything and hangs up leaves the outcome open") {
    http_server server;
    transport_loop loop;
    const bool idempotent = GENERATE(true, false);
    const std::size_t size = GENERATE(std::size_t(0), std::size_t(1), std::size_t(60'000), std::size_t(3 << 20));
    CAPTURE(idempotent, size);
    const std::vector<script> ways = {script("close").read_all().close(), script("reset").read_all().reset(),
                                      script("half a status line").read_all().send("HTTP/1.1 2").linger(),
                                      script("half a head").read_all().send("HTTP/1.1 200 OK\r\nContent-Le").linger()};
    server.next(GENERATE_REF(from_range(ways)));
    const response answer = loop.perform(either(idempotent, server.url()), random_bytes(size));
    CHECK(answer.status == 0);
    CHECK(answer.failure);
    CHECK(answer.may_have_left);
    CHECK(answer.body_offered == size);
    const auto judged = waybill::judge(answer, idempotent);
    CHECK_FALSE(judged.accepted);
    CHECK(judged.what == (idempotent ? disposition::retry : disposition::ambiguous));
    CHECK(server.requests().size() == 1);
}

TEST_CASE("an answer in mid-body counts for what it is and never as a success") {
    certificate_authority authority;
    http_server_options how = reads_little();
    if (GENERATE(false, true)) {
        how.tls = authority.issue();
    }
    http_server server(how);
    transport_loop loop(trusting(authority));
    const bool idempotent = GENERATE(true, false);
    const int status = GENERATE(200, 201, 204, 301, 401, 413, 417, 500, 503);
    CAPTURE(how.tls.has_value(), idempotent, status);
    // Without announcing the end of the connection, a success asks for the rest of the body.
    const bool announced = status < 300 || GENERATE(true, false);
    const header_list headers = announced ? header_list{{"Connection", "close"}} : header_list{};
    server.next(script("early").read_body(100'000).answer({status, headers}).linger());
    const response answer = loop.perform(either(idempotent, server.url()), endless_body());
    CHECK(answer.status == status);
    CHECK_FALSE(answer.may_have_left);
    CHECK_FALSE(server.finished(1).complete);
    const auto judged = waybill::judge(answer, idempotent);
    CHECK_FALSE(judged.accepted);
    CHECK(judged.what != disposition::ambiguous);
    if (status < 300) {
        CHECK(judged.code == errc::early_response);
        CHECK(judged.what == disposition::retry);
    }
    CHECK(server.requests().size() == 1);
    // The connection is in the middle of a body: nothing else may be sent over it.
    CHECK(loop.perform(put_to(server.url("/next")), "x").status == 201);
    CHECK(server.requests().back().on_connection == 1);
}

TEST_CASE("a success in mid-body does not hide that the connection broke") {
    http_server server(reads_little());
    transport_loop loop;
    const bool idempotent = GENERATE(true, false);
    server.next(script("early 200").read_body(100'000).answer({200}).reset());
    const response answer = loop.perform(either(idempotent, server.url()), endless_body());
    CHECK_FALSE(answer.has_left);
    CHECK_FALSE(waybill::judge(answer, idempotent).accepted);
    CHECK(server.requests().size() == 1);
}

// Of 64 KiB to 2 MiB libcurl takes the whole before the first byte leaves, and the kernel takes megabytes more.
TEST_CASE("a success that comes while the body waits in this machine's buffers is none") {
    certificate_authority authority;
    http_server_options how = reads_little();
    if (GENERATE(false, true)) {
        how.tls = authority.issue();
    }
    http_server server(how);
    transport_loop loop(trusting(authority));
    const bool idempotent = GENERATE(true, false);
    const std::size_t size =
        GENERATE(std::size_t(200'000), std::size_t(400'000), std::size_t(1'900'000), std::size_t(3'000'000));
    CAPTURE(how.tls.has_value(), idempotent, size);
    const header_list closing{{"Connection", "close"}};
    std::vector<script> ways = {script("closing").read_body(1000).answer({200, closing}).linger(),
                                script("reset").read_body(1000).answer({200}).reset(),
                                script("close").read_body(1000).answer({200}).close()};
    if (!how.tls) {
        ways.push_back(script("turns away without a word").read_body(1000).answer({200}).linger());
    }
    server.next(GENERATE_REF(from_range(ways)));
    const response answer = loop.perform(either(idempotent, server.url()), random_bytes(size));
    CHECK_FALSE(answer.has_left);
    const auto judged = waybill::judge(answer, idempotent);
    CHECK_FALSE(judged.accepted);
    const bool open = answer.may_have_left && !idempotent;
    CHECK(judged.what == (open ? disposition::ambiguous : disposition::retry));
    CHECK_FALSE(server.finished(1).complete);
}

TEST_CASE("a server that answers early and then takes the rest has it all") {
    http_server server(reads_little());
    transport_loop loop;
    server.next(script("early 200").read_body(100'000).answer({200}));
    const response answer = loop.perform(put_to(server.url()), endless_body());
    CHECK(answer.has_left);
    CHECK(waybill::judge(answer, true).accepted);
    CHECK(server.finished(1).complete);
    CHECK(server.finished(1).sha256 == sha256(endless_body()));
}

TEST_CASE("an early refusal on a connection the server keeps ends the upload") {
    http_server server(reads_little());
    transport_loop loop;
    const valve done;
    server.next(script("early 413").read_body(1000).answer({413}).hold(done));
    const response answer = loop.perform(put_to(server.url()), endless_body());
    CHECK(answer.status == 413);
    CHECK_FALSE(answer.may_have_left);
    done.open();
    CHECK_FALSE(server.finished(1).complete);
}

TEST_CASE("redirects are reported and not followed") {
    http_server server;
    transport_loop loop;
    const int status = GENERATE(301, 302, 303, 307, 308);
    const bool idempotent = GENERATE(true, false);
    CAPTURE(status, idempotent);
    server.next(script("redirect").read_all().answer({status, {{"Location", "/elsewhere"}}}));
    const response answer = loop.perform(either(idempotent, server.url()), random_bytes(100'000));
    CHECK(answer.status == status);
    CHECK(answer.header("location") == "/elsewhere");
    CHECK(waybill::judge(answer, idempotent).code == errc::redirect_refused);
    CHECK(server.requests().size() == 1);
}

TEST_CASE("a dead kept connection is told apart from a failed request") {
    http_server server;
    transport_loop loop;
    loop.perform(put_to(server.url("/first")), "x");
    const std::vector<script> ways = {script("reset").read_body(1).reset(), script("close").read_body(1).close()};
    server.next(GENERATE_REF(from_range(ways)));
    const response answer = loop.perform(put_to(server.url("/second")), random_bytes(3 << 20));
    CHECK(server.requests().at(1).on_connection == 2);
    CHECK(answer.reused_connection);
    CHECK(answer.status == 0);
    const auto judged = waybill::judge(answer, true);
    CHECK_FALSE(judged.accepted);
    CHECK(judged.what == disposition::again);
    CHECK(server.requests().size() == 2);
}

TEST_CASE("a request that must not be repeated is sent once, whatever happens to its connection") {
    http_server server;
    transport_loop loop;
    const std::size_t size = GENERATE(std::size_t(0), std::size_t(1000), std::size_t(3 << 20));
    CAPTURE(size);
    loop.perform(put_to(server.url("/keeps-a-connection")), "x");
    const std::vector<script> ways = {
        script("reset at once").reset(), script("reset after the head").read_head().reset(),
        script("close at once").at_accept().close(), script("close after all").read_all().close(),
        script("reset after all").read_all().reset()};
    server.next(GENERATE_REF(from_range(ways)));
    const response answer = loop.perform(post_to(server.url("/once")), random_bytes(size));
    CHECK(answer.status == 0);
    CHECK(answer.failure);
    CHECK_FALSE(answer.reused_connection);
    // A repetition would have to come before the next answer.
    loop.perform(put_to(server.url("/afterwards")), "x");
    CHECK(server.requests().size() == 3);
    CHECK(server.log().connections() <= 3);
}

}  // namespace waybill::test
