// SPDX-License-Identifier: BSL-1.0
#include <waybill/testing/crash_runner.hpp>
#include <waybill/waybill.hpp>

#include "support/catch.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// The test kit that apps get.
namespace {

using namespace waybill;
using testing::fake_transport;
using testing::fault;

job form_job(const std::string& file, on_unknown policy = on_unknown::park) {
    job post("http://server.test/posts");
    post.via(multipart{}).if_unknown(policy).file(file);
    return post;
}

/// Enqueues one job under an id of its own and notes its end; what it forgets makes a variant wrong.
class one_post : public testing::workflow {
public:
    void prepare(testing::surroundings& around) override {
        around.files->write("/a", std::string(2500, 'a'));
        around.server.honours_keys = true;
    }
    void start(testing::process& app) override { asio::co_spawn(app.context(), work(app.up()), asio::detached); }
    std::string check(const testing::surroundings& around) override {
        if (throws) {
            throw std::logic_error("the check is broken");
        }
        return done && around.server.posts().size() == 1 ? "" : "not posted once";
    }
    bool throws = false;

private:
    asio::awaitable<void> work(uploader& up) {
        job post = form_job("/a", on_unknown::retry_same_key);
        post.id(job_id("mine"));
        const job_id id = co_await up.async_enqueue(std::move(post));
        const job_snapshot end = co_await up.async_wait(id);
        done = end.status == status::completed;
    }
    bool done = false;
};

}  // namespace

TEST_CASE("the fake server does what its script says, one step for each request, and then what a good one does") {
    testing::surroundings around;
    around.files->write("/a", std::string(2500, 'a'));
    around.server.next(fault{fault::kind::cut, 1000})
        .next(fake_transport::respond(503))
        .next(fault{fault::kind::none, 0});
    testing::process app(around);
    app.up().async_enqueue(form_job("/a"), [](std::error_code, const job_id&) {});
    app.run();
    REQUIRE(around.server.requests().size() == 3);
    CHECK_FALSE(around.server.requests()[0].whole);
    CHECK(around.server.requests()[0].body.size() == 1000);
    CHECK(around.server.posts().size() == 1);
    CHECK(around.server.script_left() == 0);
    CHECK(app.up().latest()->overall()[status::completed].jobs == 1);
}

TEST_CASE("the fake server takes a repeated key for the same post only if it honours keys") {
    const bool honours = GENERATE(true, false);
    testing::surroundings around;
    around.files->write("/a", "x");
    around.server.honours_keys = honours;
    around.server.next(fault{fault::kind::response_lost, 0});
    testing::process app(around);
    app.up().async_enqueue(form_job("/a", on_unknown::retry_same_key), [](std::error_code, const job_id&) {});
    app.run();
    CHECK(around.server.requests().size() == 2);
    CHECK(around.server.posts().size() == (honours ? 1 : 2));
}

TEST_CASE("the crash runner crashes around every commit, or after every turn, and the work is done once") {
    const auto make = [] { return std::make_unique<one_post>(); };
    const testing::crash_report commits = testing::crash_everywhere(make);
    INFO((commits.complaints.empty() ? "" : commits.complaints.front()));
    CHECK(commits.complaints.empty());
    CHECK(commits.commits >= 4);  // accepted, begun, marked, completed
    CHECK(commits.crashes >= commits.commits);
    const testing::crash_report turns = testing::crash_everywhere(make, testing::crash_points::every_turn);
    CHECK(turns.complaints.empty());
    CHECK(turns.crashes > commits.crashes);
}

TEST_CASE("what a check throws is a complaint, for every crash") {
    const testing::crash_report report = testing::crash_everywhere([] {
        auto work = std::make_unique<one_post>();
        work->throws = true;
        return work;
    });
    CHECK(report.complaints.size() == report.crashes + 1);  // also of the run without a crash
    CHECK_THAT(report.complaints.at(0), Catch::Contains("the check is broken"));
}
