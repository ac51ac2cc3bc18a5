// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/http_rules.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>

namespace waybill::test {
namespace {

using std::chrono::seconds;
using waybill::judge;
using waybill::parse_decimal;
using waybill::parse_retry_after;
using waybill::verdict;

TEST_CASE("a decimal number is digits and nothing else", "[protocol][http]") {
    CHECK(parse_decimal("0") == 0);
    CHECK(parse_decimal("42") == 42);
    CHECK(parse_decimal("00042") == 42);
    CHECK(parse_decimal("18446744073709551615") == 18446744073709551615U);
    for (const char* text : {"", " ", "18446744073709551616", "99999999999999999999999", "-1", "+1", " 1", "1 ", "1.0",
                             "0x10", "1e3", "1,000", "one", "1\n"}) {
        INFO(text);
        CHECK_FALSE(parse_decimal(text).has_value());
    }
    CHECK_FALSE(parse_decimal(std::string_view("1\0", 2)).has_value());
}

TEST_CASE("an HTTP date is read in all three forms, and garbage in none", "[protocol][http]") {
    // RFC 9110 section 5.6.7.
    CHECK(waybill::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
    CHECK(waybill::parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
    CHECK(waybill::parse_http_date("Sun Nov  6 08:49:37 1994") == 784111777);
    for (const char* text : {"", "never", "soon", "GMT", "Sun, 99 Nov 1994 08:49:37 GMT", "\x01\x02"}) {
        INFO(text);
        CHECK_FALSE(waybill::parse_http_date(text).has_value());
    }
    CHECK_FALSE(waybill::parse_http_date(std::string(65, ' ')).has_value());
}

std::optional<seconds> retry_after(const std::string& value, const std::string& date = {}, std::int64_t now = 0) {
    response r;
    r.headers.push_back({"Retry-After", value});
    if (!date.empty()) {
        r.headers.push_back({"Date", date});
    }
    return parse_retry_after(r, now);
}

constexpr seconds longest{400LL * 24 * 3600};

TEST_CASE("Retry-After in seconds is obeyed up to a bound", "[protocol][http]") {
    CHECK(retry_after("0") == seconds(0));
    CHECK(retry_after("120") == seconds(120));
    CHECK(retry_after("34560000") == longest);
    CHECK(retry_after("34560001") == longest);
    CHECK(retry_after("18446744073709551615") == longest);
}

TEST_CASE("Retry-After as a date counts from the server's clock, else from ours", "[protocol][http]") {
    const std::string until = "Sun, 06 Nov 1994 08:49:37 GMT";
    CHECK(retry_after(until, "Sun, 06 Nov 1994 08:48:37 GMT", 0) == seconds(60));
    CHECK(retry_after(until, "Sun, 06 Nov 1994 08:48:37 GMT", 784111777) == seconds(60));
    CHECK(retry_after(until, "", 784111777 - 30) == seconds(30));
    CHECK(retry_after(until, "not a date", 784111777 - 30) == seconds(30));
    // In the past: now.
    CHECK(retry_after(until, "Sun, 06 Nov 1994 08:50:37 GMT", 0) == seconds(0));
    CHECK(retry_after(until, "", 784111777 + 1) == seconds(0));
    // In the far future: a bound.
    CHECK(retry_after("Fri, 01 Jan 2100 00:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT") == longest);
    CHECK(retry_after("Sun, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:00 1994") == seconds(37));
}

TEST_CASE("a Retry-After that is garbage is none", "[protocol][http]") {
    for (const char* text :
         {"", "-1", "-60", "+5", "1.5", "5 seconds", "soon", "99999999999999999999999", "1 2", "0x10"}) {
        INFO(text);
        CHECK_FALSE(retry_after(text).has_value());
    }
    CHECK_FALSE(parse_retry_after(response(), 0).has_value());
    response twice;
    twice.headers = {{"Retry-After", "5"}, {"retry-after", "6"}};
    CHECK_FALSE(parse_retry_after(twice, 0).has_value());
}

TEST_CASE("no Retry-After, however odd, is negative or beyond the bound", "[protocol][http]") {
    std::mt19937_64 random(41);
    const std::string_view pieces[] = {"Sun, ", "06 ", "Nov ",  "1994 ", "08:49:37 ",  "GMT",
                                       "9999",  "-",   "+0100", "  ",    "99999999999"};
    for (int round = 0; round < 20'000; ++round) {
        std::string value;
        for (auto n = random() % 8; n > 0; --n) {
            value += pieces[random() % std::size(pieces)];
        }
        if (random() % 4 == 0) {
            value = random_bytes(random() % 40, random());
        }
        const auto parsed = retry_after(value, "", static_cast<std::int64_t>(random() % 2'000'000'000));
        if (parsed) {
            REQUIRE(*parsed >= seconds(0));
            REQUIRE(*parsed <= longest);
        }
    }
}

// How far a request's body was when the answer came.
enum class body { incomplete, handed_over, left };

response answered(int status, body how_far, bool retry_after_header = false) {
    response r;
    r.status = status;
    r.may_have_left = how_far != body::incomplete;
    r.has_left = how_far == body::left;
    if (retry_after_header) {
        r.headers.push_back({"Retry-After", "7"});
    }
    return r;
}

// The whole table, in other words than the code's: what an answer means.
verdict expected_for(int status, body how_far, bool idempotent, bool retry_after_header) {
    static const std::set<int> busy = {425, 429, 503, 507, 508, 509, 529};
    static const std::set<int> broken = {502, 504, 511, 520, 521, 522, 523, 524, 525, 526, 527, 530, 598, 599};
    static const std::set<int> once_more = {408, 417, 421, 500};
    static const std::set<int> done_by_nobody = {529, 530};
    const bool unheard_of = status >= 512 && status <= 599 && !done_by_nobody.contains(status);
    const bool unsure = status == 500 || status == 502 || status == 504 || status == 507 || unheard_of;
    const std::error_code code = make_http_error(status);
    const bool doubtful = how_far != body::incomplete && !idempotent;
    if (status >= 200 && status < 300 && status != 206 && status != 207) {
        // A success before the whole body was there is none.
        return how_far == body::left
                   ? verdict{true, disposition::retry, {}}
                   : verdict{false, doubtful ? disposition::ambiguous : disposition::retry, errc::early_response};
    }
    if (status >= 300 && status < 400) {
        // "See there" follows a form that was processed.
        return {false, doubtful && status < 304 ? disposition::ambiguous : disposition::permanent,
                errc::redirect_refused};
    }
    if (status == 401 || status == 407) {
        return {false, disposition::credentials, code};
    }
    if (unsure && doubtful) {
        // Repeating blindly is a risk only when the server can have all of it and would do it twice.
        return {false, disposition::ambiguous, code};
    }
    if (status == 423) {
        return {false, disposition::locked, code};
    }
    if (retry_after_header || busy.contains(status)) {
        return {false, disposition::busy, code};
    }
    if (broken.contains(status)) {
        return {false, disposition::network, code};
    }
    const bool retried = once_more.contains(status) || unheard_of;
    return {false, retried ? disposition::retry : disposition::permanent, code};
}

TEST_CASE("every final status is judged by how far the request was and whether it may be repeated",
          "[protocol][http]") {
    for (int status = 200; status < 1000; ++status) {
        for (const body how_far : {body::incomplete, body::handed_over, body::left}) {
            for (const bool idempotent : {false, true}) {
                for (const bool header : {false, true}) {
                    INFO("HTTP " << status << " body " << static_cast<int>(how_far) << " idempotent " << idempotent
                                 << " Retry-After " << header);
                    const verdict is = judge(answered(status, how_far, header), idempotent);
                    const verdict should = expected_for(status, how_far, idempotent, header);
                    REQUIRE(is.accepted == should.accepted);
                    REQUIRE(is.code == should.code);
                    if (!is.accepted) {
                        REQUIRE(static_cast<int>(is.what) == static_cast<int>(should.what));
                    }
                }
            }
        }
    }
}

TEST_CASE("a redirect for now to another host is a login page, unless the server can have had all of it",
          "[protocol][http]") {
    response r = answered(302, body::incomplete);
    r.url = "http://server.test/up";
    r.headers.push_back({"Location", "http://login.test/"});
    CHECK(judge(r, true).what == disposition::network);
    CHECK(judge(r, false).what == disposition::network);
    r.may_have_left = true;
    CHECK(judge(r, true).what == disposition::network);
    CHECK(judge(r, false).what == disposition::ambiguous);
    for (const char* to : {"/login", "http://server.test:8080/", "https://server.test/up", "/#/login", ""}) {
        r.headers[0].value = to;
        CHECK(judge(r, true).what == disposition::permanent);
    }
    for (const char* to : {"http://[", "http://login.test/#/login", "http://login.test/a b", "http://me@login.test/"}) {
        r.headers[0].value = to;
        CHECK(judge(r, true).what == disposition::network);
    }
    r.headers[0].value = "http://login.test/";
    r.status = 307;  // which keeps the body, so that nobody has processed it here
    CHECK(judge(r, false).what == disposition::network);
    r.status = 301;
    CHECK(judge(r, true).what == disposition::permanent);
}

TEST_CASE("a status counts more than a failure that came with it", "[protocol][http]") {
    // A server that answers 413 and closes: the answer arrived, and so did a reset.
    response r = answered(413, body::incomplete);
    r.failure = errc::connection_lost;
    CHECK(judge(r, false).code == make_http_error(413));
    CHECK(judge(r, false).what == disposition::permanent);
}

TEST_CASE("a request without an answer is ambiguous only when all of it may have arrived", "[protocol][http]") {
    std::vector<errc> failures;
    for (int value = 0; value < 200; ++value) {
        if (make_error_code(static_cast<errc>(value)).message() != "unknown error") {
            failures.push_back(static_cast<errc>(value));
        }
    }
    REQUIRE(failures.size() > 40);
    for (const errc why : failures) {
        for (const bool complete : {false, true}) {
            for (const bool idempotent : {false, true}) {
                for (const bool reused : {false, true}) {
                    response r;
                    r.failure = why;
                    r.may_have_left = complete;
                    r.has_left = complete;
                    r.reused_connection = reused;
                    disposition should =
                        make_error_code(why) == cause::permanent ? disposition::permanent : disposition::retry;
                    if (complete && !idempotent) {
                        should = disposition::ambiguous;
                    } else if (why == errc::stale_connection || (reused && why == errc::connection_lost)) {
                        should = disposition::again;
                    } else if (why == errc::proxy_unauthorized) {
                        should = disposition::credentials;
                    } else if (concerns_host(why)) {
                        should = disposition::network;
                    }
                    INFO(make_error_code(why).message()
                         << " complete " << complete << " idempotent " << idempotent << " reused " << reused);
                    const verdict is = judge(r, idempotent);
                    CHECK_FALSE(is.accepted);
                    CHECK(is.code == why);
                    CHECK(static_cast<int>(is.what) == static_cast<int>(should));
                }
            }
        }
    }
}

TEST_CASE("neither a status nor a failure is a lost connection", "[protocol][http]") {
    CHECK(judge(response(), true).code == errc::connection_lost);
    CHECK(judge(response(), true).what == disposition::retry);
    response complete;
    complete.may_have_left = true;
    complete.has_left = true;
    CHECK(judge(complete, false).what == disposition::ambiguous);
}

TEST_CASE("what was accepted throws nothing", "[protocol][http]") {
    CHECK_NOTHROW(waybill::require_accepted(answered(200, body::left), false, 0));
    CHECK_NOTHROW(waybill::require_accepted(answered(204, body::left), true, 0));
}

TEST_CASE("what was refused is thrown with all that is known", "[protocol][http]") {
    response r = answered(503, body::left, true);
    r.body = "try\r\nlater";
    r.transport_text = "words";
    try {
        waybill::require_accepted(r, true, 0, 4);
        FAIL("a refusal was accepted");
    } catch (const failure& f) {
        CHECK(f.code() == make_http_error(503));
        CHECK(f.what_to_do() == disposition::busy);
        CHECK(f.retry_after() == seconds(7));
        CHECK(f.item() == 4);
        CHECK(f.details().http_status == 503);
        CHECK(f.details().excerpt == "try  later");
        CHECK(f.details().transport_text == "words");
    }
}

TEST_CASE("a refused redirect tells which it was", "[protocol][http]") {
    try {
        waybill::require_accepted(answered(302, body::left), true, 0);
        FAIL("a redirect was accepted");
    } catch (const failure& f) {
        CHECK(f.code() == errc::redirect_refused);
        CHECK(f.details().detail == "HTTP 302");
        CHECK(f.item() == checkpoint::whole_job);
        CHECK_FALSE(f.retry_after().has_value());
    }
}

TEST_CASE("time is counted in whole seconds since 1970", "[protocol][http]") {
    CHECK(waybill::unix_seconds(std::chrono::system_clock::time_point(std::chrono::milliseconds(1'999))) == 1);
}

}  // namespace
}  // namespace waybill::test
