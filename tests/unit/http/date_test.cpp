// SPDX-License-Identifier: BSL-1.0
#include <waybill/http/date.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <random>
#include <string>

namespace waybill::test {
namespace {

std::string written(std::int64_t at, const char* form) {
    const auto seconds = static_cast<std::time_t>(at);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), form, &parts)};
}

constexpr const char* fixdate = "%a, %d %b %Y %H:%M:%S GMT";
constexpr const char* rfc850 = "%A, %d-%b-%y %H:%M:%S GMT";
constexpr const char* asctime_form = "%a %b %e %H:%M:%S %Y";

TEST_CASE("a date is the same in each of its three forms", "[http][date]") {
    constexpr std::int64_t to_2069 = 3'124'223'999;  // beyond, two digits of a year mean another century
    constexpr std::int64_t to_9999 = 253'402'300'799;
    std::mt19937_64 random(1);
    for (int i = 0; i < 10'000; ++i) {
        const auto at = static_cast<std::int64_t>(random() % to_2069);
        INFO(at);
        REQUIRE(parse_http_date(written(at, fixdate)) == at);
        REQUIRE(parse_http_date(written(at, rfc850)) == at);
        REQUIRE(parse_http_date(written(at, asctime_form)) == at);
        const auto late = static_cast<std::int64_t>(random() % to_9999);
        REQUIRE(parse_http_date(written(late, fixdate)) == late);
    }
}

TEST_CASE("a date has bounds", "[http][date]") {
    CHECK(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
    CHECK(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT") == 253'402'300'799);
    CHECK(parse_http_date("Thursday, 01-Jan-70 00:00:00 GMT") == 0);
    CHECK(parse_http_date("Tuesday, 31-Dec-69 23:59:59 GMT") == 3'155'759'999);
    CHECK(parse_http_date("Tue, 29 Feb 2000 12:00:00 GMT") == 951'825'600);
    CHECK(parse_http_date("Thu, 29 Feb 2024 12:00:00 GMT") == 1'709'208'000);
    for (const char* text : {
             "Wed, 31 Dec 1969 23:59:59 GMT",  // before the epoch
             "Mon, 01 Jan 0000 00:00:00 GMT",
             "Sun, 29 Feb 2100 00:00:00 GMT",  // no leap year
             "Sun, 29 Feb 2023 00:00:00 GMT",
             "Sun, 31 Apr 2023 00:00:00 GMT",
             "Sun, 00 Nov 1994 08:49:37 GMT",
             "Sun, 32 Nov 1994 08:49:37 GMT",
             "Sun, 06 Nov 1994 24:00:00 GMT",
             "Sun, 06 Nov 1994 08:60:00 GMT",
             "Sun, 06 Nov 1994 08:49:61 GMT",
             "Sun, 06 Nov 19940 08:49:37 GMT",
         }) {
        INFO(text);
        CHECK_FALSE(parse_http_date(text));
    }
}

TEST_CASE("a leap second is a second of its day", "[http][date]") {
    CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == 1'483'228'800);
    CHECK(parse_http_date("Sun, 01 Jan 2017 00:00:00 GMT") == 1'483'228'800);
}

TEST_CASE("a wrong name of a day does not make a date wrong", "[http][date]") {
    CHECK(parse_http_date("Mon, 06 Nov 1994 08:49:37 GMT") == 784'111'777);
    CHECK(parse_http_date("Saturday, 06-Nov-94 08:49:37 GMT") == 784'111'777);
    CHECK(parse_http_date("Sun, 06-Nov-94 08:49:37 GMT") == 784'111'777);
    CHECK(parse_http_date("Fri Nov  6 08:49:37 1994") == 784'111'777);
    CHECK(parse_http_date("Fri Nov 16 08:49:37 1994") == 784'975'777);
}

TEST_CASE("what is nearly a date is none", "[http][date]") {
    for (const char* text : {
             "",
             "Sun",
             "Sun, ",
             "06 Nov 1994 08:49:37 GMT",
             "Son, 06 Nov 1994 08:49:37 GMT",
             "sun, 06 nov 1994 08:49:37 gmt",
             "Sun, 06 Nov 1994 08:49:37",
             "Sun, 06 Nov 1994 08:49:37 UTC",
             "Sun, 06 Nov 1994 08:49:37 +0000",
             "Sun, 06 Nov 1994 08:49:37 GMT ",
             " Sun, 06 Nov 1994 08:49:37 GMT",
             "Sun, 06 Nov 1994 08:49:37 GMT\r\n",
             "Sun, 6 Nov 1994 08:49:37 GMT",
             "Sun,06 Nov 1994 08:49:37 GMT",
             "Sun, 06  Nov 1994 08:49:37 GMT",
             "Sun, 06 Nov 94 08:49:37 GMT",
             "Sun, 06 Nov 1994 8:49:37 GMT",
             "Sun, 06 Nov 1994 08:49 GMT",
             "Sun, +6 Nov 1994 08:49:37 GMT",
             "Sun, 06 Nov -994 08:49:37 GMT",
             "Sunday, 06 Nov 1994 08:49:37 GMT",
             "Sunday, 06-Nov-1994 08:49:37 GMT",
             "Sun Nov 6 08:49:37 1994",
             "Sun Nov 06 08:49:37 1994 GMT",
             "1994-11-06T08:49:37Z",
             "784111777",
             "tomorrow",
             "\x01\x02",
         }) {
        INFO(text);
        CHECK_FALSE(parse_http_date(text));
    }
    CHECK_FALSE(parse_http_date(std::string(1'000'000, '1')));
    std::string with_null = "Sun, 06 Nov 1994 08:49:37 GMT";
    with_null[16] = '\0';
    CHECK_FALSE(parse_http_date(with_null));
}

TEST_CASE("no text makes the parser of dates read beyond it", "[http][date]") {
    const std::string whole = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::string part(whole, 0, size);
        CHECK_FALSE(parse_http_date(part));
    }
    std::mt19937_64 random(2);
    for (int i = 0; i < 20'000; ++i) {
        std::string text = whole;
        text[random() % text.size()] = static_cast<char>(random());
        const auto found = parse_http_date(text);
        CHECK((!found || *found <= 253'402'300'799));
    }
}

}  // namespace
}  // namespace waybill::test
