// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/queue/holds.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>

namespace waybill::test {
namespace {

using namespace detail;
using namespace std::chrono_literals;
using time_point = holds::time_point;

constexpr time_point t0{std::chrono::hours(100)};
constexpr unix_millis wall{std::chrono::hours(480'000)};

hold a_hold(selection which, std::chrono::milliseconds lasting = 0ms) {
    return {std::move(which), {lasting == 0ms ? unix_millis() : wall + lasting, lasting, "why"}};
}

TEST_CASE("holds end in the order of their ends, and one without a time never does", "[engine][holds]") {
    holds all;
    CHECK_FALSE(all.first_end());
    all.set(a_hold(selection::all()), wall, t0);
    CHECK_FALSE(all.first_end());
    all.set(a_hold(selection::lane("a"), 10s), wall, t0);
    all.set(a_hold(selection::lane("b"), 5s), wall, t0);
    CHECK(all.first_end() == t0 + 5s);
    CHECK_FALSE(all.over(t0 + 4999ms));
    CHECK(all.over(t0 + 5s) == selection::lane("b"));
    all.erase(selection::lane("b"));
    CHECK(all.over(t0 + 10s) == selection::lane("a"));
    all.erase(selection::lane("a"));
    CHECK_FALSE(all.over(t0 + 1000h));
    CHECK(all.find(selection::all()));
}

TEST_CASE("all jobs are named before lanes, and lanes by name", "[engine][holds]") {
    holds all;
    all.set(a_hold(selection::lane("b")), wall, t0);
    all.set(a_hold(selection::lane("")), wall, t0);
    all.set(a_hold(selection::all()), wall, t0);
    const std::vector<hold> listed = all.list();
    REQUIRE(listed.size() == 3);
    CHECK(listed[0].which.is_all());
    CHECK(listed[1].which == selection::lane(""));
    CHECK(listed[2].which == selection::lane("b"));
    CHECK(listed[2].pause.why == "why");
}

TEST_CASE("a hold that is set again has its new time only", "[engine][holds]") {
    holds all;
    all.set(a_hold(selection::all(), 5s), wall, t0);
    all.set(a_hold(selection::all(), 9s), wall, t0);
    CHECK(all.first_end() == t0 + 9s);
    all.set(a_hold(selection::all()), wall, t0);
    CHECK_FALSE(all.first_end());
    CHECK(all.list().size() == 1);
}

TEST_CASE("a hold never lasts longer than it was meant to, whatever the wall clock says", "[engine][holds]") {
    holds all;
    hold one = a_hold(selection::all(), 1h);
    all.set(one, wall - std::chrono::hours(87'600), t0);  // read again after the clock was set back by ten years
    CHECK(all.first_end() == t0 + 1h);
    all.set(one, wall + std::chrono::hours(87'600), t0);  // or forward
    CHECK(all.first_end() == t0);
}

TEST_CASE("a hold that could not be ended is ended later", "[engine][holds]") {
    holds all;
    all.set(a_hold(selection::lane("a"), 1s), wall, t0);
    all.postpone(selection::lane("a"), t0 + 1min);
    CHECK_FALSE(all.over(t0 + 59s));
    CHECK(all.over(t0 + 1min));
    all.postpone(selection::lane("b"), t0);  // there is none
    CHECK(all.list().size() == 1);
}

TEST_CASE("a selection of all jobs includes every lane, and one of a lane includes its own", "[model][hold]") {
    CHECK(selection::all().includes_lane(""));
    CHECK(selection::all().includes_lane("a"));
    CHECK(selection::lane("a").includes_lane("a"));
    CHECK_FALSE(selection::lane("a").includes_lane(""));
    CHECK_FALSE(selection::lane("").includes_lane("a"));
    CHECK(selection::lane("").lane_name() == "");
    CHECK_FALSE(selection::all().lane_name());
}

}  // namespace
}  // namespace waybill::test
