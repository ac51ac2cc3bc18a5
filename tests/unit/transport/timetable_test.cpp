// SPDX-License-Identifier: BSL-1.0
#include <waybill/error.hpp>
#include <waybill/transport/timetable.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;

enum day : int { sunday, monday, tuesday, wednesday, thursday, friday, saturday };

week_time at(day d, int hour, int minute = 0) {
    return hours(24 * d + hour) + minutes(minute);
}

/// The error for a text; empty: there is none.
std::string refusal(const std::string& text) {
    try {
        const timetable read(text);
    } catch (const error& e) {
        CHECK(e.code() == errc::invalid_option);
        return e.details().detail;
    }
    return {};
}

}  // namespace

TEST_CASE("a rate is read as rclone writes it", "[transport][timetable]") {
    const std::vector<std::pair<std::string, std::uint64_t>> known = {
        {"1B", 1},         {"512K", 512 * kib}, {"512k", 512 * kib},       {"512", 512 * kib},  {"1.5M", 1536 * kib},
        {"10M", 10 * mib}, {"2G", 2048 * mib},  {"1T", 1024 * 1024 * mib}, {"10MiB", 10 * mib}, {"10Mi", 10 * mib},
        {".5K", 512},      {"0.001K", 1},
    };
    for (const auto& [text, bytes] : known) {
        CAPTURE(text);
        CHECK(byte_rate(text).per_second() == bytes);
        CHECK(timetable(text).rate_at(at(friday, 3)) == byte_rate::of(bytes));
    }
    CHECK(byte_rate("off").is_unlimited());
    CHECK(byte_rate("OFF").is_unlimited());
    CHECK(byte_rate("stop").is_stopped());
}

TEST_CASE("a text that is not a timetable is rejected with the place of the mistake and a remedy",
          "[transport][timetable]") {
    const std::vector<std::pair<std::string, std::string>> wrong = {
        {"", "is empty: write off for no limit"},
        {" ; ", "is empty: write off for no limit"},
        {"0", "'0' at character 1 is zero: write off for no limit, or stop to send nothing"},
        {"0.0M", "'0.0M' at character 1 is zero: write off for no limit, or stop to send nothing"},
        {"0.0001K", "'0.0001K' at character 1 is out of range: from 1B to 8000000T"},
        {"99999999T", "'99999999T' at character 1 is out of range: from 1B to 8000000T"},
        {"512Q",
         "'512Q' at character 1 is not a rate: write a number with B, K, M, G or T, as in 512K, or off, or stop"},
        {"-1", "'-1' at character 1 is not a rate: write a number with B, K, M, G or T, as in 512K, or off, or stop"},
        {"1.2.3K",
         "'1.2.3K' at character 1 is not a rate: write a number with B, K, M, G or T, as in 512K, or off, or stop"},
        {"1234567890123",
         "'1234567890123' at character 1 is not a rate: write a number with B, K, M, G or T, as in 512K, "
         "or off, or stop"},
        {"10M:1M", "'10M:1M' at character 1 has a rate for downloads, too: write only the one for uploads"},
        {"08:00,512K 12:00", "'12:00' at character 12 has no comma: write a time and a rate, as in 08:00,512K"},
        {"08:00,512K 24:00,1M", "'24:00' at character 12 is not a time: write HH:MM, from 00:00 to 23:59"},
        {"8:00,1M", "'8:00' at character 1 is not a time: write HH:MM, from 00:00 to 23:59"},
        {"Mon-08:60,1M", "'08:60' at character 5 is not a time: write HH:MM, from 00:00 to 23:59"},
        {"Moon-08:00,1M", "'Moon' at character 1 is not a day: write Mon, or Mon-Fri for several"},
        {"-08:00,1M", "'' at character 1 is not a day: write Mon, or Mon-Fri for several"},
        {"Mon-Fri-Sun-08:00,1M", "'Mon-Fri-Sun' at character 1 is not a day: write Mon, or Mon-Fri for several"},
        {"08:00,1M;Sun-23:00,1X",
         "'1X' at character 20 is not a rate: write a number with B, K, M, G or T, as in 512K, or "
         "off, or stop"},
        {"08:00,1M,2M",
         "'1M,2M' at character 7 is not a rate: write a number with B, K, M, G or T, as in 512K, or off, or "
         "stop"},
        {std::string(timetable::longest_text + 1, ' '), "has 4097 characters: at most 4096 are read"},
    };
    for (const auto& [text, why] : wrong) {
        CAPTURE(text);
        CHECK(refusal(text) == why);
    }
}

TEST_CASE("the error for a mistake is printable", "[transport][timetable]") {
    CHECK(refusal("\x1B[2J\n").find_first_of("\x1B\n") == std::string::npos);
}

TEST_CASE("an entry applies until the next one begins", "[transport][timetable]") {
    const timetable daily("08:00,512K 12:00,10M 13:00,512K 18:00,30M 23:00,off");
    for (int d = sunday; d <= saturday; ++d) {
        CHECK(daily.rate_at(at(day(d), 7, 59)).is_unlimited());
        CHECK(daily.rate_at(at(day(d), 8)) == byte_rate("512K"));
        CHECK(daily.rate_at(at(day(d), 11, 59)) == byte_rate("512K"));
        CHECK(daily.rate_at(at(day(d), 12)) == byte_rate("10M"));
        CHECK(daily.rate_at(at(day(d), 13)) == byte_rate("512K"));
        CHECK(daily.rate_at(at(day(d), 18)) == byte_rate("30M"));
        CHECK(daily.rate_at(at(day(d), 23)).is_unlimited());
    }
    CHECK(daily.next_change(at(monday, 12)) == hours(1));
    CHECK(daily.next_change(at(monday, 12, 59) + seconds(59)) == seconds(1));
    CHECK(daily.next_change(at(saturday, 23, 30)) == hours(8) + minutes(30));
}

TEST_CASE("before the first entry of the week its last one applies", "[transport][timetable]") {
    const timetable weekly("Mon-08:00,512K Fri-18:00,10M");
    CHECK(weekly.rate_at(at(sunday, 0)) == byte_rate("10M"));
    CHECK(weekly.rate_at(at(monday, 7, 59)) == byte_rate("10M"));
    CHECK(weekly.rate_at(at(monday, 8)) == byte_rate("512K"));
    CHECK(weekly.rate_at(at(saturday, 23, 59)) == byte_rate("10M"));
    CHECK(weekly.next_change(at(saturday, 0)) == hours(56));
    CHECK(weekly.next_change(at(friday, 18)) == hours(62));
}

TEST_CASE("a night that begins on some days ends on the mornings after them", "[transport][timetable]") {
    const timetable nights("Fri-Sat-22:00,stop Sat-Sun-06:00,off");
    CHECK(nights.rate_at(at(friday, 21, 59)).is_unlimited());
    CHECK(nights.rate_at(at(friday, 22)).is_stopped());
    CHECK(nights.rate_at(at(saturday, 5, 59)).is_stopped());
    CHECK(nights.rate_at(at(saturday, 6)).is_unlimited());
    CHECK(nights.rate_at(at(saturday, 23)).is_stopped());
    CHECK(nights.rate_at(at(sunday, 5)).is_stopped());  // over the end of the week
    CHECK(nights.rate_at(at(sunday, 6)).is_unlimited());
    CHECK(nights.rate_at(at(monday, 23)).is_unlimited());
}

TEST_CASE("days may be written in any case, in full, as a range, and over the end of the week",
          "[transport][timetable]") {
    CHECK(timetable("mon-08:00,1M;TUESDAY-08:00,2M") == timetable("Mon-08:00,1M Tue-08:00,2M"));
    CHECK(timetable("Sat-Mon-08:00,1M Tue-08:00,2M") ==
          timetable("Sat-08:00,1M Sun-08:00,1M Mon-08:00,1M Tue-08:00,2M"));
    CHECK(timetable("Sun-Sat-08:00,1M 09:00,2M") == timetable("08:00,1M 09:00,2M"));
}

TEST_CASE("of two entries for the same minute the later one counts", "[transport][timetable]") {
    const timetable table("08:00,1M 20:00,off Sun-08:00,5M");
    CHECK(table.rate_at(at(sunday, 9)) == byte_rate("5M"));
    CHECK(table.rate_at(at(monday, 9)) == byte_rate("1M"));
}

TEST_CASE("a table that never changes is a rate", "[transport][timetable]") {
    CHECK(timetable("08:00,1M 20:00,1M") == timetable("1M"));
    CHECK(timetable("1M").next_change(at(monday, 1)) == std::nullopt);
    CHECK(timetable("08:00,off").is_unlimited());
    CHECK(timetable("off") == timetable());
    CHECK_FALSE(timetable("stop").is_unlimited());
}

TEST_CASE("entries that do not change the rate are not a change", "[transport][timetable]") {
    CHECK(timetable("08:00,1M 10:00,1M 12:00,2M").next_change(at(monday, 8)) == hours(4));
}

TEST_CASE("any number of weeks before and after is the same time of the week", "[transport][timetable]") {
    const timetable table("Mon-08:00,512K Fri-18:00,10M");
    const week_time now = at(tuesday, 5);
    for (const int weeks : {-3, -1, 1, 1000}) {
        CHECK(table.rate_at(now + weeks * one_week) == table.rate_at(now));
        CHECK(table.next_change(now + weeks * one_week) == table.next_change(now));
    }
}

TEST_CASE("the rate changes when the next change says so, and not before", "[transport][timetable]") {
    const timetable table("Mon-Fri-08:00,512K Mon-Thu-12:30,10M Sat-18:00,off Sun-00:00,stop");
    week_time now = at(sunday, 0);
    for (int changes = 0; changes < 50; ++changes) {
        const seconds until_change = table.next_change(now).value();
        REQUIRE(until_change > seconds(0));
        CHECK(table.rate_at(now + until_change - seconds(1)) == table.rate_at(now));
        CHECK(table.rate_at(now + until_change) != table.rate_at(now));
        now += until_change;
    }
}

// 2026-03-29 and 2026-10-25, 01:00 UTC: Central Europe sets its clocks forward and back.
namespace {

constexpr std::chrono::sys_seconds forward{seconds(1'774'746'000)};
constexpr std::chrono::sys_seconds back{seconds(1'792'890'000)};

seconds central_europe(std::chrono::sys_seconds t) {
    return t >= forward && t < back ? hours(2) : hours(1);
}

week_time shown_at(std::chrono::sys_seconds t) {
    return detail::week_time_at(t, &central_europe);
}

}  // namespace

TEST_CASE("the time of the week is local time", "[transport][timetable]") {
    CHECK(shown_at(std::chrono::sys_seconds(seconds(0))) == at(thursday, 1));
    CHECK(shown_at(std::chrono::sys_seconds(-hours(24))) == at(wednesday, 1));
    CHECK(shown_at(forward - seconds(1)) == at(sunday, 1, 59) + seconds(59));
    CHECK(shown_at(forward) == at(sunday, 3));
    CHECK(shown_at(back - hours(3)) == at(sunday, 0));
    CHECK(shown_at(back + hours(26)) == at(monday, 4));
}

TEST_CASE("an entry in an hour that the clock skips begins right afterwards", "[transport][timetable]") {
    const timetable table("02:30,1M 12:00,off");
    CHECK(table.rate_at(shown_at(forward - seconds(1))).is_unlimited());
    CHECK(table.rate_at(shown_at(forward)) == byte_rate("1M"));
}

TEST_CASE("an entry in an hour that the clock repeats begins once", "[transport][timetable]") {
    const timetable table("02:30,1M 03:00,2M 12:00,off");
    int changes = 0;
    byte_rate before = table.rate_at(shown_at(back - hours(2)));
    for (auto t = back - hours(2); t < back + hours(4); t += seconds(1)) {
        const byte_rate now = table.rate_at(shown_at(t));
        changes += now == std::exchange(before, now) ? 0 : 1;
    }
    CHECK(changes == 2);
    CHECK(table.rate_at(shown_at(back + minutes(15))) == byte_rate("1M"));  // 02:15 again
    CHECK(table.rate_at(shown_at(back + hours(1))) == byte_rate("2M"));
}

}  // namespace waybill::test
