// SPDX-License-Identifier: BSL-1.0
//
// Limits of bandwidth, as they are kept and handed to the transport.

#include "component/world.hpp"

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;

namespace {

timetable limit_of(world& w, const limit_scope& what) {
    const auto found = w.transport().limits.find(what);
    return found == w.transport().limits.end() ? timetable() : found->second;
}

}  // namespace

TEST_CASE("a limit that the app sets holds in the next process too, in place of that of the options") {
    surroundings around;
    const auto adjust = [](options& how) {
        how.bandwidth.total = "10M";
        how.bandwidth.lanes["logs"] = "64K";
    };
    {
        world w(around, adjust);
        CHECK(limit_of(w, limit_scope::total()) == timetable("10M"));
        w.run(w.up().async_limit(limit_scope::total(), "1M"));
        w.run(w.up().async_limit(limit_scope::lane("logs"), "off"));
        w.run(w.up().async_limit(limit_scope::host("a.test"), "2M"));
        CHECK(limit_of(w, limit_scope::total()) == timetable("1M"));
        CHECK(limit_of(w, limit_scope::lane("logs")).is_unlimited());
    }
    world w(around, adjust);
    const auto all = w.run(w.up().async_limits());
    REQUIRE(all.size() == 2);
    CHECK(all[0] == bandwidth_limit{limit_scope::total(), "1M"});
    CHECK(all[1] == bandwidth_limit{limit_scope::host("a.test"), "2M"});
    CHECK(limit_of(w, limit_scope::total()) == timetable("1M"));
    CHECK(limit_of(w, limit_scope::host("a.test")) == timetable("2M"));
    CHECK(limit_of(w, limit_scope::lane("logs")).is_unlimited());  // what was turned off stays off
    w.run(w.up().async_limit(limit_scope::lane("logs"), ""));
    w.run(w.up().async_limit(limit_scope::total(), ""));
    CHECK(limit_of(w, limit_scope::lane("logs")) == timetable("64K"));
    CHECK(limit_of(w, limit_scope::total()) == timetable("10M"));
    CHECK(around.disk->limits.size() == 1);
}

TEST_CASE("a job's limit is not stored, and is of a job that has work left") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    CHECK(error_of([&] { w.run(w.up().async_limit(limit_scope::job("one"), "1M")); }) == errc::unknown_job);
    w.add(put_job("one", {"/a"}));
    w.run(w.up().async_limit(limit_scope::job("one"), "1M"));
    CHECK(limit_of(w, limit_scope::job("one")) == timetable("1M"));
    CHECK(around.disk->limits.empty());
}

TEST_CASE("a limit that cannot be stored is taken back") {
    surroundings around;
    world w(around);
    w.run(w.up().async_limit(limit_scope::total(), "1M"));
    w.store().before_write = [] { throw error(errc::store_full, "memory"); };
    CHECK(error_of([&] { w.run(w.up().async_limit(limit_scope::total(), "2M")); }) == errc::store_full);
    CHECK(error_of([&] { w.run(w.up().async_limit(limit_scope::lane("a"), "2M")); }) == errc::store_full);
    CHECK(limit_of(w, limit_scope::total()) == timetable("1M"));
    CHECK(limit_of(w, limit_scope::lane("a")).is_unlimited());
}

TEST_CASE("a text that is no limit changes nothing") {
    surroundings around;
    world w(around);
    w.run(w.up().async_limit(limit_scope::total(), "1M"));
    CHECK(error_of([&] { w.run(w.up().async_limit(limit_scope::total(), "fast")); }) == errc::invalid_option);
    CHECK(limit_of(w, limit_scope::total()) == timetable("1M"));
    CHECK(around.disk->limits.at(limit_scope::total()) == "1M");
}

TEST_CASE("a stored text that is no timetable limits nothing, and does not lock the app out") {
    surroundings around;
    around.disk->limits[limit_scope::total()] = "as fast as the newest grammar says";
    around.disk->limits[limit_scope::lane("logs")] = "1M";
    world w(around);
    const auto all = w.run(w.up().async_limits());
    REQUIRE(all.size() == 1);
    CHECK(all[0].what == limit_scope::lane("logs"));
    w.run(w.up().async_limit(limit_scope::total(), "2M"));
    CHECK(limit_of(w, limit_scope::total()) == timetable("2M"));
}

TEST_CASE("a job's limit goes with the job") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.run(w.up().async_limit(limit_scope::job("one"), "1M"));
    w.start();
    w.until_idle();
    CHECK(limit_of(w, limit_scope::job("one")).is_unlimited());
    CHECK(w.run(w.up().async_limits()).empty());
    CHECK(error_of([&] { w.run(w.up().async_limit(limit_scope::job("one"), "1M")); }) == errc::not_allowed);
}

TEST_CASE("what cannot be the name of a host or a lane is no scope of a limit") {
    surroundings around;
    world w(around);
    for (const std::string host : {"", "https://a.test", "a.test:443", "a/b", "a b", "[::1"}) {
        CAPTURE(host);
        CHECK(error_of([&] { w.run(w.up().async_limit(limit_scope::host(host), "1M")); }) == errc::invalid_option);
    }
    CHECK(error_of([&] { w.run(w.up().async_limit(limit_scope::lane("a\nb"), "1M")); }) == errc::invalid_lane);
    w.run(w.up().async_limit(limit_scope::host("[::1]"), "1M"));
    CHECK(around.disk->limits.size() == 1);
}
