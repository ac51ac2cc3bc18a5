// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/protocol.hpp>

#include "component/world.hpp"

#include <algorithm>

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

namespace {

/// The answer to a form is lost whose endpoint honours its key; it is about to be sent again.
void lose_an_answer(surroundings& around, world& w) {
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost, 0});
    job j = form_job("one", {"/a"});
    j.if_unknown(on_unknown::retry_same_key);
    w.add(std::move(j));
    w.start();
    w.until([&] { return w.at("one").status == status::waiting; });
}

}  // namespace

TEST_CASE("the answer of a form post is lost: by default the job is parked, not repeated, and does not hold its lane") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost, 0});
    world w(around);
    w.add(form_job("one", {"/a"}));
    w.add(form_job("two", {"/a"}));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::unknown_outcome);
    CHECK(w.at("one").error.code == errc::outcome_unknown);
    CHECK_THAT(w.at("one").error.message(), Catch::Contains("the connection was lost"));
    CHECK(w.at("two").status == status::completed);
    CHECK(around.requests.size() == 2);

    SECTION("the app decides to send it again, under the same key") {
        w.run(w.up().async_retry(job_id("one")));
        w.until_idle();
        CHECK(w.at("one").status == status::completed);
        REQUIRE(around.requests.size() == 3);
        CHECK(around.requests[2].header("Idempotency-Key") == around.requests[0].header("Idempotency-Key"));
    }
    SECTION("the app gives it up") {
        w.run(w.up().async_cancel(job_id("one")));
        w.settle();
        CHECK(w.at("one").status == status::canceled);
        CHECK(around.requests.size() == 2);
    }
}

TEST_CASE("a form post whose endpoint honours its key is repeated by itself") {
    const on_unknown policy = GENERATE(on_unknown::retry_same_key, on_unknown::retry);
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost, 0});
    world w(around);
    job j = form_job("one", {"/a"});
    j.if_unknown(policy);
    w.add(std::move(j));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    REQUIRE(around.requests.size() == 2);
    CHECK(around.requests[0].header("Idempotency-Key") == around.requests[1].header("Idempotency-Key"));
}

TEST_CASE("to an endpoint that honours the key, 409 means that the first request is still being worked on") {
    const on_unknown policy = GENERATE(on_unknown::retry_same_key, on_unknown::retry);
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost, 0});
    world w(around);
    job j = form_job("one", {"/a"});
    j.if_unknown(policy);
    w.add(std::move(j));
    w.start();
    w.until([&] { return w.at("one").status == status::waiting; });
    around.answers = {fake_transport::respond(409), fake_transport::respond(409), fake_transport::respond(200)};
    w.until_idle();
    if (policy == on_unknown::retry_same_key) {
        CHECK(w.at("one").status == status::completed);
        CHECK(around.requests.size() == 4);
    } else {
        CHECK(w.at("one").status == status::failed);
        CHECK(w.at("one").error.code == make_http_error(409));
    }
}

TEST_CASE("409 to the first request with a key is a refusal") {
    surroundings around;
    around.files->write("/a", "x");
    around.answers = {fake_transport::respond(409)};
    world w(around);
    job j = form_job("one", {"/a"});
    j.if_unknown(on_unknown::retry_same_key);
    w.add(std::move(j));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(around.requests.size() == 1);
}

TEST_CASE("a refusal of a form that is repeated under its key says nothing of the first") {
    const int number = GENERATE(400, 403, 404, 413, 422);
    CAPTURE(number);
    surroundings around;
    world w(around);
    lose_an_answer(around, w);
    around.answers = {fake_transport::respond(number)};
    w.until_idle();
    // But for the one that says: this key is known, and came with another form.
    CHECK(w.at("one").status == (number == 422 ? status::failed : status::unknown_outcome));
    CHECK(around.requests.size() == 2);
}

TEST_CASE("a refusal of the third request says nothing of the first, though the second was of the same attempt") {
    // The second breaks after its intent was committed and before its last byte was sent: the kept connection was dead.
    struct breaks_second final : transport {
        breaks_second(transport& t, int& c) : inner(t), calls(c) {}
        asio::awaitable<response> perform(const request& what, transfer_progress& progress) override {
            if (++calls == 2) {
                co_await what.before_last_byte();
                response r;
                r.failure = errc::stale_connection;
                co_return r;
            }
            co_return co_await inner.perform(what, progress);
        }
        transport& inner;
        int& calls;
    };
    surroundings around;
    world w(around);
    int calls = 0;
    world second(around,
                 [&](options& o) { o.replace.transport = std::make_shared<breaks_second>(w.transport(), calls); });
    // Two loops: the inner transport runs on the first one's executor.
    const auto until = [&](status reached) {
        second.until([&] {
            w.settle();
            return second.at("one").status == reached;
        });
    };
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost, 0});
    job j = form_job("one", {"/a"});
    j.if_unknown(on_unknown::retry_same_key);
    second.add(std::move(j));
    second.start();
    until(status::waiting);
    around.answers = {fake_transport::respond(400)};
    until(status::unknown_outcome);
    CHECK(calls == 3);
    CHECK(second.at("one").attempt == 2);
}

TEST_CASE("an endpoint that never answers for the key leaves the job undecided, not failed") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost, 0});
    around.faults.resize(10'000, {fault::kind::refused, 0});  // for longer than a job may be old
    world w(around);
    job j = form_job("one", {"/a"});
    j.if_unknown(on_unknown::retry_same_key);
    w.add(std::move(j));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::unknown_outcome);
    CHECK(w.at("one").error.code == errc::outcome_unknown);
    CHECK_THAT(w.at("one").error.message(), Catch::Contains("no connection"));
}

TEST_CASE("a job that may have arrived does not fail for its age") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost, 0});
    const on_unknown policy = GENERATE(on_unknown::retry_same_key, on_unknown::retry);
    world w(around);
    job j = form_job("one", {"/a"});
    j.if_unknown(policy);
    w.add(std::move(j));
    w.start();
    w.until([&] { return w.at("one").status == status::waiting; });
    around.clock->advance(std::chrono::hours(24 * 30));
    around.faults.push_back({fault::kind::refused, 0});
    w.until_idle();
    // Who accepts a duplicate has no doubt that matters.
    CHECK(w.at("one").status == (policy == on_unknown::retry ? status::failed : status::unknown_outcome));
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
    CHECK(w.at("one").status == status::completed);
    CHECK(around.urls().size() == 1);
}

TEST_CASE("HTTP 502 to a form post is ambiguous, to a PUT it is not") {
    surroundings around;
    around.files->write("/a", "x");
    around.answers.push_back(fake_transport::respond(502));
    world w(around);
    SECTION("POST") {
        w.add(form_job("one", {"/a"}));
        w.start();
        w.until_idle();
        CHECK(w.at("one").status == status::unknown_outcome);
        CHECK(w.at("one").error.code == cause::ambiguous);
    }
    SECTION("PUT") {
        w.add(put_job("one", {"/a"}));
        w.start();
        w.until_idle();
        CHECK(w.at("one").status == status::completed);
    }
}

TEST_CASE("the app's backend is asked what became of a form post whose answer was lost") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost, 0});
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
        CHECK(w.at("one").status == status::completed);
        CHECK(w.at("one").item(0).status == item_status::completed);
        CHECK(around.requests.size() == 1);
        CHECK(asked.size() == 1);
    }
    SECTION("it does not have it: the job is sent again") {
        says = {verification::not_delivered};
        w.add(j);
        w.start();
        w.until_idle();
        CHECK(w.at("one").status == status::completed);
        CHECK(around.requests.size() == 2);
    }
    SECTION("it cannot say yet: it is asked again, after a while, also by the next process") {
        says = {verification::unknown};
        w.add(j);
        w.start();
        w.until([&] { return asked.size() == 1 && w.at("one").status == status::waiting; });
        CHECK(around.requests.size() == 1);
        w.run(w.up().async_stop());
        says = {verification::unknown, verification::delivered};
        world next(around, with);
        next.start();
        next.until_idle();
        CHECK(next.at("one").status == status::completed);
        CHECK(asked.size() == 3);
        CHECK(around.requests.size() == 1);
    }
    SECTION("it never answers: the job is parked, not failed and not repeated") {
        w.add(j);
        w.start();
        w.until_idle();
        CHECK(w.at("one").status == status::unknown_outcome);
        CHECK(asked.size() > 5);
        CHECK(around.requests.size() == 1);
    }
    SECTION("a program that does not know the hook parks the job") {
        w.add(j);
        w.run(w.up().async_stop());
        world other(around);
        other.start();
        other.until_idle();
        CHECK(other.at("one").status == status::unknown_outcome);
    }
}

TEST_CASE("an unknown outcome is resolved by the app, and by nobody else") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost, 0});
    world w(around);
    w.add(form_job("one", {"/a"}));
    w.add(put_job("two", {"/a"}));
    w.start();
    w.until_idle();
    REQUIRE(w.at("one").status == status::unknown_outcome);
    CHECK(error_of([&] { w.run(w.up().async_resolve(job_id("two"), resolution::retry)); }) == errc::not_allowed);
    SECTION("completed") {
        w.run(w.up().async_resolve(job_id("one"), resolution::completed));
        CHECK(w.at("one").status == status::completed);
        CHECK(w.at("one").progress() == 1.0);
        CHECK(w.now()->sent() == w.now()->size());
    }
    SECTION("retry") {
        w.run(w.up().async_resolve(job_id("one"), resolution::retry));
        w.until_idle();
        CHECK(w.at("one").status == status::completed);
        CHECK(around.requests.size() == 3);
    }
    SECTION("canceled") {
        w.run(w.up().async_resolve(job_id("one"), resolution::canceled));
        CHECK(w.at("one").status == status::canceled);
    }
    CHECK(error_of([&] { w.run(w.up().async_resolve(job_id("one"), resolution::retry)); }) == errc::not_allowed);
}

TEST_CASE(
    "asking for a waiting job at once does not take its doubt away: the backend is asked, nothing is sent blindly") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost, 0});
    verification says = verification::unknown;
    int asked = 0;
    world w(around, [&](options& o) {
        o.verifiers["backend"] = [&](const job_snapshot& /*about*/) -> asio::awaitable<verification> {
            ++asked;
            co_return says;
        };
    });
    job j = form_job("one", {"/a"});
    j.verify_with("backend");
    w.add(std::move(j));
    w.start();
    w.until([&] { return asked == 1 && w.at("one").status == status::waiting; });
    w.run(w.up().async_retry(job_id("one")));
    w.until([&] { return asked == 2 && w.at("one").status == status::waiting; });
    CHECK(around.requests.size() == 1);
    says = verification::delivered;
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(around.requests.size() == 1);
}

TEST_CASE(
    "409 to a repeated key keeps the doubt: a host that vanishes afterwards leaves the job undecided, not failed") {
    surroundings around;
    world w(around);
    lose_an_answer(around, w);
    around.answers = {fake_transport::respond(409)};
    around.faults.assign(1, fault());
    around.faults.resize(10'000, {fault::kind::refused, 0});  // for longer than a job may be old
    w.until_idle();
    CHECK(w.at("one").status == status::unknown_outcome);
    CHECK(around.requests.size() == 2);
}

TEST_CASE("409 is a refusal when no earlier request can have arrived, however many attempts there were") {
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::refused, 0});
    around.answers = {fake_transport::respond(409)};
    world w(around);
    job j = form_job("one", {"/a"});
    j.if_unknown(on_unknown::retry_same_key);
    w.add(std::move(j));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(w.at("one").error.code == make_http_error(409));
}

namespace {

/// Speaks to a server that can be asked what it has, and does not always know.
class probing_protocol final : public protocol {
public:
    probing_protocol(const bool& server_knows, int& asked) : server_knows_(server_knows), asked_(asked) {}
    [[nodiscard]] bool can_probe() const noexcept override { return true; }
    void check(const job& /*job*/) const override {}
    asio::awaitable<void> upload(session& job) override {
        if (job.in_doubt()) {
            ++asked_;
            if (!server_knows_) {
                throw failure(disposition::ambiguous, errc::outcome_unknown, diagnostics(), std::nullopt);
            }
            job.complete_all_soon("found");
            co_return;
        }
        const std::unique_ptr<body_source> body = job.open(0);
        request what;
        what.url = job.spec().url;
        what.body = body.get();
        what.idempotent = true;
        what.finishing = true;
        const response answer = co_await job.send(std::move(what));
        require_accepted(answer, false, 0);
        job.complete_all_soon("sent");
    }

private:
    const bool& server_knows_;
    int& asked_;
};

struct probing {
    [[nodiscard]] protocol_spec spec() const { return {"probing", {}}; }
};

}  // namespace

TEST_CASE("the server is asked first, the app's backend only when the server does not know") {
    const bool server_knows = GENERATE(true, false);
    surroundings around;
    around.files->write("/a", "x");
    around.faults.push_back({fault::kind::response_lost, 0});
    int server_asked = 0;
    int backend_asked = 0;
    world w(around, [&](options& o) {
        o.protocols.add("probing", [&](const protocol_spec&) -> std::unique_ptr<protocol> {
            return std::make_unique<probing_protocol>(server_knows, server_asked);
        });
        o.verifiers["backend"] = [&](const job_snapshot& /*about*/) -> asio::awaitable<verification> {
            ++backend_asked;
            co_return verification::delivered;
        };
    });
    job j = put_job("one", {"/a"});
    j.via(probing{}).verify_with("backend");
    w.add(std::move(j));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(around.requests.size() == 1);
    CHECK(server_asked == 1);
    CHECK(backend_asked == (server_knows ? 0 : 1));
}

namespace {

asio::awaitable<void> post_first_item(session& job) {
    const std::unique_ptr<body_source> body = job.open(0);
    request what;
    what.method = "POST";
    what.url = job.spec().url;
    what.body = body.get();
    const response answer = co_await job.send(std::move(what));
    require_accepted(answer, false, 0);
}

/// Thinks about a success before it keeps it.
class thoughtful_protocol final : public protocol {
public:
    void check(const job& /*job*/) const override {}
    asio::awaitable<void> upload(session& job) override {
        if (job.items()[0].state.status == item_status::completed) {
            co_return;
        }
        co_await post_first_item(job);
        co_await think();
        job.complete_all_soon("sent");
    }

private:
    static asio::awaitable<void> think() { co_return; }
};

struct thoughtful {
    [[nodiscard]] protocol_spec spec() const { return {"thoughtful", {}}; }
};

}  // namespace

TEST_CASE("whenever a job is interrupted, a success that was heard and not kept yet is not forgotten") {
    const auto with = [](options& o) {
        o.protocols.add("thoughtful", [](const protocol_spec&) { return std::make_unique<thoughtful_protocol>(); });
    };
    bool finished = false;
    for (int turns = 0; !finished; ++turns) {
        CAPTURE(turns);
        surroundings around;
        around.files->write("/a", "xyz");
        {
            world w(around, with);
            job j = put_job("one", {"/a"});
            j.via(thoughtful{});
            w.add(std::move(j));
            w.start();
            for (int i = 0; i < turns && w.turn(); ++i) {
            }
            finished = w.at("one").terminal();
            w.run(w.up().async_stop());
            w.settle();
        }
        world next(around, with);
        next.start();
        next.until_idle();
        REQUIRE(around.urls().size() <= 1);
        REQUIRE((next.at("one").status == status::completed || next.at("one").status == status::unknown_outcome));
    }
}

namespace {

/// Keeps a success in one of the ways there are.
class keeping_protocol final : public protocol {
public:
    explicit keeping_protocol(std::string way) : way_(std::move(way)) {}
    void check(const job& /*job*/) const override {}
    asio::awaitable<void> upload(session& job) override {
        if (job.items()[0].state.status == item_status::completed) {
            co_return;
        }
        if (const checkpoint* const known = job.find_checkpoint(0); known != nullptr && known->offset == 3) {
            job.complete_item_soon(0, "known");
            co_return;
        }
        checkpoint reached;
        reached.item = 0;
        reached.resource = "http://server.test/upload";
        co_await job.save(checkpoint(reached));
        co_await post_first_item(job);
        if (way_ == "as a checkpoint") {
            reached.offset = 3;
            co_await job.save(std::move(reached));
            job.complete_item_soon(0, "sent");
        } else if (way_ == "as an item") {
            co_await job.complete_item(0, "sent");
        } else {
            job.complete_item_soon(0, "sent");
            co_await job.discard(0, false);
        }
    }

private:
    std::string way_;
};

struct keeping {
    [[nodiscard]] protocol_spec spec() const { return {"keeping", {}}; }
};

}  // namespace

TEST_CASE("a job that is stopped while its success waits for space does not forget it with its mark") {
    const std::string way = GENERATE("as an item", "as a checkpoint", "as an item without its checkpoint");
    CAPTURE(way);
    surroundings around;
    around.files->write("/a", "xyz");
    const auto with = [way](options& o) {
        o.protocols.add("keeping", [way](const protocol_spec&) { return std::make_unique<keeping_protocol>(way); });
    };
    {
        world w(around, with);
        job j = put_job("one", {"/a"});
        j.via(keeping{});
        w.add(std::move(j));
        bool refused = false;
        w.store().before_write = [&] {
            if (!around.requests.empty() && !std::exchange(refused, true)) {
                throw error(errc::store_full, "memory");
            }
        };
        w.start();
        w.settle();
        REQUIRE(refused);
        REQUIRE(w.at("one").status == status::uploading);
        w.run(w.up().async_stop());
        w.settle();
    }
    CHECK(around.disk->jobs.begin()->second.job.state.status == status::pending);
    CHECK(around.disk->jobs.begin()->second.checkpoints.size() == (way == "as an item without its checkpoint" ? 0 : 1));
    world next(around, with);
    next.start();
    next.until_idle();
    CHECK(next.at("one").status == status::completed);
    CHECK(around.requests.size() == 1);
}

namespace {

/// Each item is the body of a POST of its own.
job posts_job(const std::string& id, const std::vector<std::string>& paths) {
    job j("http://server.test/in");
    j.id(job_id(id)).via(put{}.method("POST"));
    for (const std::string& path : paths) {
        j.file(path);
    }
    return j;
}

/// How often something came whole.
long copies_of(const surroundings& around, const std::string& body) {
    return std::count_if(around.requests.begin(), around.requests.end(),
                         [&](const received_request& r) { return r.whole && r.body == body; });
}

}  // namespace

TEST_CASE("the answer to one of several posts is lost: that one is in doubt, the others wait for it") {
    surroundings around;
    around.files->write("/a", "first");
    around.files->write("/b", "second");
    around.files->write("/c", "third");
    around.faults = {{}, {fault::kind::response_lost, 0}};
    world w(around);
    w.add(posts_job("one", {"/a", "/b", "/c"}));
    w.start();
    w.until_idle();
    REQUIRE(w.at("one").status == status::unknown_outcome);
    CHECK(w.at("one").error.item == 1);
    CHECK(copies_of(around, "second") == 1);
    CHECK(copies_of(around, "third") == 0);
    const std::string key = around.requests[1].header("Idempotency-Key");
    CHECK(around.requests[0].header("Idempotency-Key") != around.requests[1].header("Idempotency-Key"));

    SECTION("the app says that the server has it: the others are sent, and it is not sent again") {
        w.run(w.up().async_resolve(job_id("one"), resolution::completed));
        w.until_idle();
        CHECK(w.at("one").status == status::completed);
        CHECK(copies_of(around, "first") == 1);
        CHECK(copies_of(around, "second") == 1);
        CHECK(copies_of(around, "third") == 1);
    }
    SECTION("the app says that it does not: it is sent again under its own key, and what was confirmed is not") {
        w.run(w.up().async_resolve(job_id("one"), resolution::retry));
        w.until_idle();
        CHECK(w.at("one").status == status::completed);
        CHECK(copies_of(around, "first") == 1);
        CHECK(copies_of(around, "third") == 1);
        REQUIRE(around.requests.size() == 4);
        CHECK(around.requests[2].body == "second");
        CHECK(around.requests[2].header("Idempotency-Key") == key);
    }
    SECTION("the app gives it up") {
        w.run(w.up().async_resolve(job_id("one"), resolution::canceled));
        w.settle();
        CHECK(w.at("one").status == status::canceled);
        CHECK(copies_of(around, "third") == 0);
    }
}

TEST_CASE("a post of an item is repeated by itself where the key is honoured, and 409 means that it is worked on") {
    surroundings around;
    around.files->write("/a", "first");
    around.files->write("/b", "second");
    around.faults = {{}, {fault::kind::response_lost, 0}};
    world w(around);
    job j = posts_job("one", {"/a", "/b"});
    j.if_unknown(on_unknown::retry_same_key);
    w.add(std::move(j));
    w.start();
    w.until([&] { return w.at("one").status == status::waiting; });
    around.answers = {fake_transport::respond(409), fake_transport::respond(200)};
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    REQUIRE(around.requests.size() == 4);
    CHECK(around.requests[1].header("Idempotency-Key") == around.requests[3].header("Idempotency-Key"));
}

TEST_CASE("a post in doubt is settled before items that were refused are tried again") {
    surroundings around;
    around.files->write("/a", "first");
    around.files->write("/b", "second");
    around.files->write("/c", "third");
    around.answers = {fake_transport::respond(403)};
    around.faults = {{}, {fault::kind::response_lost, 0}};
    world w(around);
    job j = posts_job("one", {"/a", "/b", "/c"});
    j.if_unknown(on_unknown::retry_same_key).if_item_fails(on_item_failure::go_on);
    w.add(std::move(j));
    w.start();
    w.until_idle();
    REQUIRE(around.requests.size() >= 4);
    CHECK(around.requests[1].body == "second");
    CHECK(around.requests[2].body == "second");
    CHECK(around.requests[1].header("Idempotency-Key") == around.requests[2].header("Idempotency-Key"));
    CHECK(copies_of(around, "third") == 1);
}

TEST_CASE("a backend is asked about the item in doubt, and the job goes on with the others") {
    const verification said = GENERATE(verification::delivered, verification::not_delivered);
    surroundings around;
    around.files->write("/a", "first");
    around.files->write("/b", "second");
    around.files->write("/c", "third");
    around.faults = {{}, {fault::kind::response_lost, 0}};
    std::vector<std::size_t> asked;
    world w(around, [&](options& o) {
        o.verifiers["backend"] = [&asked, said](const job_snapshot& about) -> asio::awaitable<verification> {
            asked.push_back(about.error.item);
            co_return said;
        };
    });
    job j = posts_job("one", {"/a", "/b", "/c"});
    j.verify_with("backend");
    w.add(std::move(j));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(asked == std::vector<std::size_t>{1});
    CHECK(copies_of(around, "first") == 1);
    CHECK(copies_of(around, "second") == (said == verification::delivered ? 1 : 2));
    CHECK(copies_of(around, "third") == 1);
}
