// SPDX-License-Identifier: BSL-1.0
//
// Files whose content is the accepted one although not everything about them is, and those whose is not.

#include "component/world.hpp"

#include <algorithm>

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t large = 500'000;

// What is done in mid-body is done where it says.
void watch_closely(options& how) {
    how.progress_interval = 1ms;
}

// So little of a file is looked at that there is much which can change unseen.
void sample_little(options& how, const surroundings& around) {
    watch_closely(how);
    how.replace.sources = std::make_shared<testing::memory_sources>(around.files, detail::sampling{64, 4});
}

std::size_t whole_requests(const surroundings& around) {
    return around.urls().size();
}

}  // namespace

TEST_CASE("a file of which no byte changed is delivered, whatever else about it did") {
    const bool is_large = GENERATE(false, true);
    const auto scope = GENERATE(fingerprint_scope::none, fingerprint_scope::sampled, fingerprint_scope::whole);
    const bool remounted = GENERATE(false, true);
    CAPTURE(is_large, static_cast<int>(scope), remounted);
    surroundings around;
    const std::string content(is_large ? large : 3000, 'x');
    around.files->write("/a", content);
    around.files->write("/b", content);
    world w(around, [&](options& o) {
        watch_closely(o);
        o.fingerprint = scope;
    });
    const auto disturb = [&](const std::string& path) {
        if (remounted) {
            around.files->remount(path);
        } else {
            around.files->touch(path);
        }
    };
    SECTION("before it is sent") {
        w.add(put_job("one", {"/a", "/b"}));
        disturb("/a");
        disturb("/b");
        w.start();
    }
    SECTION("while it is sent") {
        w.add(put_job("one", {"/a", "/b"}));
        w.start();
        w.until([&] { return w.at("one").sent > 1500; });
        disturb("/a");
    }
    SECTION("of a form, while it is sent") {
        w.add(form_job("one", {"/a", "/b"}));
        w.start();
        w.until([&] { return w.at("one").sent > 1500; });
        disturb("/b");
    }
    w.until_idle();
    INFO(w.at("one").error.message());
    CHECK(w.at("one").status == status::completed);
    CHECK(w.at("one").attempt == 1);  // it costs none
    CHECK((whole_requests(around) == 1 || around.objects.at("http://server.test/files/a") == content));
}

TEST_CASE("an edit whose time was put back never arrives as a mixture") {
    const bool seen = GENERATE(false, true);
    CAPTURE(seen);
    surroundings around;
    const std::string before(large, 'x');
    around.files->write("/a", before);
    world w(around, [&](options& o) { sample_little(o, around); });
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").sent > 5000; });
    std::string after = before;
    after[seen ? 0 : 100] = 'y';  // the first bytes are looked at, these are not
    after[large - 10'000] = 'y';
    around.files->replace_unseen("/a", after);
    w.until_idle();
    if (seen) {
        CHECK(w.at("one").status == status::failed);
        CHECK(w.at("one").error.code == errc::file_changed);
        CHECK(around.objects.empty());
    } else {
        CHECK(w.at("one").status == status::completed);
        CHECK(around.objects.at("http://server.test/files/a") == after);
    }
}

TEST_CASE("what a file is known by from now on is durable") {
    surroundings around;
    around.files->write("/a", std::string(large, 'x'));
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        around.files->touch("/a");
        around.faults.push_back({fault::kind::refused, 0});
        w.start();
        w.until([&] { return w.at("one").status == status::waiting; });
    }
    const loaded_job& kept = around.disk->jobs.begin()->second;
    CHECK(kept.items.front().spec.identity == around.files->at("/a").identity);
    CHECK(kept.job.state.attempt == 1);
}

TEST_CASE("a file whose disk is not there is waited for, which costs no attempt") {
    surroundings around;
    around.files->write("/a", "x");
    around.files->write("/b", "y");
    world w(around, [](options& o) { o.retry.attempts = 2; });
    w.add(put_job("one", {"/a"}));
    w.add(put_job("two", {"/b"}).lane("other"));
    around.files->set_reachable("/a", false);
    w.start();
    w.until([&] { return w.at("two").status == status::completed; });
    around.clock->advance(48h);
    w.settle();
    CHECK(w.at("one").status == status::waiting);
    CHECK(w.at("one").error.code == errc::source_unavailable);
    around.files->set_reachable("/a", true);
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a log that grows is delivered as it was when it was accepted") {
    const auto kind = GENERATE(source_kind::file, source_kind::range);
    surroundings around;
    const std::string content(large, 'l');
    around.files->write("/a", content);
    world w(around, [&](options& o) { sample_little(o, around); });
    job what("http://server.test/files/");
    what.id(job_id("one"));
    what.add((kind == source_kind::file ? item::file("/a") : item::range("/a", 10, large - 10)).append_only());
    w.add(what);
    const std::size_t from = kind == source_kind::file ? 0 : 10;
    SECTION("before and while it is sent") {
        around.files->append("/a", "a line\n");
        w.start();
        w.until([&] { return w.at("one").sent > 5000; });
        around.files->append("/a", "another line\n");
        w.until_idle();
        CHECK(w.at("one").status == status::completed);
        CHECK(around.objects.at("http://server.test/files/a") == content.substr(from));
        CHECK(whole_requests(around) == 1);
    }
    SECTION("and fails when it is begun anew") {
        around.files->write("/a", std::string(2 * large, 'm'));
        w.start();
        w.until_idle();
        CHECK(w.at("one").error.code == errc::file_changed);
    }
    SECTION("and fails when it becomes shorter while it is sent") {
        w.start();
        w.until([&] { return w.at("one").sent > 5000; });
        around.files->write("/a", "l");
        w.until_idle();
        CHECK(w.at("one").error.code == errc::file_changed);
    }
}

TEST_CASE("only a file can be append-only") {
    surroundings around;
    world w(around);
    job what("http://server.test/files/");
    what.add(item::bytes("a", "bytes").append_only());
    CHECK(error_of([&] { w.add(what); }) == errc::invalid_range);
}

TEST_CASE("a retry sends nothing again of a file that was only touched") {
    surroundings around;
    around.files->write("/a", "done");
    around.files->write("/b", "refused");
    around.answers.push_back(fake_transport::respond(200));
    around.answers.push_back(fake_transport::respond(403));
    world w(around);
    w.add(put_job("one", {"/a", "/b"}));
    w.start();
    w.until_idle();
    REQUIRE(w.at("one").status == status::failed);
    around.files->touch("/a");
    around.files->remount("/b");
    w.run(w.up().async_retry(job_id("one")));
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(around.urls() == std::vector<std::string>{"http://server.test/files/a", "http://server.test/files/b",
                                                    "http://server.test/files/b"});
}
