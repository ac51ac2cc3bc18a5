// SPDX-License-Identifier: BSL-1.0
#include <waybill/transport/detail/checked_options.hpp>
#include <waybill/transport/detail/easy_setup.hpp>
#include <waybill/transport/detail/failure_text.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

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

TEST_CASE("options that can only be a mistake are named at once", "[transport][curl]") {
    const temp_dir dir;
    const auto refused = [](const curl_options& how) -> std::string {
        try {
            static_cast<void>(detail::checked(how));
            return {};
        } catch (const error& e) {
            CHECK(e.code() == errc::invalid_option);
            return e.details().detail;
        }
    };
    curl_options how;
    CHECK(refused(how).empty());
    SECTION("proxies") {
        for (const char* good : {"127.0.0.1:3128", "http://proxy.test:1", "socks5h://proxy.test", "socks4://[::1]:1"}) {
            how.proxy = good;
            CHECK(refused(how).empty());
        }
        for (const char* bad : {"ftp://proxy.test:1", "httpx://user:secret@proxy.test", "http://", "http://h:999999"}) {
            how.proxy = bad;
            CAPTURE(bad);
            CHECK(refused(how).starts_with("http.proxy "));
            CHECK(refused(how).find("secret") == std::string::npos);
        }
    }
    SECTION("a proxy's password that was given apart") {
        how.proxy = "http://user@proxy.test:1/";
        how.proxy_password = "p@ss";
        const curl_options used = detail::checked(how);
        CHECK(used.proxy == "http://user:p%40ss@proxy.test:1/");
        CHECK(used.proxy_password.empty());
        how.proxy = "http://proxy.test:1";
        CHECK(refused(how).starts_with("http.proxy_password "));
        how.proxy.clear();
        CHECK(refused(how).starts_with("http.proxy_password "));
    }
    SECTION("files") {
        how.ca_file = dir / "missing";
        CHECK(refused(how).find("missing: No such file") != std::string::npos);
        how.ca_file = dir.write("empty", "no certificate");
        CHECK(refused(how).ends_with("empty is no PEM file"));
        how.ca_file = dir.write("ca", "# ours\n-----BEGIN CERTIFICATE-----\n");
        CHECK(refused(how).empty());
        how.client_key = how.ca_file;
        CHECK(refused(how).starts_with("http.client_key "));
        how.client_cert = how.ca_file;
        CHECK(refused(how).empty());
    }
}

TEST_CASE("a connection that does not come about says why", "[transport][curl]") {
    detail::connect_facts f;
    f.through_proxy = true;
    f.proxy_status = 407;
    f.result = CURLE_RECV_ERROR;
    CHECK(detail::blame(errc::connection_lost, f) == errc::proxy_unauthorized);
    CHECK(detail::failure_text(f) == "the proxy responded 407 to CONNECT: it wants other credentials");
    f.proxy_status = 200;
    CHECK(detail::blame(errc::tls_untrusted, f) == errc::tls_untrusted);
    f.proxy_status = 0;
    f.result = CURLE_COULDNT_CONNECT;
    CHECK(detail::blame(errc::connect_failed, f) == errc::proxy_failed);
    CHECK(detail::blame(errc::network_unreachable, f) == errc::network_unreachable);
    f.through_proxy = false;
    CHECK(detail::blame(errc::connect_failed, f) == errc::connect_failed);
    CHECK(detail::failure_text(f).empty());

    f.result = CURLE_PEER_FAILED_VERIFICATION;
    f.verify = 9;
    CHECK(detail::failure_text(f).find("not valid yet") != std::string::npos);
    CHECK(detail::failure_text(f).find("clock") != std::string::npos);
    f.verify = 0;
    f.text = "SSL: no alternative certificate subject name matches target host name 'x'";
    CHECK(detail::failure_text(f) == "the certificate is for another host name");
    f.text = "anything else";
    CHECK(detail::failure_text(f).empty());
}

TEST_CASE("no network is told from no server", "[transport][curl]") {
    CHECK(detail::to_errc(CURLE_COULDNT_CONNECT, ENETUNREACH, false) == errc::network_unreachable);
    CHECK(detail::to_errc(CURLE_COULDNT_CONNECT, ENETDOWN, false) == errc::network_unreachable);
    CHECK(detail::to_errc(CURLE_COULDNT_CONNECT, ECONNREFUSED, false) == errc::connect_failed);
    CHECK(detail::to_errc(CURLE_COULDNT_CONNECT, EHOSTUNREACH, false) == errc::connect_failed);
}

}  // namespace
}  // namespace waybill::test
