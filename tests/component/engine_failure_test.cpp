// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/put/protocol.hpp>

#include "component/world.hpp"

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

TEST_CASE("a job that fails again and again is given up after its attempts, with the last cause") {
    surroundings around;
    around.files->write("/a", "x");
    around.answers.assign(10, fake_transport::respond(408));
    world w(around, [](options& o) { o.retry.attempts = 4; });
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until_idle();
    const job_snapshot& job = w.at("one");
    CHECK(job.status == status::failed);
    CHECK(job.attempt == 4);
    CHECK(job.error.code == make_http_error(408));
    CHECK(job.error.message().find("no progress in 4 attempts") != std::string::npos);
}

TEST_CASE("confirmed progress resets the count of failed attempts") {
    surroundings around;
    world w(around, [](options& o) { o.retry.attempts = 3; });
    std::vector<std::string> files;
    for (int i = 0; i < 6; ++i) {
        files.push_back("/f" + std::to_string(i));
        around.files->write(files.back(), "x");
        around.faults.push_back({});
        around.faults.push_back({fault::kind::refused, 0});
        around.faults.push_back({fault::kind::refused, 0});
    }
    w.add(put_job("one", files));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(w.at("one").attempt > 3);
    CHECK(around.urls().size() == 6);  // what was confirmed is not sent again
}

TEST_CASE("without a way to the network a job waits and no attempt is counted") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around, [](options& o) { o.retry.attempts = 2; });
    for (int i = 0; i < 10; ++i) {
        around.faults.push_back({fault::kind::unreachable, 0});
    }
    w.add(put_job("one", {"/a"}));
    w.start();
    w.settle();
    CHECK(w.at("one").status == status::waiting);
    CHECK(w.at("one").reason == wait_reason::network);
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("Retry-After is obeyed and survives a restart") {
    surroundings around;
    around.files->write("/a", "x");
    response busy = fake_transport::respond(503);
    busy.headers.push_back({"Retry-After", "3600"});
    around.answers.push_back(busy);
    const auto begun = around.clock->system_now();
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.start();
        w.settle();
        CHECK(w.at("one").status == status::waiting);
        CHECK(w.at("one").reason == wait_reason::server_busy);
        CHECK(w.at("one").error.details.http_status == 503);
    }
    world w(around);
    w.start();
    w.settle();
    CHECK(around.requests.size() == 1);
    w.until_idle();
    CHECK(around.requests.size() == 2);
    CHECK(around.clock->system_now() - begun >= 1h);
    CHECK(around.clock->system_now() - begun < 2h);
}

TEST_CASE("a wall clock that jumps by years neither stalls a waiting job nor lets it burst") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::refused, 0});
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.start();
        w.settle();
        CHECK(w.at("one").status == status::waiting);
    }
    around.clock->jump(-std::chrono::hours(24 * 3650));
    world w(around);
    w.start();
    const auto begun = around.clock->steady_now();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(around.clock->steady_now() - begun <= 48h + 1h);
}

TEST_CASE("a wall clock that is set back by years does not hold up the clean-up") {
    struct cleaned : protocol {
        explicit cleaned(int& n) : asked(n) {}
        void check(const job&) const override {}
        asio::awaitable<void> upload(session& job) override {
            checkpoint begun;
            begun.resource = "there";
            co_await job.save(begun);
            throw failure(disposition::retry, make_http_error(503), {});
        }
        asio::awaitable<void> discard(exchange&, const leftover&) override {
            if (++asked == 1) {
                throw failure(disposition::retry, make_http_error(503), {});
            }
            co_return;
        }
        int& asked;
    };
    struct choice {
        [[nodiscard]] protocol_spec spec() const { return {"cleaned", {}}; }
    };
    surroundings around;
    around.files->write("/a", "x");
    int asked = 0;
    world w(around, [&](options& o) {
        o.protocols.add("cleaned", [&](const protocol_spec&) { return std::make_unique<cleaned>(asked); });
    });
    job j = put_job("one", {"/a"});
    j.via(choice{});
    w.add(std::move(j));
    w.start();
    w.settle();
    w.run(w.up().async_cancel(job_id("one")));
    w.settle();
    REQUIRE(asked == 1);
    around.clock->jump(-std::chrono::hours(24 * 3650));
    const auto begun = around.clock->steady_now();
    w.until([&] { return around.disk->leftovers.empty(); });
    CHECK(asked == 2);
    CHECK(around.clock->steady_now() - begun <= 1h);
}

TEST_CASE("a protocol's clean-up that must not be repeated carries a key, the same for each try") {
    struct posting : protocol {
        void check(const job&) const override {}
        asio::awaitable<void> upload(session& job) override {
            checkpoint begun;
            begun.resource = "there";
            co_await job.save(begun);
            throw failure(disposition::retry, make_http_error(503), {});
        }
        asio::awaitable<void> discard(exchange& server, const leftover& what) override {
            request cancel;
            cancel.method = "POST";
            cancel.url = what.job.url + what.reached.resource + "/cancel";
            const response got = co_await server.send(std::move(cancel));
            server.require(got);
        }
    };
    struct choice {
        [[nodiscard]] protocol_spec spec() const { return {"posting", {}}; }
    };
    surroundings around;
    around.files->write("/a", "x");
    response busy;
    busy.status = 503;
    around.answers = {busy};
    world w(around, [](options& o) {
        o.protocols.add("posting", [](const protocol_spec&) { return std::make_unique<posting>(); });
    });
    job j = put_job("one", {"/a"});
    j.via(choice{});
    w.add(std::move(j));
    w.start();
    w.settle();
    w.run(w.up().async_cancel(job_id("one")));
    w.until([&] { return around.disk->leftovers.empty(); });
    REQUIRE(around.requests.size() == 2);
    const std::string key = around.requests[0].header("Idempotency-Key");
    CHECK(key.size() > 32);
    CHECK(around.requests[1].header("Idempotency-Key") == key);
}

TEST_CASE("a refusal for its size that names a time is for now only") {
    surroundings around;
    around.files->write("/a", "x");
    response later = fake_transport::respond(413);
    later.headers.push_back({"Retry-After", "60"});
    around.answers = {later};
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").status == status::waiting; });
    CHECK(w.at("one").reason == wait_reason::server_busy);
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("permanent answers fail the job at once and say what the server said") {
    surroundings around;
    around.files->write("/a", "x");
    around.files->write("/b", "x");
    response no = fake_transport::respond(413);
    no.body = "too\nlarge";
    around.answers.push_back(fake_transport::respond(200));
    around.answers.push_back(no);
    world w(around);
    w.add(put_job("one", {"/a", "/b"}));
    w.add(put_job("two", {"/a"}));
    w.start();
    w.until_idle();
    const job_snapshot& job = w.at("one");
    CHECK(job.status == status::failed);
    CHECK(job.attempt == 1);
    CHECK(job.error.code == make_http_error(413));
    CHECK(job.error.code == cause::permanent);
    CHECK(job.error.details.excerpt == "too large");
    CHECK(job.error.item == 1);
    CHECK(job.item(0).status == item_status::completed);
    CHECK(job.item(1).status == item_status::failed);
    CHECK(job.item(1).error.code == make_http_error(413));
    CHECK(w.at("two").status == status::completed);  // one bad job holds up nobody
}

TEST_CASE("a success that comes before the whole body is not believed") {
    surroundings around;
    around.files->write("/a", std::string(5000, 'x'));
    world w(around);
    // The server's 200 overtakes the body: the transport reports it with an incomplete request.
    int tries = 0;
    w.transport().next_fault = [&](const request&) { return ++tries == 1 ? fault{fault::kind::cut, 100} : fault(); };
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(around.objects.at("http://server.test/files/a").size() == 5000);
}

TEST_CASE("a file that changes while it is sent fails the job with file_changed, and nothing else") {
    surroundings around;
    around.files->write("/a", std::string(500'000, 'x'));
    around.files->write("/b", "y");
    world w(around);
    w.add(put_job("one", {"/b", "/a"}));
    w.add(put_job("two", {"/b"}));
    w.start();
    w.until([&] { return w.at("one").sent > 5000; });
    around.files->write("/a", std::string(60'000, 'z'));
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(w.at("one").error.code == errc::file_changed);
    CHECK(w.at("one").error.item == 1);
    CHECK(around.objects.count("http://server.test/files/a") == 0);
    CHECK(w.at("two").status == status::completed);
}

TEST_CASE("files are looked at before the first byte of a form is sent") {
    surroundings around;
    around.files->write("/a", std::string(1000, 'x'));
    around.files->write("/b", "y");
    world w(around);
    w.add(form_job("one", {"/a", "/b"}));
    around.files->remove("/b");
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(w.at("one").error.code == errc::source_missing);
    CHECK(w.at("one").error.item == 1);
    CHECK(around.requests.empty());
}

TEST_CASE("a dead kept connection is no failure: the request is repeated at once and not counted") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    int calls = 0;
    std::vector<bool> fresh;
    // Reported by the transport when a reused connection turns out to be closed.
    struct stale : transport {
        stale(transport& t, int& c, std::vector<bool>& f) : inner(t), calls(c), fresh(f) {}
        asio::awaitable<response> perform(const request& what, transfer_progress& progress) override {
            fresh.push_back(what.fresh_connection);
            if (++calls == 1) {
                response r;
                r.failure = errc::stale_connection;
                co_return r;
            }
            co_return co_await inner.perform(what, progress);
        }
        transport& inner;
        int& calls;
        std::vector<bool>& fresh;
    };
    world second(around,
                 [&](options& o) { o.replace.transport = std::make_shared<stale>(w.transport(), calls, fresh); });
    // Two loops: the inner transport runs on the first one's executor.
    job j = put_job("one", {"/a"});
    second.add(std::move(j));
    second.start();
    second.until([&] {
        w.settle();
        return second.now()->idle();
    });
    CHECK(second.at("one").status == status::completed);
    CHECK(second.at("one").attempt == 1);
    CHECK(fresh == std::vector<bool>{false, true});
}

TEST_CASE("a job that is too old fails instead of being tried for ever") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around, [](options& o) { o.retry.attempts = 1'000'000; });
    w.transport().next_fault = [](const request&) { return fault{fault::kind::refused, 0}; };
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(w.at("one").error.code == errc::expired);
    CHECK(w.at("one").error.message().find("no connection") != std::string::npos);
}

TEST_CASE("a job whose protocol is not registered fails visibly and can be retried by a program that has it") {
    surroundings around;
    around.files->write("/a", "x");
    struct mine {
        [[nodiscard]] protocol_spec spec() const { return {"mine", {}}; }
    };
    const auto make = [](const protocol_spec&) -> std::unique_ptr<protocol> {
        return std::make_unique<detail::put_protocol>(protocol_spec{"put", {}});
    };
    {
        world w(around, [&](options& o) { o.protocols.add("mine", make); });
        job j = put_job("one", {"/a"});
        j.via(mine{});
        w.add(std::move(j));
    }
    {
        world w(around);
        w.start();
        w.until_idle();
        CHECK(w.at("one").status == status::failed);
        CHECK(w.at("one").error.code == errc::unknown_protocol);
    }
    world w(around, [&](options& o) { o.protocols.add("mine", make); });
    w.run(w.up().async_retry(job_id("one")));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a host that is down is found out by a few jobs, not by all of them, and all go on when it is back") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around, [](options& o) {
        o.max_concurrent_jobs = 100;
        o.retry.max_age = 24h * 365;
        o.retry.attempts = 1000;
    });
    bool down = true;
    int refused = 0;
    w.transport().next_fault = [&](const request& what) {
        const bool refuse = down && what.url.find("server.test") != std::string::npos;
        refused += refuse ? 1 : 0;
        return refuse ? fault{fault::kind::refused, 0} : fault();
    };
    for (int i = 0; i < 50; ++i) {
        job j("http://server.test/" + std::to_string(i));
        j.lane("lane" + std::to_string(i)).file("/a");
        w.add(std::move(j));
    }
    job elsewhere("http://other.test/x");
    elsewhere.id(job_id("elsewhere")).lane("elsewhere").file("/a");
    w.add(std::move(elsewhere));
    w.start();
    const auto begun = around.clock->steady_now();
    w.until([&] { return around.clock->steady_now() - begun > 1h; });
    // 50 jobs at once before anybody knows, then one probe for each pause of five minutes.
    CHECK(refused < 50 + 30);
    CHECK(refused > 55);
    CHECK(w.at("elsewhere").status == status::completed);
    down = false;
    w.until_idle();
    CHECK(w.now()->overall()[status::completed].jobs == 51);
    CHECK(around.clock->steady_now() - begun < 2h);
}

TEST_CASE("after three connections that broke early the server is asked before the body is sent") {
    surroundings around;
    around.files->write("/a", std::string(5000, 'x'));
    world w(around);
    std::vector<bool> asked;
    w.transport().next_fault = [&](const request& what) {
        asked.push_back(what.expect_continue);
        return asked.size() <= 3 ? fault{fault::kind::cut, 2000} : fault();
    };
    w.add(put_job("one", {"/a"}));
    w.add(put_job("two", {"/a"}));
    w.start();
    w.until_idle();
    CHECK(asked == std::vector<bool>{false, false, false, true, false});
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE(
    "a job is tried once more before it fails for its age: a clock that jumps ahead ends nothing that can arrive") {
    surroundings around;
    around.files->write("/a", "x");
    const bool offline_first = GENERATE(false, true);
    if (offline_first) {
        around.faults.push_back({fault::kind::unreachable, 0});
    }
    world w(around);
    w.add(put_job("one", {"/a"}));
    around.clock->jump(24h * 365 * 56);  // from 1970, where clocks without a battery begin
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a clock set back does not prolong a backoff beyond what the policy allows") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::refused, 0});
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.start();
        w.until([&] { return w.at("one").status == status::waiting; });
        w.run(w.up().async_stop());
    }
    around.clock->jump(-24h * 365);
    world w(around);
    w.start();
    const auto begun = around.clock->steady_now();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(around.clock->steady_now() - begun <= options().retry.cap + 1s);
}

TEST_CASE("what says nothing of a host does not close its circuit") {
    surroundings around;
    around.files->write("/a", "x");
    around.files->write("/b", "x");
    world w(around, [](options& o) {
        o.retry.attempts = 1000;
        o.max_concurrent_jobs = 10;
    });
    int refused = 0;
    w.transport().next_fault = [&](const request&) {
        ++refused;
        return fault{fault::kind::refused, 0};
    };
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until([&] { return refused >= 5; });
    const auto begun = around.clock->steady_now();
    around.files->write("/b", "changed");
    // Each of them fails before anything is sent.
    for (int i = 0; i < 10; ++i) {
        job j = put_job("changed" + std::to_string(i), {"/b"});
        j.lane("lane" + std::to_string(i));
        w.add(std::move(j));
        around.files->write("/b", "changed again " + std::to_string(i));
    }
    const int before = refused;
    w.until([&] { return around.clock->steady_now() - begun > 25s; });
    CHECK(refused <= before + 1);
}

TEST_CASE("finished jobs are forgotten while the uploader runs, however many there are") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around, [](options& o) { o.keep_finished = 48h; });
    std::vector<job> jobs;
    for (int i = 0; i < 1500; ++i) {
        jobs.push_back(put_job("job" + std::to_string(i), {"/a"}));
    }
    w.run(w.up().async_enqueue(std::move(jobs)));
    w.start();
    w.until_idle();
    CHECK(w.now()->overall().finished() == 1500);
    around.clock->advance(50h);
    w.add(put_job("another", {"/a"}));
    w.until_idle();
    CHECK(w.now()->overall().jobs() == 1);
}

namespace {

/// Its server loses what it has confirmed, each time.
class losing_protocol final : public protocol {
public:
    void check(const job& /*job*/) const override {}
    asio::awaitable<void> upload(session& job) override {
        job.confirm(0, 0);
        job.confirm(0, job.items()[0].spec.size);
        throw failure(disposition::retry, errc::connection_lost, diagnostics(), std::nullopt);
        co_return;
    }
};

struct losing {
    [[nodiscard]] protocol_spec spec() const { return {"losing", {}}; }
};

}  // namespace

TEST_CASE("bytes that a server loses and gets again are no progress: its job is given up in the end") {
    surroundings around;
    around.files->write("/a", "content");
    world w(around, [](options& o) {
        o.retry.attempts = 4;
        o.protocols.add("losing", [](const protocol_spec&) { return std::make_unique<losing_protocol>(); });
    });
    job j = put_job("one", {"/a"});
    j.via(losing{});
    w.add(std::move(j));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK_THAT(w.at("one").error.message(), Catch::Contains("no progress in 4 attempts"));
    CHECK(w.at("one").attempt <= 5);
}
