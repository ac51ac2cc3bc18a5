// SPDX-License-Identifier: BSL-1.0
#include "component/world.hpp"

#include <asio/bind_cancellation_slot.hpp>

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

TEST_CASE("the same id twice is accepted once, also when its file is gone by then; other content is refused") {
    surroundings around;
    around.files->write("/a", "x");
    around.files->write("/b", "y");
    world w(around);
    w.add(put_job("one", {"/a"}));
    around.files->remove("/a");
    CHECK(w.add(put_job("one", {"/a"})) == "one");
    CHECK(around.disk->jobs.size() == 1);
    CHECK(error_of([&] { w.add(put_job("one", {"/b"})); }) == errc::duplicate_id);
    CHECK(around.disk->jobs.size() == 1);
}

TEST_CASE("several jobs are accepted together or not at all") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    std::vector<job> jobs;
    jobs.push_back(put_job("one", {"/a"}));
    jobs.push_back(put_job("two", {"/missing"}));
    try {
        w.run(w.up().async_enqueue(jobs));
        FAIL("a job without its file was accepted");
    } catch (const error& e) {
        CHECK(e.code() == errc::source_missing);
        CHECK(std::string(e.what()).find("/missing") != std::string::npos);
        CHECK(std::string(e.what()).find("correct the path") != std::string::npos);
    }
    CHECK(around.disk->jobs.empty());
    jobs[1] = put_job("two", {"/a"});
    CHECK(w.run(w.up().async_enqueue(jobs)).size() == 2);
}

TEST_CASE("a pending job that is canceled never sends a byte, also after a restart") {
    surroundings around;
    around.files->write("/a", "x");
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.run(w.up().async_cancel(job_id("one")));
        w.run(w.up().async_cancel(job_id("one")));  // twice is once
    }
    world w(around);
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::canceled);
    CHECK(w.at("one").error.code == cause::canceled);
    CHECK(around.requests.empty());
}

TEST_CASE("a running job that is canceled is cut off, and its lane goes on") {
    surroundings around;
    around.files->write("/a", std::string(500'000, 'x'));
    around.files->write("/b", "y");
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.add(put_job("two", {"/b"}));
    w.start();
    w.until([&] { return w.at("one").status == status::uploading && w.at("one").doing == activity::sending; });
    w.run(w.up().async_cancel(job_id("one")));
    CHECK(around.disk->jobs.begin()->second.job.state.status == status::canceled);
    w.until_idle();
    CHECK(around.objects.count("http://server.test/files/a") == 0);
    CHECK(w.at("two").status == status::completed);
}

TEST_CASE("a waiting job can be canceled, and retried at once") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::refused, 0});
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.start();
    w.settle();
    REQUIRE(w.at("one").status == status::waiting);
    SECTION("canceled") {
        w.run(w.up().async_cancel(job_id("one")));
        w.settle();
        CHECK(w.at("one").status == status::canceled);
        CHECK(w.now()->idle());
    }
    SECTION("retried: time need not pass") {
        w.run(w.up().async_retry(job_id("one")));
        w.settle();
        CHECK(w.at("one").status == status::completed);
        CHECK(w.at("one").epoch == 1);
    }
}

TEST_CASE("what cannot be done is refused by name") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until_idle();
    CHECK(error_of([&] { w.run(w.up().async_cancel(job_id("none"))); }) == errc::unknown_job);
    CHECK(error_of([&] { w.run(w.up().async_retry(job_id("none"))); }) == errc::unknown_job);
    CHECK(error_of([&] { w.run(w.up().async_wait(job_id("none"))); }) == errc::unknown_job);
    CHECK(error_of([&] { w.run(w.up().async_cancel(job_id("one"))); }) == errc::not_allowed);
    CHECK(error_of([&] { w.run(w.up().async_retry(job_id("one"))); }) == errc::not_allowed);
    CHECK(error_of([&] { w.run(w.up().async_run()); }) == errc::not_allowed);
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a failed job that is retried begins a new epoch with its files as they are now") {
    surroundings around;
    around.files->write("/a", "done");
    around.files->write("/b", "old");
    around.answers.push_back(fake_transport::respond(200));
    around.answers.push_back(fake_transport::respond(403));
    world w(around);
    w.add(put_job("one", {"/a", "/b"}));
    w.start();
    w.until_idle();
    REQUIRE(w.at("one").status == status::failed);
    around.files->write("/b", "new and longer");
    w.run(w.up().async_retry(job_id("one")));
    w.until_idle();
    const job_snapshot& job = w.at("one");
    CHECK(job.status == status::completed);
    CHECK(job.epoch == 2);
    CHECK(job.attempt == 1);
    CHECK(job.size() == 4 + 14);
    CHECK(around.objects.at("http://server.test/files/b") == "new and longer");
    // What the server had confirmed of a file that did not change is not sent again.
    CHECK(around.urls() == std::vector<std::string>{"http://server.test/files/a", "http://server.test/files/b",
                                                    "http://server.test/files/b"});
}

TEST_CASE("a new epoch has a new key") {
    surroundings around;
    around.files->write("/a", "x");
    around.answers.push_back(fake_transport::respond(400));
    world w(around);
    w.add(form_job("one", {"/a"}));
    w.start();
    w.until_idle();
    w.run(w.up().async_retry(job_id("one")));
    w.until_idle();
    REQUIRE(around.requests.size() == 2);
    CHECK(around.requests[0].header("Idempotency-Key") != around.requests[1].header("Idempotency-Key"));
}

TEST_CASE("a finished job can be removed, others cannot; old ones are forgotten by themselves") {
    surroundings around;
    around.files->write("/a", "x");
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.add(put_job("two", {"/a"}));
        CHECK(error_of([&] { w.run(w.up().async_remove(job_id("one"))); }) == errc::not_allowed);
        w.start();
        w.until_idle();
        w.run(w.up().async_remove(job_id("one")));
        w.settle();
        CHECK(w.now()->find(job_id("one")) == nullptr);
        CHECK(w.now()->overall().jobs() == 1);
        CHECK(w.now()->sent() == 1);
    }
    // Closed in between it gets older by a day at most: a clock that was put right makes nothing old.
    for (int day = 1; day <= 30; ++day) {
        around.clock->advance(24h * 2);
        world w(around);
        w.start();
        w.settle();
        REQUIRE(w.now()->overall().jobs() == (day < 30 ? 1 : 0));
        w.run(w.up().async_stop());
    }
    CHECK(around.disk->jobs.empty());
}

namespace {

// Awaits something else while files are looked at.
class interrupted_sources final : public source_opener {
public:
    explicit interrupted_sources(std::shared_ptr<source_opener> real) : real_(std::move(real)) {}
    asio::awaitable<std::vector<pinned_file>> pin(std::vector<wanted_file> files) override {
        if (const auto first = std::exchange(meanwhile, {})) {
            co_await first();
        }
        co_return co_await real_->pin(std::move(files));
    }
    std::unique_ptr<body_source> open(const item_spec& item) override { return real_->open(item); }

    std::function<asio::awaitable<void>()> meanwhile;

private:
    std::shared_ptr<source_opener> real_;
};

}  // namespace

TEST_CASE("a job that is forgotten while it is accepted again is accepted anew") {
    surroundings around;
    around.files->write("/a", "x");
    std::shared_ptr<interrupted_sources> sources;
    world w(around, [&sources](options& how) {
        sources = std::make_shared<interrupted_sources>(how.replace.sources);
        how.replace.sources = sources;
    });
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until_idle();
    sources->meanwhile = [&w]() -> asio::awaitable<void> { co_await w.up().async_remove(job_id("one")); };
    std::vector<job> jobs;
    jobs.push_back(put_job("one", {"/a"}));
    jobs.push_back(put_job("two", {"/a"}));
    w.run(w.up().async_enqueue(std::move(jobs)));
    w.until_idle();
    CHECK(w.now()->overall().jobs() == 2);
    CHECK(around.urls().size() == 3);
    for (const auto& [seq, whole] : around.disk->jobs) {
        CHECK(whole.items.size() == 1);
        CHECK(whole.job.state.status == status::completed);
    }
}

TEST_CASE("async_wait completes when the job ends, and at once when it has ended") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    w.add(put_job("one", {"/a"}));
    std::vector<status> seen;
    const auto note = [&](std::error_code ec, const job_snapshot& end) {
        CHECK_FALSE(ec);
        seen.push_back(end.status);
    };
    w.up().async_wait(job_id("one"), note);
    w.up().async_wait(job_id("one"), note);
    w.settle();
    CHECK(seen.empty());
    w.start();
    w.until_idle();
    CHECK(seen == std::vector<status>{status::completed, status::completed});
    CHECK(w.run(w.up().async_wait(job_id("one"))).status == status::completed);
}

TEST_CASE("async_wait completes when a job is parked, and async_wait_final when it is decided about") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost});
    world w(around);
    w.add(form_job("one", {"/a"}));
    std::vector<status> seen;
    const auto note = [&](std::error_code ec, const job_snapshot& end) {
        CHECK_FALSE(ec);
        seen.push_back(end.status);
    };
    w.up().async_wait(job_id("one"), note);
    w.up().async_wait_final(job_id("one"), note);
    w.start();
    w.until([&] { return w.at("one").status == status::unknown_outcome; });
    w.settle();
    CHECK(seen == std::vector<status>{status::unknown_outcome});
    CHECK(w.run(w.up().async_wait(job_id("one"))).status == status::unknown_outcome);
    const bool by_retry = GENERATE(true, false);
    if (by_retry) {
        w.run(w.up().async_retry(job_id("one")));
    } else {
        w.run(w.up().async_resolve(job_id("one"), resolution::retry));
    }
    w.until_idle();
    CHECK(seen == std::vector<status>{status::unknown_outcome, status::completed});
    CHECK(w.at("one").attempt == 2);
}

TEST_CASE("an uploader that is assigned to stops what it was, and one that was moved from says so") {
    surroundings of_other;
    surroundings of_one;
    world other(of_other);
    world one(of_one);
    one.start();
    one.settle();
    CHECK_FALSE(one.ended());
    one.up() = std::move(other.up());
    one.settle();
    CHECK(one.ended());
    CHECK(one.up().valid());
    CHECK_FALSE(other.up().valid());
    CHECK(other.up().latest() == nullptr);
    CHECK(error_of([&] { static_cast<void>(other.up().snapshots()); }) == errc::stopped);
    CHECK(error_of([&] { other.up().async_stop([](std::error_code) {}); }) == errc::stopped);
}

TEST_CASE("async_stop interrupts, keeps everything, ends feeds and waits, and is final") {
    surroundings around;
    around.files->write("/a", std::string(500'000, 'x'));
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        std::error_code waited;
        w.up().async_wait(job_id("one"), [&](std::error_code ec, const job_snapshot&) { waited = ec; });
        w.start();
        w.until([&] { return w.at("one").sent > 1000; });
        feed watching = w.up().snapshots();
        w.run(w.up().async_stop());
        w.settle();
        CHECK(w.ended().has_value());
        CHECK_FALSE(*w.ended());
        CHECK(waited == errc::stopped);
        while (w.run(watching.async_next())) {
        }
        CHECK(w.run(watching.async_next()) == nullptr);
        CHECK(around.disk->owner == nullptr);
        CHECK(around.disk->jobs.begin()->second.job.state.status == status::pending);
        CHECK(around.disk->jobs.begin()->second.job.state.failures == 0);
        CHECK(error_of([&] { w.add(put_job("two", {"/a"})); }) == errc::stopped);
        w.run(w.up().async_stop());
    }
    world w(around);
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("stopping works before anything was opened, and while it is being opened") {
    surroundings around;
    {
        world w(around);
        w.run(w.up().async_stop());
        CHECK(error_of([&] { w.run(w.up().async_run()); }) == errc::stopped);
    }
    world w(around);
    w.start();
    CHECK(w.turn());
    w.run(w.up().async_stop());
    w.settle();
    CHECK(w.ended().has_value());
    CHECK(around.disk->owner == nullptr);
}

TEST_CASE("async_run that is canceled puts its jobs back and can be run again") {
    surroundings around;
    around.files->write("/a", std::string(500'000, 'x'));
    world w(around);
    w.add(put_job("one", {"/a"}));
    asio::cancellation_signal signal;
    std::error_code ended;
    w.up().async_run(asio::bind_cancellation_slot(signal.slot(), [&](std::error_code ec) { ended = ec; }));
    w.until([&] { return w.at("one").sent > 1000; });
    signal.emit(asio::cancellation_type::terminal);
    w.settle();
    CHECK(ended == asio::error::operation_aborted);
    CHECK(w.at("one").status == status::pending);
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("two uploaders cannot have one store") {
    surroundings around;
    world first(around);
    first.start();
    first.settle();
    world second(around);
    second.start();
    second.settle();
    REQUIRE(second.ended().has_value());
    CHECK(*second.ended() == errc::store_locked);
    // It is no final word: when the first has gone, the second can begin.
    first.run(first.up().async_stop());
    second.start();
    second.settle();
    CHECK(second.now()->version() > 0);
}

TEST_CASE("a feed yields the newest snapshot, skips what it missed, and costs its neighbours nothing") {
    surroundings around;
    around.files->write("/a", std::string(20'000, 'x'));
    world w(around, [](options& o) { o.progress_interval = 1ms; });
    std::optional<feed> slow = w.up().snapshots();
    std::vector<feed> unread;
    for (int i = 0; i < 100; ++i) {
        unread.push_back(w.up().snapshots());
    }
    w.add(put_job("one", {"/a"}));
    const auto first = w.run(slow->async_next());
    CHECK(first->version() == w.now()->version());
    w.start();
    w.until_idle();
    const auto second = w.run(slow->async_next());
    CHECK(second->version() == w.now()->version());
    CHECK(second->version() > first->version() + 2);
    CHECK(second->at(job_id("one")).terminal());
    CHECK(first->at(job_id("one")).status == status::pending);  // a snapshot never changes
    int woken = 0;
    slow->async_next([&](std::error_code, const std::shared_ptr<const snapshot>&) { ++woken; });
    slow.reset();  // unsubscribes; the call that waits goes on until it is answered
    w.settle();
    CHECK(woken == 0);
    w.add(put_job("two", {"/a"}));
    w.settle();
    CHECK(woken == 1);
}

TEST_CASE("a feed's async_next can be canceled and asked again") {
    surroundings around;
    world w(around);
    w.start();
    w.settle();
    feed f = w.up().snapshots();
    w.run(f.async_next());
    asio::cancellation_signal signal;
    std::error_code result;
    f.async_next(asio::bind_cancellation_slot(
        signal.slot(), [&](std::error_code ec, const std::shared_ptr<const snapshot>&) { result = ec; }));
    w.settle();
    signal.emit(asio::cancellation_type::total);
    w.settle();
    CHECK(result == asio::error::operation_aborted);
    around.files->write("/a", "x");
    w.add(put_job("one", {"/a"}));
    CHECK(w.run(f.async_next()) != nullptr);
}

TEST_CASE("a protocol that finalizes continues in its last stage after a crash") {
    struct counted : protocol {
        explicit counted(std::vector<std::string>& l, bool& h) : log(l), hang(h) {}
        void check(const job&) const override {}
        asio::awaitable<void> restore(session&) override {
            log.push_back("restore");
            co_return;
        }
        asio::awaitable<void> upload(session& job) override {
            log.push_back("upload");
            job.complete_all_soon("");
            co_return;
        }
        [[nodiscard]] bool finalizes() const noexcept override { return true; }
        asio::awaitable<void> finalize(session&) override {
            log.push_back("finalize");
            if (hang) {
                throw failure(disposition::retry, make_http_error(503), {});
            }
            co_return;
        }
        std::vector<std::string>& log;
        bool& hang;
    };
    struct choice {
        [[nodiscard]] protocol_spec spec() const { return {"counted", {}}; }
    };
    surroundings around;
    around.files->write("/a", "x");
    std::vector<std::string> log;
    bool hang = true;
    const auto with = [&](options& o) {
        o.protocols.add("counted", [&](const protocol_spec&) { return std::make_unique<counted>(log, hang); });
    };
    {
        world w(around, with);
        job j = put_job("one", {"/a"});
        j.via(choice{});
        w.add(std::move(j));
        w.start();
        w.settle();
        CHECK(w.at("one").status == status::waiting);
        CHECK(w.at("one").item(0).status == item_status::completed);
    }
    hang = false;
    world w(around, with);
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(log == std::vector<std::string>{"restore", "upload", "finalize", "restore", "finalize"});
    CHECK(w.now()->overall()[status::completed].jobs == 1);
    CHECK(w.now()->overall().jobs() == 1);
}
