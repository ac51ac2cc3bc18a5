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
    0,      1, 16383, 16384, 65535, 65536, 65537, (1 << 20) - 1, (1 << 20) + 1, (2 << 20) - 1, (2 << 20), (2 << 20) + 1,
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
        request what = method == "PUT" ? put_to(server.url("/x")) : post_to(server.url("/x"));
        const response answer = loop.perform(what, body);
        CHECK(answer.status == (method == "PUT" ? 201 : 200));
        CHECK_FALSE(answer.failure);
        CHECK(answer.request_complete);
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

}  // namespace waybill::test
