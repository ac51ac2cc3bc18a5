// SPDX-License-Identifier: BSL-1.0
#include "component/world.hpp"

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

TEST_CASE("a job is on the disk when async_enqueue completes, and not delivered before async_run") {
    surroundings around;
    around.files->write("/a", "hello");
    world w(around);
    CHECK(w.add(put_job("one", {"/a"})) == "one");
    REQUIRE(around.disk->jobs.size() == 1);
    CHECK(around.disk->jobs.begin()->second.job.state.status == status::pending);
    w.settle();
    CHECK(around.requests.empty());
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(around.objects.at("http://server.test/files/a") == "hello");
}

TEST_CASE("jobs of the default lane are delivered one after the other, in the order of their acceptance") {
    surroundings around;
    std::vector<std::string> expected;
    world w(around);
    for (int i = 0; i < 20; ++i) {
        const std::string name = "/f" + std::to_string(i);
        around.files->write(name, std::string(static_cast<std::size_t>(3000 - i * 100), 'x'));
        w.add(put_job("j" + std::to_string(i), {name}));
        expected.push_back("http://server.test/files" + name);
    }
    std::size_t most_at_once = 0;
    w.watch([&] {
        std::size_t running = 0;
        for (const auto& job : w.now()->jobs()) {
            running += job->status == status::uploading ? 1 : 0;
        }
        most_at_once = std::max(most_at_once, running);
    });
    w.start();
    w.until_idle();
    CHECK(around.urls() == expected);
    CHECK(most_at_once == 1);
    CHECK(w.now()->overall()[status::completed].jobs == 20);
    CHECK(w.now()->sent() == w.now()->size());
}

TEST_CASE("jobs of different lanes run at once, up to the limit") {
    surroundings around;
    around.files->write("/a", std::string(50'000, 'x'));
    world w(around, [](options& o) { o.max_concurrent_jobs = 3; });
    for (int i = 0; i < 8; ++i) {
        job j("http://server.test/" + std::to_string(i));
        j.id(job_id("j" + std::to_string(i))).lane("lane" + std::to_string(i)).file("/a");
        w.add(std::move(j));
    }
    std::uint64_t most = 0;
    w.watch([&] { most = std::max(most, w.now()->overall()[status::uploading].jobs); });
    w.start();
    w.until_idle();
    CHECK(most == 3);
    CHECK(around.objects.size() == 8);
}

TEST_CASE("a job that waits for its next attempt keeps its lane, other lanes go on") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::refused, 0});
    world w(around);
    w.add(put_job("first", {"/a"}));
    w.add(put_job("second", {"/a"}));
    job other("http://server.test/other");
    other.id(job_id("other")).lane("b").file("/a");
    w.add(std::move(other));
    w.start();
    w.settle();
    CHECK(w.at("first").status == status::waiting);
    CHECK(w.at("first").reason == wait_reason::network);
    CHECK(w.at("first").error.code == errc::connect_failed);
    CHECK(w.at("second").status == status::pending);
    CHECK(w.at("other").status == status::completed);
    w.until_idle();
    CHECK(around.urls() == std::vector<std::string>{"http://server.test/other", "http://server.test/files/a",
                                                    "http://server.test/files/a"});
    CHECK(w.at("first").attempt == 2);
    CHECK_FALSE(w.at("first").error);
}

TEST_CASE("what a snapshot shows is committed, consistent, and its version grows") {
    surroundings around;
    world w(around, [](options& o) { o.progress_interval = 5ms; });
    for (int i = 0; i < 5; ++i) {
        around.files->write("/f" + std::to_string(i), std::string(5000, 'x'));
    }
    around.faults.push_back({fault::kind::cut, 2500});
    around.answers.push_back(fake_transport::respond(503));
    w.add(put_job("a", {"/f0", "/f1", "/f2"}));
    w.add(form_job("b", {"/f3", "/f4"}));
    std::uint64_t version = 0;
    std::map<std::string, std::pair<int, std::uint64_t>> sent;  // by job: attempt, bytes
    w.watch([&] {
        const auto snap = w.now();
        if (snap->version() == version) {
            return;
        }
        REQUIRE(snap->version() > version);
        version = snap->version();
        for (const auto& job : snap->jobs()) {
            const loaded_job& stored = around.disk->jobs.at(job->seq);
            const bool same = job->status == stored.job.state.status;
            // The disk may be ahead of what is shown by the one change whose caller has not heard of it.
            REQUIRE((same || can_become(job->status, stored.job.state.status)));
            std::uint64_t sum = 0;
            for (std::size_t i = 0; i < job->item_count(); ++i) {
                const item_snapshot item = job->item(i);
                sum += item.sent;
                REQUIRE(item.sent <= item.size);
                REQUIRE(item.confirmed <= item.sent);
            }
            REQUIRE(sum == job->sent);
            REQUIRE(job->progress() <= 1.0);
            auto& [attempt, before] = sent[job->id().str()];
            if (attempt == job->attempt && job->status == status::uploading) {
                REQUIRE(job->sent >= before);
            }
            attempt = job->attempt;
            before = job->sent;
        }
    });
    w.start();
    w.until_idle();
    CHECK(version > 5);
    CHECK(w.at("a").status == status::completed);
    CHECK(w.at("b").status == status::completed);
}

TEST_CASE("progress inside one multipart request is exact for each item") {
    surroundings around;
    around.files->write("/a", std::string(1000, 'a'));
    around.files->write("/b", std::string(3000, 'b'));
    around.files->write("/c", std::string(500, 'c'));
    around.faults.push_back({fault::kind::hang, 2600});
    world w(around, [](options& o) { o.progress_interval = 1ms; });
    w.transport().chunk = 100;
    w.add(form_job("post", {"/a", "/b", "/c"}));
    w.start();
    w.until([&] { return w.at("post").doing == activity::sending && w.at("post").sent > 2000; });
    for (int i = 0; i < 20; ++i) {
        w.settle();
        around.clock->advance(1ms);
    }
    const job_snapshot& job = w.at("post");
    CHECK(job.item(0).sent == 1000);
    CHECK(job.item(2).sent == 0);
    // 2600 body bytes are on the way: what is not headers and not the first item is the second's.
    CHECK(job.item(1).sent > 1000);
    CHECK(job.item(1).sent < 1600);
    CHECK(job.item(1).status == item_status::uploading);
    CHECK(job.sent == 1000 + job.item(1).sent);
    CHECK(job.item(0).progress() == 1.0);
    CHECK(job.item(0).status != item_status::completed);  // sent is not confirmed
}

TEST_CASE("one request carries a whole multipart job, with the same key in every attempt") {
    surroundings around;
    around.files->write("/a", "first");
    around.files->write("/b", "second");
    around.faults.push_back({fault::kind::cut, 100});
    around.answers.push_back(fake_transport::respond(429));
    world w(around);
    w.add(form_job("post", {"/a", "/b"}));
    w.start();
    w.until_idle();
    REQUIRE(around.requests.size() == 3);
    const std::string key = around.requests[0].header("Idempotency-Key");
    CHECK(key.size() == 34);
    CHECK(key.front() == '"');
    for (const received_request& r : around.requests) {
        CHECK(r.method == "POST");
        CHECK(r.header("Idempotency-Key") == key);
    }
    CHECK_FALSE(around.requests[0].whole);
    CHECK(around.requests[1].body == around.requests[2].body);
    CHECK(around.requests[2].body.find("name=\"file\"; filename=\"a\"") != std::string::npos);
    CHECK(w.at("post").status == status::completed);
}

TEST_CASE("a thousand queued jobs are delivered, each once") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    std::vector<job> jobs;
    for (int i = 0; i < 1000; ++i) {
        job j("http://server.test/o/" + std::to_string(i));
        j.file("/a");
        jobs.push_back(std::move(j));
    }
    const auto before = around.disk->commits;
    CHECK(w.run(w.up().async_enqueue(std::move(jobs))).size() == 1000);
    CHECK(around.disk->commits == before + 1);
    w.start();
    w.until_idle();
    CHECK(around.objects.size() == 1000);
    CHECK(around.requests.size() == 1000);
}

TEST_CASE("a snapshot lists up to its limit and counts everything") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around, [](options& o) { o.snapshot_jobs = 10; });
    for (int i = 0; i < 50; ++i) {
        w.add(put_job("j" + std::to_string(i), {"/a"}));
    }
    w.settle();
    CHECK(w.now()->jobs().size() == 10);
    CHECK(w.now()->overall().jobs() == 50);
    bool shown_while_running = true;
    w.watch([&] {
        for (const auto& [seq, whole] : around.disk->jobs) {
            if (whole.job.state.status == status::uploading && w.now()->overall()[status::uploading].jobs == 1) {
                shown_while_running = shown_while_running && w.now()->find(whole.job.spec.id) != nullptr;
            }
        }
    });
    w.start();
    w.until_idle();
    CHECK(shown_while_running);
    CHECK(w.now()->jobs().size() <= 11);
    CHECK(w.now()->overall()[status::completed].jobs == 50);
    CHECK(w.run(w.up().async_find(job_id("j0"))).status == status::completed);
    CHECK(w.run(w.up().async_list(std::nullopt, 100)).size() == 50);
}

TEST_CASE("headers of the job and credentials of its origin go along, to that origin only") {
    surroundings around;
    around.files->write("/a", "x");
    std::vector<std::string> asked;
    world w(around, [&](options& o) {
        o.credentials = [&](const std::string& origin) {
            asked.push_back(origin);
            header_list secret;
            secret.push_back({"Authorization", "Bearer canary"});
            return secret;
        };
    });
    job j("https://server.test/x");
    j.id(job_id("one")).file("/a").header("X-Album", "42");
    w.add(std::move(j));
    w.start();
    w.until_idle();
    CHECK(asked == std::vector<std::string>{"https://server.test:443"});
    CHECK(around.requests.at(0).header("Authorization") == "Bearer canary");
    CHECK(around.requests.at(0).header("X-Album") == "42");
    CHECK(around.requests.at(0).header("Idempotency-Key").empty());  // PUT needs none
}
