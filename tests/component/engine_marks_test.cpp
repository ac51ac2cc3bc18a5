// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/http_rules.hpp>
#include <waybill/testing/crash_runner.hpp>
#include <waybill/waybill.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

// What becomes of a mark: it goes only with what settled it.
namespace {

using namespace waybill;
using testing::fake_transport;
using testing::fault;
using testing::received_request;

constexpr std::size_t size = 20'000;

/// A server of resumable uploads that has one of them. It may put it away once it is finished.
struct upload_server {
    explicit upload_server(testing::fake_server& where) {
        response created = fake_transport::respond(201);
        created.headers = {{"Location", "/u/1"}, {"Upload-Draft-Interop-Version", "8"}, {"Upload-Complete", "?0"}};
        where.next(std::move(created)).next(fault{fault::kind::response_lost, 0});
        where.otherwise = [this](const received_request& r) {
            have += r.body.size();
            finished += have == size && !r.body.empty() ? 1 : 0;
            if (put_away) {
                return fake_transport::respond(404);
            }
            response answer = fake_transport::respond(r.method == "HEAD" ? 204 : 200);
            answer.headers = {{"Upload-Offset", std::to_string(have)}, {"Upload-Complete", have == size ? "?1" : "?0"}};
            return answer;
        };
    }

    std::size_t have = 0;
    int finished = 0;
    bool put_away = false;
};

/// Three items go where nothing may be yet.
class conditional_puts : public testing::workflow {
public:
    void prepare(testing::surroundings& around) override {
        for (const char* const path : {"/a", "/b", "/c"}) {
            around.files->write(path, std::string(2500, path[1]));
        }
    }
    void start(testing::process& app) override {
        job puts("http://server.test/in/");
        puts.id(job_id("one")).via(put{}.parallel(3)).header("If-None-Match", "*").file("/a").file("/b").file("/c");
        app.up().async_enqueue(std::move(puts), [](std::error_code, const job_id&) {});
    }
    std::string check(const testing::surroundings& around) override {
        const job_record& end = around.disk->jobs.begin()->second.job;
        const bool there = around.server.objects().size() == 3;
        return end.state.status == status::completed && there ? "" : end.state.error.message();
    }
};

/// Sends one item of a job, and in the next attempt another one.
class wandering_protocol final : public protocol {
public:
    void check(const waybill::job& /*job*/) const override {}
    [[nodiscard]] bool can_probe() const noexcept override { return true; }
    asio::awaitable<void> upload(session& job) override {
        const auto index = static_cast<std::size_t>(job.state().attempt - 1);
        const std::unique_ptr<body_source> body = job.open(index);
        request post;
        post.method = "POST";
        post.url = job.spec().url;
        post.body = body.get();
        post.spans = {{index, 0, 0, body->size()}};
        const response answer = co_await job.send(std::move(post), index);
        require_accepted(answer, false, 0, index);
        job.complete_item_soon(index, "");
    }
};

struct wandering {
    [[nodiscard]] static protocol_spec spec() { return {"wandering", {}}; }
};

}  // namespace

TEST_CASE("whoever is stopped or killed while the digest of a finished upload is read does not send it again") {
    const bool killed = GENERATE(true, false);
    bool interrupted = true;
    int undecided = 0;
    for (int after = 1; interrupted; ++after) {
        testing::surroundings around;
        around.files->write("/a", std::string(size, 'x'));
        upload_server server(around.server);
        {  // dies before it has heard of its success
            testing::process app(around);
            job one("http://server.test/files");
            one.id(job_id("one")).via(resumable{}.digest("sha-256")).file("/a");
            app.up().async_enqueue(std::move(one), [](std::error_code, const job_id&) {});
            while (server.finished == 0) {
                app.turn();
            }
        }
        {  // asks, and reads the file
            testing::process app(around);
            for (int turns = 0; turns < after && interrupted; ++turns) {
                interrupted = app.turn();
            }
            bool stopped = killed;
            if (!killed) {
                app.up().async_stop([&](std::error_code) { stopped = true; });
            }
            while (!stopped) {
                app.turn();
            }
        }
        server.put_away = true;
        testing::process app(around);
        app.run();
        const status now = app.up().latest()->at(job_id("one")).status;
        CAPTURE(after, killed, to_string(now));
        CHECK(around.server.posts().size() == 1);
        CHECK(server.finished == 1);
        CHECK((now == status::completed || now == status::unknown_outcome));
        undecided += now == status::unknown_outcome ? 1 : 0;
    }
    CHECK(undecided > 20);  // a turn for each thousand bytes that were read
}

TEST_CASE("conditional puts are delivered whatever answer is lost and wherever the process dies") {
    const testing::crash_report report = testing::crash_everywhere([] { return std::make_unique<conditional_puts>(); },
                                                                   testing::crash_points::every_turn);
    INFO((report.complaints.empty() ? "" : report.complaints.front()));
    CHECK(report.complaints.empty());
    CHECK(report.crashes > 20);
    for (int lost = 0; lost < 3; ++lost) {
        testing::surroundings around;
        conditional_puts work;
        work.prepare(around);
        for (int before = 0; before < lost; ++before) {
            around.server.next(fault{});
        }
        around.server.next(fault{fault::kind::response_lost, 0});
        testing::process app(around);
        work.start(app);
        app.run();
        CAPTURE(lost);
        CHECK(work.check(around).empty());
        CHECK(around.server.requests().size() == 5);  // with one repetition, and one question
    }
}

TEST_CASE("what is in doubt about one item is not forgotten for another one") {
    testing::surroundings around;
    around.files->write("/a", "a");
    around.files->write("/b", "b");
    around.server.next(fault{fault::kind::response_lost, 0});
    testing::process app(around, [](options& how) {
        how.protocols.add("wandering", [](const protocol_spec&) { return std::make_unique<wandering_protocol>(); });
    });
    job both("http://server.test/posts");
    both.id(job_id("one")).via(wandering{}).file("/a").file("/b");
    app.up().async_enqueue(std::move(both), [](std::error_code, const job_id&) {});
    app.run();
    CHECK(app.up().latest()->at(job_id("one")).status == status::unknown_outcome);
    CHECK(around.server.posts().size() == 1);
}
