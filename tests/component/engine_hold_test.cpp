// SPDX-License-Identifier: BSL-1.0
//
// All jobs, or those of a lane, are paused by a rule.

#include "component/world.hpp"

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

namespace {

job in_lane(const std::string& lane, job what) {
    what.lane(lane);
    return what;
}

struct two_lanes {
    two_lanes() {
        around.files->write("/a", "x");
        around.files->write("/b", "y");
    }
    void add_to(world& w) {
        w.add(in_lane("photos", put_job("one", {"/a"})));
        w.add(in_lane("logs", put_job("two", {"/b"})));
    }
    surroundings around;
};

}  // namespace

TEST_CASE("a lane that is paused sends nothing, also after a restart, until it is resumed; others go on") {
    two_lanes files;
    {
        world w(files.around);
        files.add_to(w);
        w.run(w.up().async_pause(selection::lane("photos"), pause_options().why("roaming")));
    }
    world w(files.around);
    w.start();
    w.until([&] { return w.now()->overall()[status::completed].jobs == 1; });
    for (int i = 0; i < 100; ++i) {
        w.settle();
        files.around.clock->advance(1min);
    }
    CHECK(w.at("two").status == status::completed);
    CHECK(w.at("one").status == status::pending);
    REQUIRE(w.now()->holds().size() == 1);
    CHECK(w.now()->holds()[0].which == selection::lane("photos"));
    CHECK(w.now()->holds()[0].pause.why == "roaming");
    REQUIRE(w.now()->hold_on(w.at("one")) != nullptr);
    CHECK(w.now()->hold_on(w.at("two")) == nullptr);  // it is finished
    CHECK(files.around.objects.count("http://server.test/files/a") == 0);
    w.run(w.up().async_resume(selection::lane("photos")));
    CHECK(w.now()->holds().empty());
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(w.at("one").attempt == 1);
}

TEST_CASE("a process that finds a held lane and another one says when only held jobs are left") {
    two_lanes files;
    {
        world w(files.around);
        files.add_to(w);
        w.run(w.up().async_pause(selection::lane("photos")));
    }
    world w(files.around);
    w.start();
    w.until([&] { return w.now()->overall()[status::completed].jobs == 1; });
    w.until([&] { return w.now()->at_rest(); });
    CHECK(w.at("one").status == status::pending);
}

TEST_CASE("a pause of all jobs concerns those that are accepted later, and counts beside others") {
    two_lanes files;
    world w(files.around);
    w.start();
    w.run(w.up().async_pause(selection::all()));
    w.run(w.up().async_pause(selection::lane("photos")));
    files.add_to(w);
    w.settle();
    CHECK(files.around.requests.empty());
    CHECK(w.now()->holds().size() == 2);
    w.run(w.up().async_resume(selection::all()));
    w.until([&] { return w.at("two").status == status::completed; });
    CHECK(w.at("one").status == status::pending);
    w.run(w.up().async_resume(selection::lane("photos")));
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a lane is resumed job by job only where a job has a pause of its own") {
    two_lanes files;
    world w(files.around);
    files.add_to(w);
    w.start();
    w.run(w.up().async_pause(job_id("one")));
    w.run(w.up().async_pause(selection::lane("photos")));
    w.run(w.up().async_resume(job_id("one")));
    w.settle();
    CHECK(w.at("one").status == status::pending);  // its lane still rests
    w.run(w.up().async_pause(job_id("one")));
    w.run(w.up().async_resume(selection::lane("photos")));
    w.settle();
    CHECK(w.at("one").status == status::paused);
    w.run(w.up().async_resume(job_id("one")));
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("running transfers are interrupted by a pause of all, and count no failure") {
    surroundings around;
    around.files->write("/a", std::string(500'000, 'x'));
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").doing == activity::sending; });
    w.run(w.up().async_pause(selection::all()));
    const job_state& kept = around.disk->jobs.begin()->second.job.state;
    CHECK(kept.status == status::pending);
    CHECK(kept.failures == 0);
    CHECK(around.objects.empty());
    const std::size_t asked = around.requests.size();
    w.settle();
    CHECK(around.requests.size() == asked);
    w.run(w.up().async_resume(selection::all()));
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a draining pause lets running jobs end, and starts no other") {
    surroundings around;
    around.files->write("/a", std::string(500'000, 'x'));
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.add(put_job("two", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").doing == activity::sending; });
    w.run(w.up().async_pause(selection::all(), pause_options().drain()));
    w.until([&] { return w.at("one").status == status::completed; });
    for (int i = 0; i < 10; ++i) {
        w.settle();
        around.clock->advance(1min);
    }
    CHECK(w.at("two").status == status::pending);
    CHECK(w.at("two").attempt == 0);
}

TEST_CASE("a pause for a time ends by itself, also in the next process, and whatever the wall clock does") {
    two_lanes files;
    {
        world w(files.around);
        files.add_to(w);
        w.run(w.up().async_pause(selection::all(), pause_options().lasting(1h)));
    }
    files.around.clock->jump(-std::chrono::hours(87'600));
    world w(files.around);
    w.start();
    w.settle();
    files.around.clock->advance(59min);
    w.settle();
    CHECK(files.around.requests.empty());
    files.around.clock->advance(2min);
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(w.at("two").status == status::completed);
    CHECK(w.now()->holds().empty());
    CHECK(files.around.disk->holds.empty());
}

TEST_CASE("a pause of all that cannot be stored is refused, and nothing rests") {
    two_lanes files;
    world w(files.around);
    files.add_to(w);
    w.run(w.up().async_pause(selection::lane("logs"), pause_options().why("first")));
    bool full = true;
    w.store().before_write = [&] {
        if (full) {
            throw error(errc::store_full, "memory");
        }
    };
    CHECK(error_of([&] { w.run(w.up().async_pause(selection::all())); }) == errc::store_full);
    CHECK(error_of([&] { w.run(w.up().async_pause(selection::lane("logs"), pause_options().why("second"))); }) ==
          errc::store_full);
    CHECK(error_of([&] { w.run(w.up().async_resume(selection::lane("logs"))); }) == errc::store_full);
    full = false;
    REQUIRE(w.now()->holds().size() <= 1);
    w.start();
    w.until([&] { return w.at("one").status == status::completed; });
    REQUIRE(w.now()->holds().size() == 1);
    CHECK(w.now()->holds()[0].pause.why == "first");
    CHECK(w.at("two").status == status::pending);
}

TEST_CASE("a pause that ends on a full disk ends when there is space") {
    two_lanes files;
    world w(files.around);
    files.add_to(w);
    w.run(w.up().async_pause(selection::all(), pause_options().lasting(1min)));
    w.start();
    w.settle();
    bool full = true;
    w.store().before_write = [&] {
        if (full) {
            throw error(errc::store_full, "memory");
        }
    };
    for (int i = 0; i < 10; ++i) {
        files.around.clock->advance(1min);
        w.settle();
    }
    CHECK(files.around.requests.empty());
    CHECK_FALSE(w.ended());
    full = false;
    files.around.clock->advance(2min);
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("what cannot be the name of a lane, or a time, is refused") {
    surroundings around;
    world w(around);
    CHECK(error_of([&] { w.run(w.up().async_pause(selection::lane("a\nb"))); }) == errc::invalid_lane);
    CHECK(error_of([&] { w.run(w.up().async_resume(selection::lane(std::string(129, 'a')))); }) == errc::invalid_lane);
    CHECK(error_of([&] { w.run(w.up().async_pause(selection::all(), pause_options().lasting(-1ms))); }) ==
          errc::invalid_setting);
    CHECK(error_of([&] { w.run(w.up().async_pause(selection::all(), pause_options().why("a\x1b[0m"))); }) ==
          errc::invalid_setting);
    w.run(w.up().async_resume(selection::lane("nothing there")));  // there is no such rule
    CHECK(w.now()->holds().empty());
}

TEST_CASE("a pause for a time that is said while everything rests ends in its time") {
    two_lanes files;
    world w(files.around);
    w.start();
    w.run(w.up().async_pause(selection::all()));
    files.add_to(w);
    w.settle();  // the loop sleeps for good
    w.run(w.up().async_pause(selection::all(), pause_options().lasting(8h)));
    w.settle();
    w.run(w.up().async_pause(selection::all(), pause_options().lasting(1min)));
    w.settle();
    files.around.clock->advance(61s);
    w.settle();
    CHECK(w.now()->holds().empty());
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a pause is shown once it is committed, and not at all when it is refused") {
    two_lanes files;
    world w(files.around);
    files.add_to(w);
    w.start();
    w.until_idle();
    bool full = false;
    w.store().before_write = [&] {
        REQUIRE(w.now()->holds().empty());
        if (full) {
            throw error(errc::store_full, "memory");
        }
    };
    full = true;
    CHECK(error_of([&] { w.run(w.up().async_pause(selection::all())); }) == errc::store_full);
    w.settle();
    CHECK(w.now()->holds().empty());
    full = false;
    w.run(w.up().async_pause(selection::all()));
    CHECK(w.now()->holds().size() == 1);
}

TEST_CASE("of rules that are changed at the same time, each one that fails goes back to what is committed") {
    for (int refused = 0; refused < 8; ++refused) {  // a bit for each of three writes
        CAPTURE(refused);
        two_lanes files;
        world w(files.around);
        files.add_to(w);
        w.run(w.up().async_pause(selection::lane("logs"), pause_options().why("before")));
        int nth = 0;
        w.store().before_write = [&] {
            if ((refused >> nth++ & 1) != 0 && nth <= 3) {
                throw error(errc::store_full, "memory");
            }
        };
        int ended = 0;
        const auto count = [&](std::error_code) { ++ended; };
        w.up().async_pause(selection::lane("logs"), pause_options().why("first"), count);
        w.up().async_resume(selection::lane("logs"), count);
        w.up().async_pause(selection::lane("logs"), pause_options().why("third"), count);
        w.settle();
        REQUIRE(ended == 3);
        const auto kept = files.around.disk->holds.find(selection::lane("logs"));
        const auto shown = w.now()->holds();
        REQUIRE((kept != files.around.disk->holds.end()) == !shown.empty());
        if (!shown.empty()) {
            CHECK(shown[0].pause.why == kept->second.why);
        }
        w.start();
        w.until([&] { return w.at("one").status == status::completed; });
        w.settle();
        CHECK((w.at("two").status == status::completed) == shown.empty());
    }
}

TEST_CASE("a hold whose time is over while a rule is being changed is ended after that") {
    two_lanes files;
    world w(files.around);
    files.add_to(w);
    w.start();
    w.run(w.up().async_pause(selection::lane("photos"), pause_options().lasting(1min)));
    w.until([&] { return w.at("two").status == status::completed; });
    w.settle();
    bool ended = false;
    bool late = false;
    w.store().before_write = [&] {
        if (!late) {  // the commit of the change takes a minute
            late = true;
            files.around.clock->advance(2min);
        }
    };
    w.up().async_limit(limit_scope::total(), "1M", [&](std::error_code) { ended = true; });
    w.settle();
    CHECK(ended);
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("no job can go on when all that have work are held, and one that is not held has its turn") {
    two_lanes files;
    world w(files.around);
    w.start();
    w.run(w.up().async_pause(selection::lane("photos")));
    CHECK(w.now()->at_rest());
    files.add_to(w);
    CHECK_FALSE(w.now()->at_rest());
    w.until([&] { return w.now()->at_rest(); });
    CHECK(w.at("two").status == status::completed);
    CHECK_FALSE(w.now()->idle());
    w.run(w.up().async_resume(selection::lane("photos")));
    CHECK_FALSE(w.now()->at_rest());
}
