// SPDX-License-Identifier: BSL-1.0
//
// What a job is accepted as: once under its id, with the bytes its files had, and in sight.

#include "component/world.hpp"

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

namespace {

std::string text_of(const std::function<void()>& work) {
    try {
        work();
        return "";
    } catch (const std::exception& e) {
        return e.what();
    }
}

}  // namespace

TEST_CASE("the same id with the same files is the same job, and with a file that has changed it is refused") {
    const bool delivered = GENERATE(false, true);
    surroundings around;
    around.files->write("/a", "monday");
    around.files->write("/b", "the same");
    {
        world w(around);
        w.add(put_job("nightly", {"/a", "/b"}));
        if (delivered) {
            w.start();
            w.until_idle();
        }
        CHECK(w.add(put_job("nightly", {"/a", "/b"})) == "nightly");
        w.run(w.up().async_stop());
    }
    world w(around);
    CHECK(w.add(put_job("nightly", {"/a", "/b"})) == "nightly");
    around.files->write("/a", "tuesday, longer");
    CHECK(error_of([&] { w.add(put_job("nightly", {"/a", "/b"})); }) == errc::duplicate_id);
    CHECK_THAT(text_of([&] {
                   w.add(put_job("nightly", {"/a", "/b"}));
               }),
               Catch::Contains("/a has changed since it was accepted under this id"));
    std::vector<job> both;
    both.push_back(put_job("other", {"/b"}));
    both.push_back(put_job("nightly", {"/a", "/b"}));
    CHECK(error_of([&] { w.run(w.up().async_enqueue(both)); }) == errc::duplicate_id);
    CHECK(around.disk->jobs.size() == 1);
    CHECK(w.add(put_job("nightly-2", {"/a", "/b"})) == "nightly-2");
}

TEST_CASE("files that are gone do not keep a job from being accepted again, and hide no other that has changed") {
    surroundings around;
    around.files->write("/a", "x");
    around.files->write("/b", "y");
    world w(around);
    w.add(put_job("one", {"/a", "/b"}));
    around.files->remove("/a");
    CHECK(w.add(put_job("one", {"/a", "/b"})) == "one");
    around.files->write("/b", "other");
    CHECK(error_of([&] { w.add(put_job("one", {"/a", "/b"})); }) == errc::duplicate_id);
    around.files->remove("/b");
    CHECK(w.add(put_job("one", {"/a", "/b"})) == "one");
}

TEST_CASE("a file that has changed may be offered again once its job was retried with it") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    around.answers.push_back(fake_transport::respond(404));
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until_idle();
    around.files->write("/a", "other");
    CHECK(error_of([&] { w.add(put_job("one", {"/a"})); }) == errc::duplicate_id);
    w.run(w.up().async_retry(job_id("one")));
    CHECK(w.add(put_job("one", {"/a"})) == "one");
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a job that was just accepted is in the newest snapshot, however many are listed") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around, [](options& o) { o.snapshot_jobs = 3; });
    const bool delivers = GENERATE(false, true);
    if (delivers) {
        w.start();
    }
    for (int i = 0; i < 20; ++i) {
        const std::string id = "job" + std::to_string(i);
        w.add(put_job(id, {"/a"}));
        REQUIRE(w.now()->find(job_id(id)));
        REQUIRE(w.now()->jobs().size() <= 4);  // one that runs is listed in addition
    }
    std::vector<job> many;
    for (int i = 0; i < 3; ++i) {
        many.push_back(put_job("many" + std::to_string(i), {"/a"}));
    }
    w.run(w.up().async_enqueue(many));
    for (const job& one : many) {
        CHECK(w.now()->find(one.id()));
    }
    w.add(put_job("job0", {"/a"}));  // known before, and perhaps not listed any more
    CHECK(w.now()->find(job_id("job0")));
    if (!delivers) {
        w.start();
    }
    w.until_idle();
    CHECK(w.now()->jobs().size() <= 4);
    CHECK(w.now()->overall()[status::completed].jobs == 23);
}
