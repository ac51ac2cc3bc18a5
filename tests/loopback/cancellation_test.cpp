// SPDX-License-Identifier: BSL-1.0
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <asio/error.hpp>

#include <string>
#include <vector>

namespace waybill::test {
TEST_CASE("canceling one transfer in mid-body leaves its neighbor alone") {
    http_server server(reads_little());
    transport_loop loop;
    const std::string body = random_bytes(beyond_buffers);
    const valve go;
    server.next(script("held 1").read_body(100'000).hold(go));
    server.next(script("held 2").read_body(100'000).hold(go));
    sending canceled = loop.start(put_to(server.url("/canceled")), body);
    server.wait_for_body(1, 100'000);
    sending neighbor = loop.start(put_to(server.url("/neighbor")), body);
    server.wait_for_body(2, 100'000);
    canceled.cancel();
    canceled.cancel();
    CHECK(canceled.error() == asio::error::operation_aborted);
    go.open();
    CHECK(neighbor.get().status == 201);
    canceled.cancel();  // late: it must not hit anybody
    CHECK(loop.perform(put_to(server.url("/next")), "x").status == 201);
    CHECK(canceled.completions() == 1);
    CHECK(neighbor.completions() == 1);
    CHECK_FALSE(server.finished(1).complete);
    CHECK(server.finished(2).sha256 == sha256(body));
}

TEST_CASE("canceling closes the connection at once") {
    http_server server(reads_little());
    transport_loop loop;
    const valve go;
    server.next(script("stalls").read_body(100'000).hold(go));
    sending put = loop.start(put_to(server.url()), random_bytes(beyond_buffers));
    server.wait_for_body(1, 100'000);
    put.cancel();
    CHECK(put.error() == asio::error::operation_aborted);
    go.open();  // what was in the kernel still comes, and then the end
    CHECK_FALSE(server.finished(1).complete);
}

TEST_CASE("a transfer can be canceled while it connects") {
    const black_hole nobody;
    transport_loop loop;
    sending put = loop.start(put_to(nobody.url()), "x");
    CHECK_FALSE(put.progress().body_sent);  // asked on the loop: it has begun
    put.cancel();
    CHECK(put.error() == asio::error::operation_aborted);
    CHECK(put.completions() == 1);
}

TEST_CASE("a transfer can be canceled while it shakes hands") {
    certificate_authority authority;
    http_server_options how;
    how.tls = authority.issue();
    http_server server(how);
    transport_loop loop(trusting(authority));
    server.next(script("no handshake").at_accept().hold());
    sending put = loop.start(put_to(server.url()), "x");
    server.log().wait_for_connections(1);
    put.cancel();
    CHECK(put.error() == asio::error::operation_aborted);
}

TEST_CASE("a transfer can be canceled while it waits for the answer") {
    http_server server;
    transport_loop loop;
    server.next(script("mute").read_all().hold());
    sending post = loop.start(post_to(server.url()), random_bytes(100'000));
    server.wait_for_body(1, 100'000);
    post.cancel();
    CHECK(post.error() == asio::error::operation_aborted);
    CHECK(post.completions() == 1);
    CHECK(server.finished(1).complete);
}

// A canceled transfer's descriptor number is in use again at once: a late event for the old one
// must not reach the new one.
TEST_CASE("canceling and starting in quick succession disturbs nobody") {
    http_server server;
    transport_loop loop;
    const std::string body = random_bytes(300'000);
    std::vector<sending> whole;
    std::vector<sending> canceled;
    for (int i = 0; i < 150; ++i) {
        canceled.push_back(loop.start(put_to(server.url("/canceled")), body));
        canceled.back().cancel();
        whole.push_back(loop.start(put_to(server.url("/whole")), body));
    }
    for (sending& s : whole) {
        CHECK(s.get().status == 201);
    }
    std::size_t complete = 0;
    for (const received_request& r : server.requests()) {
        if (r.target == "/whole") {
            ++complete;
            CHECK(r.complete);
            CHECK(sha256(r.body) == sha256(body));
        }
    }
    CHECK(complete == whole.size());
}

// What leaks or is used after its end here, the address sanitizer reports.
TEST_CASE("the loop can be destroyed with transfers in every phase") {
    certificate_authority authority;
    http_server_options how = reads_little();
    how.tls = authority.issue();
    http_server secure(how);
    http_server plain(reads_little());
    const black_hole nobody;
    const std::string body = random_bytes(beyond_buffers);
    const valve go;
    {
        transport_loop loop(trusting(authority));
        std::vector<sending> all;
        secure.next(script("no handshake").at_accept().hold());
        all.push_back(loop.start(put_to(secure.url()), "x"));
        secure.log().wait_until("its script", [](const http_log::requests& seen) { return seen.size() == 1; });
        secure.next(script("stalls").read_body(100'000).hold(go));
        all.push_back(loop.start(put_to(secure.url()), body));
        secure.wait_for_body(2, 100'000);
        plain.next(script("mute").read_all().hold());
        all.push_back(loop.start(put_to(plain.url()), "x"));
        plain.wait_for_body(1, 1);
        plain.next(script("stalls").read_body(100'000).hold(go));
        all.push_back(loop.start(put_to(plain.url()), body));
        plain.wait_for_body(2, 100'000);
        all.push_back(loop.start(put_to(nobody.url()), "x"));
        all.push_back(loop.start(put_to("http://waybill-test.invalid/"), "x"));
        loop.perform(put_to(plain.url()), "x");  // a kept connection as well
        all.clear();
    }
    go.open();
    CHECK_FALSE(plain.finished(2).complete);
    CHECK_FALSE(secure.finished(2).complete);
}

}  // namespace waybill::test
