// SPDX-License-Identifier: BSL-1.0
//
// The process dies at every single turn of its loop, and is started again.

#include "component/world.hpp"

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;

namespace {

/// Runs `scenario` in a process that dies after `turns` turns of its loop. False: it ended before.
bool die_after(surroundings& around, int turns, const std::function<void(world&)>& scenario) {
    world w(around);
    scenario(w);
    for (int i = 0; i < turns; ++i) {
        if (!w.turn() && !around.clock->advance_to_next()) {
            return false;
        }
    }
    return true;
}

}  // namespace

TEST_CASE("whenever the process dies, PUT jobs arrive whole and in the end are completed") {
    int deaths = 0;
    for (bool died = true; died; ++deaths) {
        surroundings around;
        around.files->write("/a", std::string(2500, 'a'));
        around.files->write("/b", "");
        around.files->write("/c", std::string(1200, 'c'));
        around.faults.push_back({});
        around.faults.push_back({fault::kind::cut, 500});
        bool accepted = false;
        died = die_after(around, deaths, [&](world& w) {
            std::vector<job> jobs;
            jobs.push_back(put_job("one", {"/a", "/b"}));
            jobs.push_back(put_job("two", {"/c"}));
            w.up().async_enqueue(std::move(jobs),
                                 [&](std::error_code ec, const std::vector<job_id>&) { accepted = !ec; });
            w.start();
        });
        around.disk->owner = nullptr;  // the kernel frees a dead process's lock
        const std::size_t stored = around.disk->jobs.size();
        CAPTURE(deaths, accepted, stored);
        REQUIRE((stored == 0 || stored == 2));
        REQUIRE((!accepted || stored == 2));

        world w(around);
        w.start();
        w.until_idle();
        REQUIRE(w.now()->overall()[status::completed].jobs == stored);
        if (stored != 0) {
            REQUIRE((around.objects.at("http://server.test/files/a") == std::string(2500, 'a')));
            REQUIRE((around.objects.at("http://server.test/files/b").empty()));
            REQUIRE((around.objects.at("http://server.test/files/c") == std::string(1200, 'c')));
        }
    }
    CHECK(deaths > 30);
}

TEST_CASE("whenever the process dies, a form post is never silently sent twice") {
    int deaths = 0;
    int parked = 0;
    for (bool died = true; died; ++deaths) {
        surroundings around;
        around.files->write("/a", std::string(2500, 'a'));
        died = die_after(around, deaths, [&](world& w) {
            w.up().async_enqueue(form_job("one", {"/a"}), [](std::error_code, const job_id&) {});
            w.start();
        });
        around.disk->owner = nullptr;
        const std::size_t before = around.urls().size();

        world w(around);
        w.start();
        w.until_idle();
        CAPTURE(deaths, before);
        REQUIRE(around.urls().size() <= 1);
        if (around.disk->jobs.empty()) {
            continue;
        }
        const status end = w.at("one").status;
        REQUIRE((end == status::completed || end == status::unknown_outcome));
        if (end == status::completed) {
            REQUIRE(around.urls().size() == 1);
        } else {
            ++parked;
        }
    }
    CHECK(deaths > 10);
    CHECK(parked > 0);  // between the last byte and the commit of its answer nobody can know
    CHECK(parked < deaths / 2);
}

TEST_CASE("whenever the process dies, a form post to an endpoint that honours its key is delivered once") {
    int deaths = 0;
    for (bool died = true; died; ++deaths) {
        surroundings around;
        around.files->write("/a", std::string(2500, 'a'));
        job j = form_job("one", {"/a"});
        j.if_unknown(on_unknown::retry_same_key);
        died = die_after(around, deaths, [&](world& w) {
            w.up().async_enqueue(j, [](std::error_code, const job_id&) {});
            w.start();
        });
        around.disk->owner = nullptr;
        world w(around);
        w.add(j);  // the app asks again, not knowing: S4
        w.start();
        w.until_idle();
        REQUIRE(w.at("one").status == status::completed);
        std::set<std::string> keys;
        for (const received_request& r : around.requests) {
            keys.insert(r.header("Idempotency-Key"));
        }
        CAPTURE(deaths);
        REQUIRE(keys.size() == 1);
    }
}

TEST_CASE("a process that dies again and again uses up no attempts") {
    surroundings around;
    around.files->write("/a", std::string(30'000, 'a'));
    for (int i = 0; i < 60; ++i) {
        die_after(around, 25, [&](world& w) {
            w.up().async_enqueue(put_job("one", {"/a"}), [](std::error_code, const job_id&) {});
            w.start();
        });
        around.disk->owner = nullptr;
    }
    world w(around);
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(around.disk->jobs.begin()->second.job.state.failures == 0);
    CHECK(w.at("one").attempt > 12);
}

TEST_CASE("destroying the uploader, or the loop below it, at any moment neither leaks nor crashes") {
    for (int turns = 0; turns < 120; turns += 3) {
        surroundings around;
        around.files->write("/a", std::string(20'000, 'a'));
        auto w = std::make_unique<world>(around);
        std::vector<feed> feeds;
        for (int i = 0; i < 3; ++i) {
            feeds.push_back(w->up().snapshots());
            feeds.back().async_next([](std::error_code, const std::shared_ptr<const snapshot>&) {});
        }
        w->up().async_enqueue(put_job("one", {"/a"}), [](std::error_code, const job_id&) {});
        w->up().async_wait(job_id("one"), [](std::error_code, const job_snapshot&) {});
        w->start();
        for (int i = 0; i < turns && w->turn(); ++i) {
        }
        w.reset();
    }
    SUCCEED("the sanitizers have the last word");
}
