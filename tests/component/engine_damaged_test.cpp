// SPDX-License-Identifier: BSL-1.0
//
// A record whose checksum does not match: nothing is made of what it says, and it stays until the app removes it.

#include "component/world.hpp"

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

namespace {

void damage(surroundings& around, const std::string& id) {
    for (auto& [seq, whole] : around.disk->jobs) {
        whole.damaged = whole.damaged || whole.job.spec.id == job_id(id);
    }
}

/// A form whose answer was lost: the app is asked about it.
void leave_in_doubt(surroundings& around) {
    around.files->write("/a", "x");
    world w(around);
    around.faults.push_back({fault::kind::response_lost, 0});
    w.add(form_job("one", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").status == status::unknown_outcome; });
    w.run(w.up().async_stop());
}

}  // namespace

TEST_CASE("no command makes anything of a damaged record but to fail it, and only its removal ends it") {
    surroundings around;
    leave_in_doubt(around);
    damage(around, "one");
    world w(around);
    std::error_code got;
    SECTION("resolve") {
        const resolution what = GENERATE(resolution::retry, resolution::completed, resolution::canceled);
        got = error_of([&] { w.run(w.up().async_resolve(job_id("one"), what)); });
    }
    SECTION("retry") {
        got = error_of([&] { w.run(w.up().async_retry(job_id("one"))); });
    }
    SECTION("cancel") {
        got = error_of([&] { w.run(w.up().async_cancel(job_id("one"))); });
    }
    SECTION("a start") {
        got = errc::record_damaged;
    }
    CHECK(got == errc::record_damaged);
    w.start();
    w.until_idle();
    around.clock->advance(24h * 365);
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(w.at("one").error.code == errc::record_damaged);
    CHECK(w.now()->overall()[status::failed].jobs == 1);
    CHECK(w.now()->overall()[status::unknown_outcome].jobs == 0);
    CHECK(w.run(w.up().async_wait(job_id("one"))).error.code == errc::record_damaged);
    CHECK(error_of([&] { w.run(w.up().async_retry(job_id("one"))); }) == errc::record_damaged);
    CHECK(around.requests.size() == 1);
    w.run(w.up().async_remove(job_id("one")));
    CHECK(w.now()->overall().jobs() == 0);
    CHECK(around.disk->leftovers.empty());
}

TEST_CASE("a damaged record outlives every start, however old it is") {
    surroundings around;
    around.files->write("/a", "x");
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.add(put_job("two", {"/a"}));
    }
    damage(around, "one");
    for (int start = 0; start < 3; ++start) {
        world w(around);
        w.start();
        w.until_idle();
        around.clock->advance(24h * 30);
        w.settle();
        CHECK(w.at("one").error.code == errc::record_damaged);
        w.run(w.up().async_stop());
    }
}

TEST_CASE("a record that is found damaged when it is old enough to be forgotten stays, as a failed job") {
    surroundings around;
    around.files->write("/a", "x");
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.start();
        w.until_idle();
        around.clock->advance(2h);
        w.run(w.up().async_stop());
    }
    damage(around, "one");
    world w(around, [](options& o) { o.keep_finished = 0h; });
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(w.now()->overall()[status::completed].jobs == 0);
    CHECK(w.now()->overall()[status::failed].jobs == 1);
}
