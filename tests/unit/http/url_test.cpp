// SPDX-License-Identifier: BSL-1.0
#include <waybill/http/url.hpp>

#include "support/catch.hpp"
#include "support/run.hpp"

#include <string>
#include <vector>

namespace waybill::test {
namespace {

std::string words_of(const std::string& text) {
    try {
        static_cast<void>(url(text));
    } catch (const error& e) {
        return e.what();
    }
    return {};
}

TEST_CASE("a URL is taken apart", "[transport][url]") {
    const url u("https://example.com:8443/a/b%20c?q=1&r=2");
    CHECK(u.scheme() == "https");
    CHECK(u.host() == "example.com");
    CHECK(u.port() == "8443");
    CHECK(u.path() == "/a/b%20c");
    CHECK(u.query() == "q=1&r=2");
    CHECK(u.str() == "https://example.com:8443/a/b%20c?q=1&r=2");
}

TEST_CASE("a URL without path or port has the usual ones", "[transport][url]") {
    CHECK(url("http://h").path() == "/");
    CHECK(url("http://h").port() == "80");
    CHECK(url("https://h").port() == "443");
    CHECK(url("http://h?q").path() == "/");
    CHECK(url("http://[::1]:8080/x").host() == "[::1]");
    CHECK(url("http://[::1]:8080/x").port() == "8080");
}

TEST_CASE("what is not an http or https URL is refused", "[transport][url]") {
    for (const char* text : {"",
                             "h",
                             "example.com/path",
                             "//example.com/",
                             "http",
                             "http:",
                             "http:/",
                             "http://",
                             "http://:80/",
                             "http:///path",
                             "http:/host/path",
                             "http:host/path",
                             "https:////host/path",
                             "http://h:65536/",
                             "http://h:-1/",
                             "http://h:8a/",
                             "http://h:80:90/",
                             "http://[::1",
                             "http://a,b/",
                             "http://h\"/",
                             "?",
                             "/path",
                             "javascript:alert(1)"}) {
        INFO(text);
        CHECK(error_of([&] { static_cast<void>(url(text)); }) == errc::invalid_url);
    }
    for (const char* text : {"ftp://h/", "file:///etc/passwd", "gopher://h/", "ws://h/", "dict://h/", "smb://h/x",
                             "unacknowledged-of://h/"}) {
        INFO(text);
        CHECK(error_of([&] { static_cast<void>(url(text)); }) == errc::unsupported_scheme);
    }
}

TEST_CASE("no space and no control character gets into a URL", "[transport][url]") {
    for (int c = 0; c < 256; ++c) {
        const char byte = static_cast<char>(c);
        INFO("byte " << c);
        const bool refused = c <= 0x20 || c == 0x7F || c == '#';
        CHECK((error_of([&] { static_cast<void>(url(std::string("http://h/a") + byte + "b")); }) ==
               errc::invalid_url) == refused);
        CHECK((error_of([&] { static_cast<void>(url(std::string("http://h/?a") + byte + "b")); }) ==
               errc::invalid_url) == refused);
    }
    for (const char* const host : {"h%7Fx", "h%0Ax", "h%0D%0Ax", "h%20x", "%00"}) {
        INFO(host);
        CHECK(error_of([&] { static_cast<void>(url("http://" + std::string(host) + "/")); }) == errc::invalid_url);
    }
    CHECK(error_of([] { static_cast<void>(url("http://h/a\r\nX-Injected: 1")); }) == errc::invalid_url);
    CHECK(error_of([] { static_cast<void>(url(std::string("http://h/\0b", 11))); }) == errc::invalid_url);
}

TEST_CASE("a URL with user information or fragment is refused", "[transport][url]") {
    for (const char* text : {"http://user@h/", "http://user:secret@h/", "http://:secret@h/", "https://a@b@c/",
                             "http://h\\@evil.example/", "http://h/#top", "http://h/?q#top", "http://h#"}) {
        INFO(text);
        CHECK(error_of([&] { static_cast<void>(url(text)); }) == errc::invalid_url);
    }
}

TEST_CASE("no refusal repeats a secret", "[transport][url]") {
    const std::string much(200, 's');
    for (const std::string& text :
         {std::string("https://user:secret@h/"), std::string("https://user:secret@h:99999/"),
          std::string("https://user:secret with space@h/"), std::string("ftp://user:secret@h/"),
          std::string("https://user:secret@@h/"), "https://user:secret" + much + "\n@h/",
          std::string("https://h/?signature=secret #"), std::string("https://h/ ?signature=secret"),
          std::string("https://user:sec?ret@h\n/"), std::string("user:secret@h"), std::string("mailto:secret@h")}) {
        const std::string words = words_of(text);
        INFO(words);
        CHECK_FALSE(words.empty());
        CHECK(words.find("sec") == std::string::npos);
    }
    const std::string words = words_of("http://h/\r\nX-Injected: 1");
    CHECK(words.find('\r') == std::string::npos);
    CHECK(words.find('\n') == std::string::npos);
    CHECK(words_of("http://" + std::string(10'000, 'h') + " ").size() < 500);
}

TEST_CASE("origins are equal when scheme, host and port are", "[transport][url]") {
    const std::string origin = url("https://example.com/a").origin();
    CHECK(origin == "https://example.com:443");
    CHECK(url("https://example.com:443/b?c").origin() == origin);
    CHECK(url("HTTPS://EXAMPLE.com/").origin() == origin);
    CHECK(url("http://example.com/a").origin() != origin);
    CHECK(url("https://example.com:8443/a").origin() != origin);
    CHECK(url("https://www.example.com/a").origin() != origin);
    CHECK(url("https://example.com.evil.example/a").origin() != origin);
}

TEST_CASE("a redacted URL has no query", "[transport][url]") {
    CHECK(url("https://h/a?X-Amz-Signature=secret").redacted() == "https://h/a?…");
    CHECK(url("https://h/a").redacted() == "https://h/a");
    CHECK(url("https://h:8443/a?b").redacted() == "https://h:8443/a?…");
    CHECK(url("https://h:443/").redacted() == "https://h:443/");
}

TEST_CASE("references resolve as RFC 3986 section 5 has it", "[transport][url]") {
    const url base("https://h:8443/a/b/c?q=1");
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"d", "https://h:8443/a/b/d"},
        {"./d", "https://h:8443/a/b/d"},
        {"../d", "https://h:8443/a/d"},
        {"../../../../d", "https://h:8443/d"},
        {"/d", "https://h:8443/d"},
        {"/d?e", "https://h:8443/d?e"},
        {"?x=1", "https://h:8443/a/b/c?x=1"},
        {"//other/d", "https://other/d"},
        {"https://h:8443/new", "https://h:8443/new"},
        {"http://plain/", "http://plain/"},
        {"/d?e#f", "https://h:8443/d?e"},
        {"//other/#/login", "https://other/"},
    };
    for (const auto& [reference, expected] : cases) {
        INFO(reference);
        CHECK(base.resolve(reference).str() == expected);
    }
    CHECK(base.str() == "https://h:8443/a/b/c?q=1");
}

TEST_CASE("a reference that leads out of http, or holds a secret, is refused", "[transport][url]") {
    const url base("https://h/a");
    CHECK(error_of([&] { static_cast<void>(base.resolve("ftp://h/")); }) == errc::unsupported_scheme);
    CHECK(error_of([&] { static_cast<void>(base.resolve("file:///etc/passwd")); }) == errc::unsupported_scheme);
    CHECK(error_of([&] { static_cast<void>(base.resolve("//user:secret@h/")); }) == errc::invalid_url);
    CHECK(error_of([&] { static_cast<void>(base.resolve("d\r\nX-Injected: 1")); }) == errc::invalid_url);
    CHECK(error_of([&] { static_cast<void>(base.resolve("http://h:99999/")); }) == errc::invalid_url);
}

TEST_CASE("a template's place is filled with the escaped name", "[transport][url]") {
    CHECK(url::fill_name("https://h/up/", "a.jpg") == "https://h/up/a.jpg");
    CHECK(url::fill_name("https://h/up/?sig=1", "a.jpg") == "https://h/up/a.jpg?sig=1");
    CHECK(url::fill_name("https://h/{name}", "a b.jpg") == "https://h/a%20b.jpg");
    CHECK(url::fill_name("https://h/{name}/raw?x=1", "ü") == "https://h/%C3%BC/raw?x=1");
    CHECK(url::fill_name("https://h/{name}", "../../etc/passwd") == "https://h/..%2F..%2Fetc%2Fpasswd");
    CHECK(url::fill_name("https://h/{name}", "a?b#c&d=e\r\n") == "https://h/a%3Fb%23c%26d%3De%0D%0A");
    CHECK(url::fill_name("https://h/{name}", "{name}") == "https://h/%7Bname%7D");
    CHECK(url::fill_name("https://h/up?name={name}&x=1", "a&b") == "https://h/up?name=a%26b&x=1");
    CHECK(url::fill_name("https://h/{name}/{name}?n={name}", "a") == "https://h/a/a?n=a");
}

TEST_CASE("a link-local address is another host on each interface", "[transport][url]") {
    const url here("http://[fe80::1%25eth0]:80/x");
    CHECK(here.origin() == "http://[fe80::1%25eth0]:80");
    CHECK(here.origin() != url("http://[fe80::1%25eth1]/x").origin());
    CHECK(here.origin() != url("http://[fe80::1]/x").origin());
    CHECK(here.origin() == url("http://[fe80::1%25eth0]/y").origin());
    CHECK(url("http://[::1]:8080/").origin() == "http://[::1]:8080");
}

TEST_CASE("a host beyond ASCII is refused, with the name it has in ASCII", "[transport][url]") {
    try {
        static_cast<void>(url("https://bücher.example/up/"));
        FAIL("accepted");
    } catch (const error& e) {
        CHECK(e.code() == errc::invalid_url);
        CHECK(e.details().detail.find("xn--") != std::string::npos);
    }
    CHECK(url("https://xn--bcher-kva.example/up/").host() == "xn--bcher-kva.example");
}

TEST_CASE("a host that can never be reached is refused, and not waited for", "[transport][url]") {
    const std::string label(63, 'a');
    for (const std::string& host :
         {std::string("h:0"), std::string("256.1.1.1"), std::string("a..b"), std::string(".a"), label + "a.test",
          std::string("a.1234"), label + "." + label + "." + label + "." + label + ".test"}) {
        INFO(host);
        CHECK_THROWS_AS(url("http://" + host + "/"), error);
    }
    for (const std::string& host : {std::string("h:1"), std::string("h:65535"), std::string("255.0.0.1"),
                                    std::string("[::1]"), std::string("a.test."), std::string("1.a"), label + ".test",
                                    std::string("localhost"), std::string("a_b.test"), std::string("1-2")}) {
        INFO(host);
        CHECK_NOTHROW(url("http://" + host + "/"));
    }
}

TEST_CASE("only unreserved characters stay as they are in a segment", "[transport][url]") {
    for (int c = 0; c < 256; ++c) {
        const bool unreserved = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                                c == '-' || c == '.' || c == '_' || c == '~';
        const char byte = static_cast<char>(c);
        constexpr char digits[] = "0123456789ABCDEF";
        const std::string expected =
            unreserved ? std::string(1, byte) : std::string{'%', digits[c / 16], digits[c % 16]};
        INFO("byte " << c);
        CHECK(url::escape_segment(std::string(1, byte)) == expected);
    }
    CHECK(url::escape_segment("").empty());
}

TEST_CASE("URLs are values", "[transport][url]") {
    const url first("https://h/a");
    url second(first);
    CHECK(second.str() == "https://h/a");
    second = url("https://other/b");
    CHECK(second.str() == "https://other/b");
    CHECK(first.str() == "https://h/a");
    second = first;
    CHECK(second.str() == first.str());
    const url moved(std::move(second));
    CHECK(moved.str() == "https://h/a");
}

}  // namespace
}  // namespace waybill::test
