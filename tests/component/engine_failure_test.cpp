// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/detail/put_protocol.hpp>

#include "component/world.hpp"

using namespace waybill;
using namespace waybill::test;
using namespace std::chrono_literals;

TEST_CASE("a job that fails again and again is given up after its attempts, with the last cause") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around, [](options& o) { o.retry.attempts = 4; });
    for (int i = 0; i < 10; ++i) {
        around.faults.push_back({fault::kind::refused, 0});
    }
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until_idle();
    const job_snapshot& job = w.at("one");
    CHECK(job.now == status::failed);
    CHECK(job.attempt == 4);
    CHECK(job.error.code == errc::connect_failed);
    CHECK(job.error.message().find("gave up after 4 attempts") != std::string::npos);
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
    CHECK(w.at("one").now == status::completed);
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
    CHECK(w.at("one").now == status::waiting);
    CHECK(w.at("one").reason == wait_reason::network);
    w.until_idle();
    CHECK(w.at("one").now == status::completed);
}

TEST_CASE("Retry-After is obeyed and survives a restart") {
    surroundings around;
    around.files->write("/a", "x");
    response busy = fake_transport::answer(503);
    busy.headers.push_back({"Retry-After", "3600"});
    around.answers.push_back(busy);
    const auto begun = around.clock->system_now();
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.start();
        w.settle();
        CHECK(w.at("one").now == status::waiting);
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
        CHECK(w.at("one").now == status::waiting);
    }
    around.clock->jump(-std::chrono::hours(24 * 3650));
    world w(around);
    w.start();
    const auto begun = around.clock->steady_now();
    w.until_idle();
    CHECK(w.at("one").now == status::completed);
    CHECK(around.clock->steady_now() - begun <= 48h + 1h);
}

TEST_CASE("a refusal for its size that names a time is for now only") {
    surroundings around;
    around.files->write("/a", "x");
    response later = fake_transport::answer(413);
    later.headers.push_back({"Retry-After", "60"});
    around.answers = {later};
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").now == status::waiting; });
    CHECK(w.at("one").reason == wait_reason::server_busy);
    w.until_idle();
    CHECK(w.at("one").now == status::completed);
}

TEST_CASE("permanent answers fail the job at once and say what the server said") {
    surroundings around;
    around.files->write("/a", "x");
    around.files->write("/b", "x");
    response no = fake_transport::answer(413);
    no.body = "too\nlarge";
    around.answers.push_back(fake_transport::answer(200));
    around.answers.push_back(no);
    world w(around);
    w.add(put_job("one", {"/a", "/b"}));
    w.add(put_job("two", {"/a"}));
    w.start();
    w.until_idle();
    const job_snapshot& job = w.at("one");
    CHECK(job.now == status::failed);
    CHECK(job.attempt == 1);
    CHECK(job.error.code == make_http_error(413));
    CHECK(job.error.code == cause::permanent);
    CHECK(job.error.details.excerpt == "too large");
    CHECK(job.error.item == 1);
    CHECK(job.item(0).now == item_status::completed);
    CHECK(job.item(1).now == item_status::failed);
    CHECK(job.item(1).error.code == make_http_error(413));
    CHECK(w.at("two").now == status::completed);  // one bad job holds up nobody
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
    CHECK(w.at("one").now == status::completed);
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
    CHECK(w.at("one").now == status::failed);
    CHECK(w.at("one").error.code == errc::file_changed);
    CHECK(w.at("one").error.item == 1);
    CHECK(around.objects.count("http://server.test/files/a") == 0);
    CHECK(w.at("two").now == status::completed);
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
    CHECK(w.at("one").now == status::failed);
    CHECK(w.at("one").error.code == errc::source_missing);
    CHECK(w.at("one").error.item == 1);
    CHECK(around.requests.empty());
}

TEST_CASE("the answer of a form post is lost: by default the job is parked, not repeated, and does not hold its lane") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::answer_lost, 0});
    world w(around);
    w.add(form_job("one", {"/a"}));
    w.add(form_job("two", {"/a"}));
    w.start();
    w.until_idle();
    CHECK(w.at("one").now == status::unknown_outcome);
    CHECK(w.at("one").error.code == errc::connection_lost);
    CHECK(w.at("two").now == status::completed);
    CHECK(around.requests.size() == 2);

    SECTION("the app decides to send it again, under the same key") {
        w.run(w.up().async_retry(job_id("one")));
        w.until_idle();
        CHECK(w.at("one").now == status::completed);
        REQUIRE(around.requests.size() == 3);
        CHECK(around.requests[2].header("Idempotency-Key") == around.requests[0].header("Idempotency-Key"));
    }
    SECTION("the app gives it up") {
        w.run(w.up().async_cancel(job_id("one")));
        w.settle();
        CHECK(w.at("one").now == status::canceled);
        CHECK(around.requests.size() == 2);
    }
}

TEST_CASE("a form post whose endpoint honours its key is repeated by itself") {
    const on_unknown policy = GENERATE(on_unknown::retry_same_key, on_unknown::retry);
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::answer_lost, 0});
    world w(around);
    job j = form_job("one", {"/a"});
    j.if_unknown(policy);
    w.add(std::move(j));
    w.start();
    w.until_idle();
    CHECK(w.at("one").now == status::completed);
    REQUIRE(around.requests.size() == 2);
    CHECK(around.requests[0].header("Idempotency-Key") == around.requests[1].header("Idempotency-Key"));
}

TEST_CASE("to an endpoint that honours the key, 409 means that the first request is still being worked on") {
    const on_unknown policy = GENERATE(on_unknown::retry_same_key, on_unknown::retry);
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::answer_lost, 0});
    world w(around);
    job j = form_job("one", {"/a"});
    j.if_unknown(policy);
    w.add(std::move(j));
    w.start();
    w.until([&] { return w.at("one").now == status::waiting; });
    around.answers = {fake_transport::answer(409), fake_transport::answer(409), fake_transport::answer(200)};
    w.until_idle();
    if (policy == on_unknown::retry_same_key) {
        CHECK(w.at("one").now == status::completed);
        CHECK(around.requests.size() == 4);
    } else {
        CHECK(w.at("one").now == status::failed);
        CHECK(w.at("one").error.code == make_http_error(409));
    }
}

TEST_CASE("409 to the first request with a key is a refusal") {
    surroundings around;
    around.files->write("/a", "x");
    around.answers = {fake_transport::answer(409)};
    world w(around);
    job j = form_job("one", {"/a"});
    j.if_unknown(on_unknown::retry_same_key);
    w.add(std::move(j));
    w.start();
    w.until_idle();
    CHECK(w.at("one").now == status::failed);
    CHECK(around.requests.size() == 1);
}

TEST_CASE("an endpoint that never answers for the key leaves the job undecided, not failed") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::answer_lost, 0});
    for (int i = 0; i < 20; ++i) {
        around.faults.push_back({fault::kind::refused, 0});
    }
    world w(around);
    job j = form_job("one", {"/a"});
    j.if_unknown(on_unknown::retry_same_key);
    w.add(std::move(j));
    w.start();
    w.until_idle();
    CHECK(w.at("one").now == status::unknown_outcome);
    CHECK(w.at("one").error.code == errc::connect_failed);
}

TEST_CASE("a job that may have arrived does not fail for its age") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::answer_lost, 0});
    const on_unknown policy = GENERATE(on_unknown::retry_same_key, on_unknown::retry);
    world w(around);
    job j = form_job("one", {"/a"});
    j.if_unknown(policy);
    w.add(std::move(j));
    w.start();
    w.until([&] { return w.at("one").now == status::waiting; });
    around.clock->advance(std::chrono::hours(24 * 30));
    w.until_idle();
    // Who accepts a duplicate has no doubt that matters.
    CHECK(w.at("one").now == (policy == on_unknown::retry ? status::failed : status::unknown_outcome));
    CHECK(around.requests.size() == 1);
}

TEST_CASE("the key's header is the endpoint's own, or none") {
    surroundings around;
    around.files->write("/a", "x");
    const auto send_with = [&](const std::string& header, bool quoted) {
        world w(around, [&](options& o) {
            o.key_header = header;
            o.key_quoted = quoted;
        });
        w.add(form_job("job" + std::to_string(around.requests.size()), {"/a"}));
        w.start();
        w.until_idle();
        return around.requests.back();
    };
    CHECK_THAT(send_with("Idempotency-Key", true).header("Idempotency-Key"),
               Catch::StartsWith("\"") && Catch::EndsWith("\""));
    const received_request bare = send_with("X-Request-Id", false);
    CHECK(bare.header("X-Request-Id").size() == 32);
    CHECK(bare.header("X-Request-Id").find('"') == std::string::npos);
    CHECK(bare.header("Idempotency-Key").empty());
    const received_request none = send_with("", true);
    CHECK(none.header("Idempotency-Key").empty());
}

TEST_CASE("a form post that breaks before its last byte is repeated: the server cannot have it") {
    surroundings around;
    around.files->write("/a", std::string(2000, 'x'));
    around.faults.push_back({fault::kind::cut, 1500});
    world w(around);
    w.add(form_job("one", {"/a"}));
    w.start();
    w.until_idle();
    CHECK(w.at("one").now == status::completed);
    CHECK(around.urls().size() == 1);
}

TEST_CASE("HTTP 502 to a form post is ambiguous, to a PUT it is not") {
    surroundings around;
    around.files->write("/a", "x");
    around.answers.push_back(fake_transport::answer(502));
    world w(around);
    SECTION("POST") {
        w.add(form_job("one", {"/a"}));
        w.start();
        w.until_idle();
        CHECK(w.at("one").now == status::unknown_outcome);
        CHECK(w.at("one").error.code == cause::ambiguous);
    }
    SECTION("PUT") {
        w.add(put_job("one", {"/a"}));
        w.start();
        w.until_idle();
        CHECK(w.at("one").now == status::completed);
    }
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
    CHECK(second.at("one").now == status::completed);
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
    CHECK(w.at("one").now == status::failed);
    CHECK(w.at("one").error.code == errc::expired);
    CHECK(w.at("one").error.message().find("no connection") != std::string::npos);
}

TEST_CASE("while the disk is full nothing is lost, and everything goes on when there is space again") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    w.add(put_job("one", {"/a"}));
    bool full = false;
    w.store().before_write = [&] {
        if (full) {
            throw error(errc::store_full, "memory");
        }
    };
    w.start();
    w.until([&] { return w.at("one").now == status::uploading; });
    full = true;
    for (int i = 0; i < 20; ++i) {
        w.settle();
        around.clock->advance(1s);
    }
    w.settle();
    CHECK(around.objects.size() == 1);
    CHECK(w.at("one").now == status::uploading);  // delivered, and not yet committed
    CHECK(error_of([&] { w.add(put_job("two", {"/a"})); }) == errc::store_full);
    full = false;
    w.until_idle();
    CHECK(w.at("one").now == status::completed);
    CHECK(around.requests.size() == 1);
    CHECK_FALSE(w.ended());
}

TEST_CASE("a disk that fails once is opened anew, and everything arrives without a restart") {
    for (int nth = 1;; ++nth) {
        surroundings around;
        around.files->write("/a", "x");
        around.files->write("/b", "y");
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.add(form_job("two", {"/b"}));
        int left = nth;
        w.store().before_write = [&left] {
            if (--left == 0) {
                throw error(errc::store_failed, "memory");
            }
        };
        w.start();
        w.until_idle();
        CAPTURE(nth);
        REQUIRE_FALSE(w.ended());
        REQUIRE(w.at("one").now == status::completed);
        // The form's answer may be what could not be kept: then it must not be sent again unasked.
        REQUIRE((w.at("two").now == status::completed || w.at("two").now == status::unknown_outcome));
        const auto posts = std::count_if(around.requests.begin(), around.requests.end(), [](const received_request& r) {
            return r.whole && r.url.ends_with("/posts");
        });
        REQUIRE(posts == 1);
        if (left > 0) {
            REQUIRE(nth > 5);
            break;
        }
    }
}

TEST_CASE("an operation that meets the failing disk is refused, and the next one finds it opened anew") {
    const bool delivers = GENERATE(false, true);
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    if (delivers) {
        w.start();
        w.settle();
    }
    bool fails = true;
    w.store().before_write = [&fails] {
        if (fails) {
            throw error(errc::store_failed, "memory");
        }
    };
    CHECK(error_of([&] { w.add(put_job("one", {"/a"})); }) == errc::store_failed);
    fails = false;
    w.add(put_job("two", {"/a"}));
    CHECK_FALSE(w.now()->find(job_id("one")));
    CHECK(w.at("two").now == status::pending);
    if (!delivers) {
        w.start();
    }
    w.until_idle();
    CHECK(w.at("two").now == status::completed);
    CHECK_FALSE(w.ended());
}

TEST_CASE("a disk that goes on failing ends the run with its error and leaves the job as it was committed") {
    surroundings around;
    around.files->write("/a", "x");
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.start();
        w.until([&] { return w.at("one").now == status::uploading; });
        w.store().before_write = [] { throw error(errc::store_failed, "memory"); };
        w.until([&] { return w.ended().has_value(); });
        CHECK(*w.ended() == errc::store_failed);
        CHECK(*w.ended() == cause::storage);
    }
    world w(around);
    w.start();
    w.until_idle();
    CHECK(w.at("one").now == status::completed);
}

TEST_CASE("a damaged record fails its own job only") {
    surroundings around;
    around.files->write("/a", "x");
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.add(put_job("two", {"/a"}));
    }
    around.disk->jobs.begin()->second.damaged = true;
    world w(around);
    w.start();
    w.until_idle();
    CHECK(w.at("one").now == status::failed);
    CHECK(w.at("one").error.code == errc::record_damaged);
    CHECK(w.at("two").now == status::completed);
    CHECK(around.requests.size() == 1);
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
        world w(around, [&](options& o) { o.protocols["mine"] = make; });
        job j = put_job("one", {"/a"});
        j.via(mine{});
        w.add(std::move(j));
    }
    {
        world w(around);
        w.start();
        w.until_idle();
        CHECK(w.at("one").now == status::failed);
        CHECK(w.at("one").error.code == errc::unknown_protocol);
    }
    world w(around, [&](options& o) { o.protocols["mine"] = make; });
    w.run(w.up().async_retry(job_id("one")));
    w.start();
    w.until_idle();
    CHECK(w.at("one").now == status::completed);
}

TEST_CASE("the app's backend is asked what became of a form post whose answer was lost") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::answer_lost, 0});
    std::deque<verification> says;
    std::vector<std::string> asked;
    const auto with = [&](options& o) {
        o.verifiers["backend"] = [&](const job_snapshot& about) -> asio::awaitable<verification> {
            asked.push_back(about.id().str());
            if (says.empty()) {
                throw std::runtime_error("the backend is down");
            }
            const verification next = says.front();
            says.pop_front();
            co_return next;
        };
    };
    world w(around, with);
    job j = form_job("one", {"/a"});
    j.verify_with("backend");

    SECTION("it has it: the job is completed, nothing is sent again") {
        says = {verification::delivered};
        w.add(j);
        w.start();
        w.until_idle();
        CHECK(w.at("one").now == status::completed);
        CHECK(w.at("one").item(0).now == item_status::completed);
        CHECK(around.requests.size() == 1);
        CHECK(asked.size() == 1);
    }
    SECTION("it does not have it: the job is sent again") {
        says = {verification::not_delivered};
        w.add(j);
        w.start();
        w.until_idle();
        CHECK(w.at("one").now == status::completed);
        CHECK(around.requests.size() == 2);
    }
    SECTION("it cannot say yet: it is asked again, after a while, also by the next process") {
        says = {verification::unknown};
        w.add(j);
        w.start();
        w.until([&] { return asked.size() == 1 && w.at("one").now == status::waiting; });
        CHECK(around.requests.size() == 1);
        w.run(w.up().async_stop());
        says = {verification::unknown, verification::delivered};
        world next(around, with);
        next.start();
        next.until_idle();
        CHECK(next.at("one").now == status::completed);
        CHECK(asked.size() == 3);
        CHECK(around.requests.size() == 1);
    }
    SECTION("it never answers: the job is parked, not failed and not repeated") {
        w.add(j);
        w.start();
        w.until_idle();
        CHECK(w.at("one").now == status::unknown_outcome);
        CHECK(asked.size() > 5);
        CHECK(around.requests.size() == 1);
    }
    SECTION("a program that does not know the hook parks the job") {
        w.add(j);
        w.run(w.up().async_stop());
        world other(around);
        other.start();
        other.until_idle();
        CHECK(other.at("one").now == status::unknown_outcome);
    }
}

TEST_CASE("an unknown outcome is resolved by the app, and by nobody else") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::answer_lost, 0});
    world w(around);
    w.add(form_job("one", {"/a"}));
    w.add(put_job("two", {"/a"}));
    w.start();
    w.until_idle();
    REQUIRE(w.at("one").now == status::unknown_outcome);
    CHECK(error_of([&] { w.run(w.up().async_resolve(job_id("two"), resolution::retry)); }) == errc::not_allowed);
    SECTION("completed") {
        w.run(w.up().async_resolve(job_id("one"), resolution::completed));
        CHECK(w.at("one").now == status::completed);
        CHECK(w.at("one").progress() == 1.0);
        CHECK(w.now()->sent() == w.now()->size());
    }
    SECTION("retry") {
        w.run(w.up().async_resolve(job_id("one"), resolution::retry));
        w.until_idle();
        CHECK(w.at("one").now == status::completed);
        CHECK(around.requests.size() == 3);
    }
    SECTION("canceled") {
        w.run(w.up().async_resolve(job_id("one"), resolution::canceled));
        CHECK(w.at("one").now == status::canceled);
    }
    CHECK(error_of([&] { w.run(w.up().async_resolve(job_id("one"), resolution::retry)); }) == errc::not_allowed);
}

TEST_CASE("a host that is down is found out by a few jobs, not by all of them, and all go on when it is back") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around, [](options& o) {
        o.jobs_at_once = 100;
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
    CHECK(w.at("elsewhere").now == status::completed);
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
    CHECK(w.at("one").now == status::completed);
}
