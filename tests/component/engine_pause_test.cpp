// SPDX-License-Identifier: BSL-1.0
//
// Jobs that the app pauses.

#include "component/world.hpp"

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

TEST_CASE("a paused job sends nothing and makes way, also after a restart, until it is resumed") {
    surroundings around;
    around.files->write("/a", "x");
    around.files->write("/b", "y");
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.run(w.up().async_pause(job_id("one")));
        CHECK(w.at("one").status == status::paused);
    }
    world w(around);
    w.add(put_job("two", {"/b"}));
    w.start();
    w.until_idle();
    CHECK(w.at("two").status == status::completed);
    CHECK(w.at("one").status == status::paused);
    CHECK(around.objects.count("http://server.test/files/a") == 0);
    w.run(w.up().async_resume(job_id("one")));
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(w.at("one").epoch == 1);
    CHECK(around.objects.at("http://server.test/files/a") == "x");
}

TEST_CASE("a running job that is paused is interrupted at once, and counts no failure") {
    surroundings around;
    around.files->write("/a", std::string(500'000, 'x'));
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").status == status::uploading && w.at("one").doing == activity::sending; });
    w.run(w.up().async_pause(job_id("one")));
    const job_state& kept = around.disk->jobs.begin()->second.job.state;
    CHECK(kept.status == status::paused);
    CHECK(kept.failures == 0);
    CHECK_FALSE(kept.intent.stands());
    CHECK(around.objects.count("http://server.test/files/a") == 0);
    w.run(w.up().async_resume(job_id("one")));
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a job that waits keeps its delay and its reason while it is paused") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::refused, 0});
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.start();
    w.settle();
    REQUIRE(w.at("one").status == status::waiting);
    const job_snapshot before = w.at("one");
    w.run(w.up().async_pause(job_id("one")));
    w.run(w.up().async_resume(job_id("one")));
    const job_snapshot after = w.at("one");
    CHECK(after.status == status::waiting);
    CHECK(after.reason == before.reason);
    CHECK(after.not_before == before.not_before);
    CHECK(after.attempt == before.attempt);
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a resumed job has its old place in its lane") {
    surroundings around;
    around.files->write("/a", "x");
    around.files->write("/b", "y");
    around.files->write("/c", "z");
    world w(around);
    for (const std::string name : {"a", "b", "c"}) {
        w.add(put_job(name, {"/" + name}));
    }
    w.run(w.up().async_pause(job_id("a")));
    w.run(w.up().async_resume(job_id("a")));
    w.start();
    w.until_idle();
    REQUIRE(around.requests.size() == 3);
    CHECK(around.requests.front().url == "http://server.test/files/a");
}

TEST_CASE("a job that is paused for a time goes on by itself, also in the next process and with the clock set back") {
    surroundings around;
    around.files->write("/a", "x");
    const bool restarted = GENERATE(false, true);
    const auto set_back = GENERATE(0h, 24h * 3650);
    auto first = std::make_unique<world>(around);
    first->add(put_job("one", {"/a"}));
    first->run(first->up().async_pause(job_id("one"), pause_options().lasting(1h).why("until the meeting is over")));
    REQUIRE(first->at("one").pause);
    CHECK(first->at("one").pause->why == "until the meeting is over");
    if (restarted) {
        first = nullptr;
        first = std::make_unique<world>(around);
    }
    world& w = *first;
    w.start();
    w.settle();
    around.clock->jump(-set_back);
    CHECK(w.at("one").status == status::paused);
    const auto begun = around.clock->steady_now();
    w.until([&] { return w.at("one").status == status::completed; });
    CHECK(around.clock->steady_now() - begun <= 1h + 1min);
    CHECK_FALSE(w.at("one").pause);
}

TEST_CASE("the end of a pause is found behind more parked jobs than are read at once, and they hold up nobody") {
    surroundings around;
    around.files->write("/a", "x");
    {
        world w(around);
        for (int i = 0; i < 300; ++i) {
            w.add(put_job("rests-" + std::to_string(i), {"/a"}));
            w.run(w.up().async_pause(job_id("rests-" + std::to_string(i))));
        }
        w.add(put_job("goes-on", {"/a"}));
        w.run(w.up().async_pause(job_id("goes-on"), pause_options().lasting(1h)));
        w.add(put_job("open", {"/a"}));
    }
    world w(around);
    w.start();
    w.settle();
    CHECK(w.at("open").status == status::completed);
    w.until([&] { return w.at("goes-on").status == status::completed; });
    CHECK(w.at("rests-299").status == status::paused);
    CHECK(w.now()->overall()[status::paused].jobs == 300);
}

TEST_CASE("a request that must not be repeated is seen to its end before its job is paused") {
    surroundings around;
    around.files->write("/a", "x");
    around.files->write("/b", "y");
    world w(around);
    job j("http://server.test/files/");
    j.id(job_id("one")).via(put().method("POST")).file("/a").file("/b");
    w.add(std::move(j));
    w.start();
    w.until([&] { return around.disk->jobs.begin()->second.job.state.intent.stands(); });
    w.run(w.up().async_pause(job_id("one")));
    const loaded_job& kept = around.disk->jobs.begin()->second;
    CHECK(kept.job.state.status == status::paused);
    CHECK_FALSE(kept.job.state.intent.stands());
    CHECK(kept.items[0].state.status == item_status::completed);
    CHECK(kept.items[1].state.status == item_status::pending);
    CHECK(around.requests.size() == 1);
}

TEST_CASE("a pause that meets a request without a response says that the outcome is unknown") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::silent, 0});
    world w(around);
    job j("http://server.test/files/");
    j.id(job_id("one")).via(put().method("POST")).file("/a");
    w.add(std::move(j));
    w.start();
    w.until([&] { return around.disk->jobs.begin()->second.job.state.intent.stands(); });
    CHECK(error_of([&] { w.run(w.up().async_pause(job_id("one"))); }) == errc::not_allowed);
    CHECK(w.at("one").status == status::unknown_outcome);
}

TEST_CASE("what cannot be paused or resumed is refused by name, and nothing is changed") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    w.add(put_job("one", {"/a"}));
    const std::uint64_t before = around.disk->commits;
    CHECK(error_of([&] { w.run(w.up().async_pause(job_id("one"), pause_options().lasting(-1ms))); }) ==
          errc::invalid_setting);
    CHECK(error_of([&] { w.run(w.up().async_pause(job_id("one"), pause_options().why("a\nb"))); }) ==
          errc::invalid_setting);
    CHECK(error_of([&] { w.run(w.up().async_pause(job_id("none"))); }) == errc::unknown_job);
    CHECK(error_of([&] { w.run(w.up().async_resume(job_id("none"))); }) == errc::unknown_job);
    w.run(w.up().async_resume(job_id("one")));  // it is not paused: that is so already
    CHECK(around.disk->commits == before);
    w.start();
    w.until_idle();
    CHECK(error_of([&] { w.run(w.up().async_pause(job_id("one"))); }) == errc::not_allowed);
    CHECK(error_of([&] { w.run(w.up().async_resume(job_id("one"))); }) == errc::not_allowed);
}

TEST_CASE("a wait for a job to settle completes when it is paused; a final one waits on") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.run(w.up().async_pause(job_id("one")));
    CHECK(w.run(w.up().async_wait(job_id("one"))).status == status::paused);
    w.start();
    w.run(w.up().async_resume(job_id("one")));
    CHECK(w.run(w.up().async_wait_final(job_id("one"))).status == status::completed);
}

TEST_CASE("a paused job can be canceled") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.run(w.up().async_pause(job_id("one"), pause_options().lasting(1h)));
    w.run(w.up().async_cancel(job_id("one")));
    CHECK(w.at("one").status == status::canceled);
    CHECK(around.disk->jobs.begin()->second.job.state.pause == job_pause());
    w.start();
    w.until_idle();
    CHECK(around.requests.empty());
}
