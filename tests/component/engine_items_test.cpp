// SPDX-License-Identifier: BSL-1.0
//
// What becomes of the other items of a job when one of them cannot be delivered.

#include "component/world.hpp"

#include <algorithm>

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> four = {"/a", "/b", "/c", "/d"};

void write_all(surroundings& around) {
    for (const std::string& file : four) {
        around.files->write(file, "bytes of " + file);
    }
}

std::vector<std::string> delivered(const surroundings& around) {
    std::vector<std::string> names;
    for (const auto& [url, body] : around.objects) {
        names.push_back(url.substr(url.rfind('/')));
    }
    return names;
}

job independent(std::size_t parallel = 1) {
    job what = put_job("one", four);
    what.via(put{}.parallel(parallel)).if_item_fails(on_item_failure::go_on);
    return what;
}

}  // namespace

TEST_CASE("a job whose items are independent delivers all it can, then fails with the first failed item's error") {
    const auto parallel = GENERATE(std::size_t{1}, std::size_t{3});
    CAPTURE(parallel);
    surroundings around;
    write_all(around);
    world w(around);
    w.add(independent(parallel));
    around.files->remove("/b");
    around.files->write("/c", "other bytes, and more");
    w.start();
    w.until_idle();
    const job_snapshot& job = w.at("one");
    CHECK(job.status == status::failed);
    CHECK(job.attempt == 1);
    CHECK(job.error.code == errc::source_missing);
    CHECK(job.error.item == 1);
    CHECK_THAT(job.error.message(), Catch::Contains("2 of 4 items were delivered"));
    CHECK_THAT(job.error.message(), Catch::Contains("/b"));
    CHECK(delivered(around) == std::vector<std::string>{"/a", "/d"});
    CHECK(job.item(0).status == item_status::completed);
    CHECK(job.item(1).status == item_status::failed);
    CHECK(job.item(2).status == item_status::failed);
    CHECK(job.item(3).status == item_status::completed);
    SECTION("and a retry sends what is missing, as far as it is there") {
        around.files->remove("/a");  // nobody needs it any more
        w.run(w.up().async_retry(job_id("one")));
        w.until_idle();
        CHECK(w.at("one").status == status::failed);
        CHECK(w.at("one").error.code == errc::source_missing);
        CHECK_THAT(w.at("one").error.message(), Catch::Contains("3 of 4"));
        CHECK(delivered(around) == std::vector<std::string>{"/a", "/c", "/d"});
        around.files->write("/b", "back again");
        w.run(w.up().async_retry(job_id("one")));
        w.until_idle();
        CHECK(w.at("one").status == status::completed);
        CHECK(around.urls().size() == 4);
        CHECK(around.objects.at("http://server.test/files/b") == "back again");
    }
}

TEST_CASE("what the server refuses of independent items is refused alone") {
    surroundings around;
    write_all(around);
    around.answers = {fake_transport::respond(200), fake_transport::respond(403), fake_transport::respond(200)};
    world w(around);
    w.add(independent());
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(w.at("one").error.code == make_http_error(403));
    CHECK(w.at("one").error.item == 1);
    CHECK(delivered(around) == std::vector<std::string>{"/a", "/c", "/d"});
}

TEST_CASE("what does not concern one item alone makes independent ones wait, too") {
    surroundings around;
    write_all(around);
    around.faults = {{}, {fault::kind::unreachable, 0}};
    world w(around);
    w.add(independent());
    w.start();
    w.until([&] { return w.at("one").status == status::waiting; });
    CHECK(around.urls().size() == 1);
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("an item that failed has its turn again in the next attempt") {
    surroundings around;
    write_all(around);
    around.faults = {{}, {fault::kind::refused, 0}};
    world w(around);
    w.add(independent());
    around.files->remove("/a");
    w.start();
    w.until([&] { return w.at("one").status == status::waiting; });
    CHECK(delivered(around) == std::vector<std::string>{"/b"});
    SECTION("and is delivered when it can be") {
        const std::string before = "bytes of /a";
        around.files->write("/a", before);
        w.until_idle();
        CHECK(w.at("one").error.code == errc::file_changed);  // it has another time
        CHECK(w.at("one").item(0).status == item_status::failed);
    }
    SECTION("and fails again when it cannot") {
        w.until_idle();
        CHECK(w.at("one").error.code == errc::source_missing);
    }
    CHECK(delivered(around) == std::vector<std::string>{"/b", "/c", "/d"});
}

TEST_CASE("by default the first item that fails ends the job") {
    surroundings around;
    write_all(around);
    world w(around);
    w.add(put_job("one", four));
    around.files->remove("/b");
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(delivered(around) == std::vector<std::string>{"/a"});
    CHECK(w.at("one").item(3).status == item_status::pending);
}

TEST_CASE("items of a form cannot be independent") {
    surroundings around;
    write_all(around);
    world w(around);
    job form = form_job("one", four);
    form.if_item_fails(on_item_failure::go_on);
    CHECK(error_of([&] { w.add(form); }) == errc::invalid_setting);
    form.via(resumable{}.as_form());
    CHECK(error_of([&] { w.add(form); }) == errc::invalid_setting);
    form.via(automatic{});
    CHECK(error_of([&] { w.add(form); }) == errc::invalid_setting);
    job same = independent();
    w.add(same);
    same.if_item_fails(on_item_failure::stop);
    CHECK(error_of([&] { w.add(same); }) == errc::duplicate_id);
}
