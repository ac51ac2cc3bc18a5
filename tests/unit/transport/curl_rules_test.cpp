// SPDX-License-Identifier: BSL-1.0
#include <waybill/transport/detail/easy_setup.hpp>

#include "support/catch.hpp"

#include <cerrno>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace waybill::test {
namespace {

std::vector<std::string> lines_of(const header_list& headers, bool expect_continue = false) {
    const detail::slist_handle list = detail::header_lines(headers, expect_continue);
    std::vector<std::string> out;
    for (const curl_slist* at = list.get(); at != nullptr; at = at->next) {
        out.emplace_back(at->data);
    }
    return out;
}

TEST_CASE("the upload buffer follows the body within libcurl's bounds", "[transport][curl]") {
    CHECK(detail::upload_buffer(0) == 64 << 10);
    CHECK(detail::upload_buffer(1) == 64 << 10);
    CHECK(detail::upload_buffer(64 << 10) == 64 << 10);
    CHECK(detail::upload_buffer((64 << 10) + 1) == (64 << 10) + 1);
    CHECK(detail::upload_buffer(1 << 20) == 1 << 20);
    CHECK(detail::upload_buffer(2 << 20) == 2 << 20);
    CHECK(detail::upload_buffer((2 << 20) + 1) == 2 << 20);
    CHECK(detail::upload_buffer(std::numeric_limits<std::uint64_t>::max()) == 2 << 20);

    // libcurl must take every size that is asked for.
    const detail::easy_handle easy(curl_easy_init());
    for (const std::uint64_t body : {std::uint64_t{0}, std::uint64_t{100'000}, std::uint64_t{1} << 40}) {
        CHECK_NOTHROW(detail::set_option(easy.get(), CURLOPT_UPLOAD_BUFFERSIZE, detail::upload_buffer(body)));
    }
}

TEST_CASE("headers are written in libcurl's notation", "[transport][curl]") {
    CHECK(lines_of({{"X-Album", "7"}, {"X-Empty", ""}, {"Content-Type", "image/jpeg"}}) ==
          std::vector<std::string>{"X-Album: 7", "X-Empty;", "Content-Type: image/jpeg", "Expect:"});
}

TEST_CASE("what libcurl would add by itself is switched off unless it is asked for", "[transport][curl]") {
    CHECK(lines_of({}) == std::vector<std::string>{"Expect:", "Content-Type:"});
    CHECK(lines_of({{"content-type", "a/b"}}) == std::vector<std::string>{"content-type: a/b", "Expect:"});
    CHECK(lines_of({{"content-type", "a/b"}}, true) ==
          std::vector<std::string>{"content-type: a/b", "Expect: 100-continue"});
}

TEST_CASE("libcurl takes every option that every request gets", "[transport][curl]") {
    const detail::easy_handle easy(curl_easy_init());
    curl_options options;
    CHECK_NOTHROW(detail::set_policy(easy.get(), options));
    options.ca_file = "/no/such/file.pem";
    options.proxy = "socks5h://127.0.0.1:1080";
    CHECK_NOTHROW(detail::set_policy(easy.get(), options));
}

TEST_CASE("an option that libcurl refuses is an error, not a surprise", "[transport][curl]") {
    const detail::easy_handle easy(curl_easy_init());
    CHECK_THROWS_AS(detail::set_option(easy.get(), CURLOPT_PROTOCOLS_STR, "no-such-protocol"), error);
    CHECK_THROWS_AS(detail::set_option(easy.get(), static_cast<CURLoption>(1), 1), error);
}

TEST_CASE("every way libcurl can fail has a meaning", "[transport][curl]") {
    const std::map<CURLcode, errc> meant = {
        {CURLE_URL_MALFORMAT, errc::invalid_url},
        {CURLE_COULDNT_RESOLVE_PROXY, errc::proxy_failed},
        {CURLE_PROXY, errc::proxy_failed},
        {CURLE_COULDNT_RESOLVE_HOST, errc::host_not_found},
        {CURLE_COULDNT_CONNECT, errc::connect_failed},
        {CURLE_OPERATION_TIMEDOUT, errc::connect_timed_out},
        {CURLE_WEIRD_SERVER_REPLY, errc::invalid_response},
        {CURLE_HTTP2, errc::invalid_response},
        {CURLE_PARTIAL_FILE, errc::connection_lost},
        {CURLE_GOT_NOTHING, errc::connection_lost},
        {CURLE_SEND_ERROR, errc::connection_lost},
        {CURLE_RECV_ERROR, errc::connection_lost},
        {CURLE_HTTP2_STREAM, errc::connection_lost},
        {CURLE_SEND_FAIL_REWIND, errc::stale_connection},
        {CURLE_SSL_CONNECT_ERROR, errc::tls_failed},
        {CURLE_PEER_FAILED_VERIFICATION, errc::tls_untrusted},
        {CURLE_SSL_CACERT_BADFILE, errc::tls_untrusted},
        {CURLE_SSL_ISSUER_ERROR, errc::tls_untrusted},
        {CURLE_SSL_PINNEDPUBKEYNOTMATCH, errc::tls_untrusted},
        {CURLE_SSL_INVALIDCERTSTATUS, errc::tls_untrusted},
        {CURLE_SSL_CERTPROBLEM, errc::tls_untrusted},
        {CURLE_SSL_CIPHER, errc::tls_untrusted},
        {CURLE_SSL_CRL_BADFILE, errc::tls_untrusted},
        {CURLE_SSL_ENGINE_NOTFOUND, errc::tls_untrusted},
        {CURLE_SSL_ENGINE_SETFAILED, errc::tls_untrusted},
        {CURLE_SSL_ENGINE_INITFAILED, errc::tls_untrusted},
        {CURLE_WRITE_ERROR, errc::response_too_large},
    };
    for (int code = 1; code < CURL_LAST; ++code) {
        if (code == CURLE_UNSUPPORTED_PROTOCOL) {
            continue;
        }
        const auto rc = static_cast<CURLcode>(code);
        INFO(code << " " << curl_easy_strerror(rc));
        const auto found = meant.find(rc);
        CHECK(detail::to_errc(rc, 0, true) == (found == meant.end() ? errc::transport_failed : found->second));
    }
    CHECK(detail::to_errc(CURLE_UNSUPPORTED_PROTOCOL, 0, false) == errc::unsupported_scheme);
    CHECK(detail::to_errc(CURLE_UNSUPPORTED_PROTOCOL, 0, true) == errc::invalid_response);
}

TEST_CASE("no network is told from no server", "[transport][curl]") {
    CHECK(detail::to_errc(CURLE_COULDNT_CONNECT, ENETUNREACH, false) == errc::network_unreachable);
    CHECK(detail::to_errc(CURLE_COULDNT_CONNECT, ENETDOWN, false) == errc::network_unreachable);
    CHECK(detail::to_errc(CURLE_COULDNT_CONNECT, ECONNREFUSED, false) == errc::connect_failed);
    CHECK(detail::to_errc(CURLE_COULDNT_CONNECT, EHOSTUNREACH, false) == errc::connect_failed);
}

}  // namespace
}  // namespace waybill::test
