// SPDX-License-Identifier: BSL-1.0
//
// Why a job is not running.

#include "component/world.hpp"

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

namespace {

std::vector<gate> gates_of(world& w, const std::string& id) {
    std::vector<gate> all;
    for (const closed_gate& one : w.run(w.up().async_explain(job_id(id)))) {
        all.push_back(one.which);
    }
    return all;
}

}  // namespace

TEST_CASE("everything that keeps a job from being started is named, in order") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.add(put_job("two", {"/a"}));
    CHECK(gates_of(w, "one") == std::vector<gate>{gate::delivery});
    CHECK(gates_of(w, "two") == std::vector<gate>{gate::queue, gate::delivery});
    w.run(w.up().async_pause(selection::all(), pause_options().lasting(1h).why("all rest")));
    w.run(w.up().async_pause(job_id("one"), pause_options().why("this too")));
    const auto closed = w.run(w.up().async_explain(job_id("one")));
    REQUIRE(closed.size() == 2);
    CHECK(closed[0].which == gate::paused);
    CHECK(closed[0].detail == "this too");
    CHECK_FALSE(closed[0].until);
    CHECK(closed[1].which == gate::held);
    CHECK(closed[1].detail == "all jobs: all rest");
    CHECK(closed[1].until);
    CHECK(gates_of(w, "two") == std::vector<gate>{gate::held, gate::delivery});  // nobody is before it now
    CHECK(error_of([&] { gates_of(w, "nobody"); }) == errc::unknown_job);
}

TEST_CASE("a job that waits for its host says for what, and until when") {
    surroundings around;
    around.files->write("/a", "x");
    for (int i = 0; i < 20; ++i) {
        around.faults.push_back({fault::kind::refused, 0});
    }
    world w(around, [](options& how) { how.retry.host_failures = 1; });
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").status == status::waiting; });
    const auto closed = w.run(w.up().async_explain(job_id("one")));
    REQUIRE(closed.size() == 2);
    CHECK(closed[0].which == gate::waiting);
    CHECK(closed[0].detail.starts_with("network: "));
    CHECK(closed[0].until);
    CHECK(closed[1].which == gate::host);
    CHECK(closed[1].detail == "http://server.test:80");
    CHECK(closed[1].until);
}

TEST_CASE("nothing keeps a job that runs or is finished; others wait for a free place") {
    surroundings around;
    around.files->write("/a", std::string(500'000, 'x'));
    world w(around, [](options& how) { how.max_concurrent_jobs = 1; });
    w.add(put_job("one", {"/a"}));
    job other = put_job("two", {"/a"});
    other.lane("other");
    w.add(std::move(other));
    w.start();
    w.until([&] { return w.at("one").doing == activity::sending; });
    CHECK(gates_of(w, "one").empty());
    CHECK(gates_of(w, "two") == std::vector<gate>{gate::concurrency});
    w.until_idle();
    CHECK(gates_of(w, "two").empty());
}

TEST_CASE("a job whose outcome is unknown waits for a decision") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost, 0});
    world w(around);
    w.add(form_job("one", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").status == status::unknown_outcome; });
    CHECK(gates_of(w, "one") == std::vector<gate>{gate::decision});
}
