// SPDX-License-Identifier: BSL-1.0
#include <waybill/transport/detail/response_reader.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::test {
namespace {

using detail::response_reader;

response_reader reader(std::size_t headers = 64 << 10, std::size_t body = 1 << 20) {
    request_limits limits;
    limits.response_headers = headers;
    limits.response_body = body;
    return response_reader(limits);
}

bool lines(response_reader& r, const std::vector<std::string>& all) {
    for (const std::string& line : all) {
        if (!r.line(line)) {
            return false;
        }
    }
    return true;
}

response finish(response_reader& r) {
    response out;
    r.move_to(out);
    return out;
}

TEST_CASE("a response is its status line, its fields and its body", "[transport][reader]") {
    auto r = reader();
    CHECK(lines(r, {"HTTP/1.1 201 Created\r\n", "Location: /files/7\r\n", "ETag: \"abc\"\r\n", "Empty:\r\n"}));
    CHECK(r.final_status() == 0);  // not before the empty line
    CHECK(lines(r, {"\r\n"}));
    CHECK(r.final_status() == 201);
    CHECK(r.body("hello "));
    CHECK(r.body("world"));
    const response out = finish(r);
    CHECK(out.status == 201);
    CHECK(out.headers == header_list{{"Location", "/files/7"}, {"ETag", "\"abc\""}, {"Empty", ""}});
    CHECK(out.body == "hello world");
    CHECK_FALSE(out.body_truncated);
}

TEST_CASE("line ends may be of either kind, or missing", "[transport][reader]") {
    for (const char* end : {"\r\n", "\n", ""}) {
        auto r = reader();
        CHECK(lines(r, {std::string("HTTP/1.1 200 OK") + end, std::string("A: b") + end, end}));
        CHECK(r.final_status() == 200);
        CHECK(finish(r).headers == header_list{{"A", "b"}});
    }
}

TEST_CASE("a response whose headers broke off has no status and no headers", "[transport][reader]") {
    auto r = reader();
    CHECK(lines(r, {"HTTP/1.1 200 OK", "ETag: \"abc\""}));
    const response out = finish(r);
    CHECK(out.status == 0);
    CHECK(out.headers.empty());
}

TEST_CASE("status lines of every HTTP version are read", "[transport][reader]") {
    for (const auto& [text, status] : std::vector<std::pair<std::string, int>>{{"HTTP/1.1 200 OK", 200},
                                                                               {"HTTP/1.0 404 Not Found", 404},
                                                                               {"HTTP/2 204 ", 204},
                                                                               {"HTTP/2 204", 204},
                                                                               {"HTTP/3 599 x", 599},
                                                                               {"HTTP/1.1 999", 999}}) {
        INFO(text);
        auto r = reader();
        CHECK(lines(r, {text, ""}));
        CHECK(r.final_status() == status);
    }
}

TEST_CASE("what is no status line is refused", "[transport][reader]") {
    for (const char* text :
         {"HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2x0 OK", "HTTP/1.1 099 OK", "HTTP/1.1 -12 OK",
          "HTTP/1.1 +20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 200OK", "HTTP/1.1  200 OK", "HTTQ/1.1 200 OK",
          "http/1.1 200 OK", "ICY 200 OK", "<html>", " HTTP/1.1 200 OK", "SSH-2.0-OpenSSH_9.2"}) {
        INFO(text);
        auto r = reader();
        CHECK_FALSE(r.line(text));
        CHECK(r.final_status() == 0);
    }
}

TEST_CASE("an interim response is kept apart from the final one", "[transport][reader]") {
    auto r = reader();
    CHECK(lines(r, {"HTTP/1.1 100 Continue", ""}));
    auto interim = r.take_interim();
    REQUIRE(interim);
    CHECK(interim->status == 100);
    CHECK(interim->headers.empty());
    CHECK_FALSE(r.take_interim());  // told once
    CHECK(r.final_status() == 0);

    CHECK(lines(r, {"HTTP/1.1 104 Upload Resumption Supported", "Location: /upload/1", "Upload-Offset: 50"}));
    CHECK_FALSE(r.take_interim());
    CHECK(lines(r, {""}));
    interim = r.take_interim();
    REQUIRE(interim);
    CHECK(interim->status == 104);
    CHECK(interim->headers == header_list{{"Location", "/upload/1"}, {"Upload-Offset", "50"}});

    CHECK(lines(r, {"HTTP/1.1 201 Created", "ETag: x", ""}));
    CHECK_FALSE(r.take_interim());
    const response out = finish(r);
    CHECK(out.status == 201);
    CHECK(out.headers == header_list{{"ETag", "x"}});  // and no Location
}

TEST_CASE("every status from 100 to 199 is interim and every higher one is final", "[transport][reader]") {
    for (int status = 100; status < 1000; ++status) {
        auto r = reader();
        REQUIRE(lines(r, {"HTTP/1.1 " + std::to_string(status) + " x", "A: b", ""}));
        REQUIRE((r.final_status() == status) == (status >= 200));
        REQUIRE(r.take_interim().has_value() == (status < 200));
    }
}

TEST_CASE("an answer says whether it is the last on its connection", "[transport][reader]") {
    const auto ends = [](const std::vector<std::string>& all) {
        auto r = reader();
        CHECK(lines(r, all));
        CHECK(lines(r, {""}));
        return r.ends_connection();
    };
    CHECK_FALSE(ends({"HTTP/1.1 200 OK"}));
    CHECK_FALSE(ends({"HTTP/1.1 200 OK", "Connection: keep-alive"}));
    CHECK_FALSE(ends({"HTTP/1.1 200 OK", "Connection: closed, not-close ,"}));
    CHECK_FALSE(ends({"HTTP/1.0 200 OK", "connection: Keep-Alive"}));
    CHECK(ends({"HTTP/1.0 200 OK"}));
    CHECK(ends({"HTTP/1.1 200 OK", "connection: Close"}));
    CHECK(ends({"HTTP/1.1 200 OK", "Connection: , TE,\tclose"}));
    CHECK(ends({"HTTP/1.1 200 OK", "Connection: close", "Connection: keep-alive"}));
    CHECK_FALSE(ends({"HTTP/1.1 100 Continue", "Connection: close"}));  // an interim one is not the answer
    CHECK_FALSE(ends({"HTTP/1.1 103 Early Hints", "Connection: close", "", "HTTP/1.1 200 OK"}));
}

TEST_CASE("trailers change nothing", "[transport][reader]") {
    auto r = reader();
    CHECK(lines(r, {"HTTP/1.1 200 OK", "A: b", ""}));
    CHECK(r.body("x"));
    CHECK(lines(r, {"Content-MD5: forged", "HTTP/1.1 500 No", ""}));
    const response out = finish(r);
    CHECK(out.status == 200);
    CHECK(out.headers == header_list{{"A", "b"}});
}

TEST_CASE("fields lose the space around their values and nothing else", "[transport][reader]") {
    auto r = reader();
    CHECK(lines(r, {"HTTP/1.1 200 OK", "A:b", "B: \t b c \t", "C:  ", "D: x:y: z", "e: lower", "F : spaced", ""}));
    CHECK(finish(r).headers ==
          header_list{{"A", "b"}, {"B", "b c"}, {"C", ""}, {"D", "x:y: z"}, {"e", "lower"}, {"F ", "spaced"}});
}

TEST_CASE("folded and malformed lines are passed over", "[transport][reader]") {
    auto r = reader();
    CHECK(lines(r, {"HTTP/1.1 200 OK", "A: b", " folded: c", "\tfolded", "no colon", ": no name", "Z: z", ""}));
    CHECK(finish(r).headers == header_list{{"A", "b"}, {"Z", "z"}});
}

TEST_CASE("empty lines before a status line are passed over", "[transport][reader]") {
    auto r = reader();
    CHECK(lines(r, {"\r\n", "", "HTTP/1.1 200 OK", ""}));
    CHECK(r.final_status() == 200);
}

TEST_CASE("headers are counted, interim ones and trailers included, and cut off at their limit",
          "[transport][reader]") {
    SECTION("exactly the limit is allowed") {
        auto r = reader(20);
        CHECK(r.line("HTTP/1.1 200 OK\r\n"));  // 17
        CHECK(r.line("A:"));                   // 19
        CHECK(r.line("\n"));                   // 20
        CHECK(r.final_status() == 200);
        CHECK_FALSE(r.line("x"));
    }
    SECTION("a flood of interim responses") {
        auto r = reader(1'000);
        int taken = 0;
        while (lines(r, {"HTTP/1.1 102 Processing\r\n", "\r\n"})) {
            ++taken;
            REQUIRE(taken < 1'000);
        }
        CHECK(taken == 1'000 / 27);
        CHECK(r.final_status() == 0);
    }
    SECTION("interim responses that keep pace with the request are no flood") {
        auto r = reader(1'000);
        for (int i = 0; i < 10'000; ++i) {
            REQUIRE(lines(r, {"HTTP/1.1 104 Upload Resumption Supported\r\n", "Upload-Offset: 5\r\n", "\r\n"}));
            r.forgive();
        }
        CHECK(lines(r, {"HTTP/1.1 200 OK\r\n", "\r\n"}));
    }
    SECTION("a flood of trailers") {
        auto r = reader(1'000);
        REQUIRE(lines(r, {"HTTP/1.1 200 OK", ""}));
        int taken = 0;
        while (r.line("X-Trailer: y\r\n")) {
            ++taken;
            REQUIRE(taken < 1'000);
        }
    }
    SECTION("one long line of an interim response") {
        auto r = reader(1'000);
        REQUIRE(r.line("HTTP/1.1 102 Processing"));
        CHECK_FALSE(r.line("A: " + std::string(2'000, 'x')));
        CHECK(r.final_status() == 0);
    }
}

TEST_CASE("of a final response's headers those beyond the limit are not kept, and its status is",
          "[transport][reader]") {
    auto r = reader(1'000);
    REQUIRE(lines(r, {"HTTP/1.1 201 Created", "ETag: a", "A: " + std::string(2'000, 'x'), "B: b"}));
    SECTION("they end") {
        REQUIRE(r.line(""));
        const response answer = finish(r);
        CHECK(answer.status == 201);
        CHECK(answer.headers == header_list{{"ETag", "a"}});
    }
    SECTION("they do not") {
        int taken = 0;
        while (r.line("C: c")) {
            ++taken;
            REQUIRE(taken < 16'000);
        }
        const response answer = finish(r);
        CHECK(answer.status == 201);
        CHECK(answer.headers == header_list{{"ETag", "a"}});
    }
}

TEST_CASE("a body is cut off at its limit, and that is told", "[transport][reader]") {
    auto r = reader(1'000, 10);
    CHECK(r.body("01234"));
    CHECK(r.body("56789"));
    CHECK_FALSE(r.body("x"));
    CHECK_FALSE(r.body("y"));
    const response out = finish(r);
    CHECK(out.body == "0123456789");
    CHECK(out.body_truncated);

    auto one_piece = reader(1'000, 4);
    CHECK_FALSE(one_piece.body("012345"));
    CHECK(finish(one_piece).body == "0123");

    auto none = reader(1'000, 0);
    CHECK(none.body(""));
    CHECK_FALSE(none.body("x"));
    CHECK(finish(none).body.empty());
}

TEST_CASE("whatever a server sends, what is kept stays within the limits", "[transport][reader]") {
    std::mt19937_64 random(21);
    const std::vector<std::string> pieces = {
        "HTTP/1.1 ", "HTTP/2 ", "200", "100", "OK",  "\r\n", "\n", ":",
        " ",         "\t",      "A",   "\r",  "999", "0",    "",   std::string(1, '\0')};
    for (int round = 0; round < 20'000; ++round) {
        auto r = reader(200, 50);
        std::size_t accepted = 0;
        bool refused = false;
        for (int i = 0; i < 30 && !refused; ++i) {
            std::string line;
            if (random() % 3 == 0) {
                line = random_bytes(random() % 20, random());
            } else {
                for (auto n = random() % 6; n > 0; --n) {
                    line += pieces[random() % pieces.size()];
                }
            }
            if (random() % 8 == 0) {
                line = "";
            }
            refused = !r.line(line);
            accepted += refused ? 0 : line.size();
            static_cast<void>(r.body(random_bytes(random() % 10, random())));
            if (const auto interim = r.take_interim()) {
                REQUIRE(interim->status >= 100);
                REQUIRE(interim->status < 200);
            }
            REQUIRE((r.final_status() == 0 || (r.final_status() >= 200 && r.final_status() <= 999)));
        }
        REQUIRE(accepted <= 200 * detail::response_reader::patience);
        const response out = finish(r);
        std::size_t kept = 0;
        for (const header_field& h : out.headers) {
            REQUIRE_FALSE(h.name.empty());
            kept += h.name.size() + h.value.size();
        }
        REQUIRE(kept <= 200);
        REQUIRE(out.body.size() <= 50);
    }
}

TEST_CASE("a header that comes twice is no header", "[transport][response]") {
    response r;
    r.headers = {{"Location", "/a"}, {"ETag", "1"}, {"etag", "2"}, {"X", ""}};
    CHECK(r.header("location") == "/a");
    CHECK_FALSE(r.header("ETag").has_value());
    CHECK(r.header("x") == "");
    CHECK_FALSE(r.header("Y").has_value());
    CHECK(same_header("Content-Type", "CONTENT-type"));
    CHECK_FALSE(same_header("Content-Type", "Content-Typ"));
    CHECK_FALSE(same_header("[", "{"));  // 32 apart, and no letters
}

TEST_CASE("a foreign text is shown bounded and without control characters", "[transport][response]") {
    CHECK(printable_excerpt("a\r\nb\tc\x7F"
                            "d\x1B[31m") == "a  b c d [31m");
    CHECK(printable_excerpt("Überraschung") == "Überraschung");
    CHECK(printable_excerpt(std::string(2'000, 'x')).size() == 1024);
    CHECK(printable_excerpt("abcdef", 3) == "abc");

    response r;
    r.status = 503;
    r.transport_code = 56;
    r.transport_text = std::string(1'000, 't');
    r.body = "line\n" + std::string(2'000, 'b');
    r.failure_detail = "/photos/a.jpg";
    const diagnostics d = describe(r);
    CHECK(d.http_status == 503);
    CHECK(d.transport_code == 56);
    CHECK(d.transport_text.size() == 256);
    CHECK(d.excerpt.size() == 1024);
    CHECK(d.excerpt.substr(0, 6) == "line b");
    CHECK(d.detail == "/photos/a.jpg");
}

}  // namespace
}  // namespace waybill::test
