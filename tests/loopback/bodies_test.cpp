// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <string>
#include <vector>

namespace waybill::test {
namespace {

// Around the size up to which a body leaves together with its header, and around libcurl's buffers.
const std::vector<std::size_t> telling_sizes = {
    0,      1, 16383, 16384, 65535, 65536, 65537, (1 << 20) - 1, (1 << 20) + 1, (2 << 20) - 1, 2 << 20, (2 << 20) + 1,
    3 << 20};

}  // namespace

TEST_CASE("a body arrives as it is, whatever its size") {
    http_server server;
    transport_loop loop;
    const std::string method = GENERATE("PUT", "POST");
    std::size_t count = 0;
    for (const std::size_t size : telling_sizes) {
        CAPTURE(method, size);
        const std::string body = random_bytes(size, size + 1);
        const request what = method == "PUT" ? put_to(server.url("/x")) : post_to(server.url("/x"));
        const response answer = loop.perform(what, body);
        CHECK(answer.status == (method == "PUT" ? 201 : 200));
        CHECK_FALSE(answer.failure);
        CHECK(answer.has_left);
        CHECK(answer.body_offered == size);
        const received_request got = server.finished(++count);
        CHECK(got.method == method);
        CHECK(got.body_length == size);
        CHECK_FALSE(got.chunked);
        CHECK(got.complete);
        REQUIRE(got.body_bytes == size);
        CHECK(got.sha256 == sha256(body));
    }
    CHECK(server.requests().size() == count);
}

TEST_CASE("a request sends its body from the offset on") {
    http_server server;
    transport_loop loop;
    const std::string body = random_bytes(300'000);
    for (const std::size_t offset : {std::size_t(1), std::size_t(200'000), std::size_t(299'999), body.size()}) {
        CAPTURE(offset);
        request what = put_to(server.url());
        what.offset = offset;
        CHECK(loop.perform(what, body).status == 201);
        CHECK(server.requests().back().body_length == body.size() - offset);
        CHECK(server.requests().back().body == body.substr(offset));
    }
}

// A server whose buffer is smaller than one read of the client makes the socket unwritable again
// and again: a driver that waits for writability only once stops here for ever.
TEST_CASE("a large body reaches a slow reader") {
    http_server server(reads_little());
    transport_loop loop;
    const std::string body = random_bytes(beyond_buffers);
    server.next(script("slow reader").read_slowly(512 << 10, std::chrono::milliseconds(2)));
    const response answer = loop.perform(put_to(server.url()), body);
    CHECK(answer.status == 201);
    CHECK(server.finished(1).sha256 == sha256(body));
}

TEST_CASE("many transfers at once arrive whole, also when the server closes connections") {
    http_server server;
    server.otherwise([](const received_request& r) {
        const bool closes = r.target.ends_with("3") || r.target.ends_with("7");
        return closes ? reply(201, {{"Connection", "close"}}) : reply(201);
    });
    transport_loop loop;
    constexpr std::size_t count = 60;
    // Two rounds: the second finds kept connections and closed ones.
    for (int round = 0; round < 2; ++round) {
        std::vector<sending> all;
        for (std::size_t i = 0; i < count; ++i) {
            all.push_back(loop.start(put_to(server.url("/" + std::to_string(i))), random_bytes(4000 * i, i)));
        }
        for (std::size_t i = 0; i < count; ++i) {
            CAPTURE(round, i);
            CHECK(all[i].get().status == 201);
            CHECK(all[i].completions() == 1);
        }
    }
    std::size_t complete = 0;
    for (const received_request& r : server.requests()) {
        if (r.complete) {
            ++complete;
            const auto i = static_cast<std::size_t>(std::stoul(r.target.substr(1)));
            CHECK(sha256(r.body) == sha256(random_bytes(4000 * i, i)));
        }
    }
    CHECK(complete == 2 * count);
}

}  // namespace waybill::test
