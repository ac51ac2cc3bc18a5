// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/http_rules.hpp>
#include <waybill/transport/detail/curl_transfer.hpp>
#include <waybill/transport/detail/easy_setup.hpp>

#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

// libcurl sends a request once more by itself when a kept connection dies before a byte of its answer, and asks for a
// rewind only if it knows of a body byte that left. Over TLS a write counts when all of it has been taken, so that it
// may have read two MiB of the body and know of none. It does so if it finds the connection broken when it reads, not
// when it writes: whichever the event loop reports first. Libcurl's own loop reads first, so it is used here.
namespace waybill::test {
namespace {

response perform_by_libcurl(CURLM* multi, request what, std::string body, const curl_options& how) {
    bytes_source bytes(std::move(body));
    what.body = &bytes;
    transfer_progress progress;
    asio::io_context context;
    detail::curl_transfer transfer(what, progress, context.get_executor(), detail::easy_handle(curl_easy_init()),
                                   std::make_shared<detail::pacing>(context.get_executor()));
    const detail::slist_handle lines = detail::header_lines(what.headers, false);
    detail::set_up(transfer, what, how, lines);
    curl_multi_add_handle(multi, transfer.easy());
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (int running = 1; running > 0 && std::chrono::steady_clock::now() < patience;) {
        curl_multi_perform(multi, &running);
        curl_multi_poll(multi, nullptr, 0, 100, nullptr);
    }
    int left = 0;
    const CURLMsg* const said = curl_multi_info_read(multi, &left);
    transfer.on_done(said != nullptr ? said->data.result : CURLE_RECV_ERROR);
    curl_multi_remove_handle(multi, transfer.easy());
    return transfer.take_response();
}

}  // namespace

TEST_CASE("libcurl does not send the rest of a body as its beginning when a kept connection dies") {
    detail::curl_startup();
    certificate_authority authority;
    http_server_options how = reads_little();
    if (GENERATE(true, false)) {
        how.tls = authority.issue();
    }
    http_server server(how);
    const curl_options options = trusting(authority);
    const detail::multi_handle multi(curl_multi_init());
    const std::string body = random_bytes(GENERATE(std::size_t(300'000), beyond_buffers));
    request first = put_to(server.url("/first"));
    first.finishing = true;
    REQUIRE(perform_by_libcurl(multi.get(), std::move(first), "x", options).status == 201);

    server.next(script("reset in the first write")
                    .read_head()
                    .then([](exchange& x) {
                        while (x.wire().unread() < 40'000) {
                            x.wire().pause(std::chrono::milliseconds(1));
                        }
                    })
                    .reset());
    const response answer = perform_by_libcurl(multi.get(), put_to(server.url("/second")), body, options);
    CAPTURE(how.tls.has_value(), body.size(), answer.transport_text, describe(server.requests()));
    CHECK(answer.status == 0);
    CHECK(waybill::judge(answer, true).what == disposition::again);
    CHECK(server.requests().at(1).on_connection == 2);
    CHECK(server.requests().size() == 2);
}

}  // namespace waybill::test
