// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/run/outcome.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>

namespace waybill::test {
namespace {

using namespace detail;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr unix_millis now{std::chrono::hours(480'000)};
constexpr store_time at{std::chrono::hours(100), std::chrono::hours(50), now};

const disposition every_disposition[] = {disposition::retry,     disposition::again,       disposition::busy,
                                         disposition::network,   disposition::credentials, disposition::ambiguous,
                                         disposition::permanent, disposition::source,      disposition::locked};
using doubt = outcome::doubt;
const outcome::evidence nothing_gained;
const doubt every_policy[] = {doubt::park, doubt::ask, doubt::repeat, doubt::duplicate};

retry_policy policy() {
    retry_policy p;
    p.base = milliseconds(1'000);
    p.floor = milliseconds(200);
    p.attempts = 4;
    return p;
}

// In the middle of an attempt that marked its last byte.
job_state running() {
    job_state s;
    s.status = status::uploading;
    s.epoch = 2;
    s.attempt = 7;
    s.failures = 1;
    s.intent = intent(7, 3);
    s.epoch_began = now - std::chrono::hours(1);
    s.began = at.open - std::chrono::hours(1);
    s.key = "0123456789abcdef0123456789abcdef";
    return s;
}

failure because(disposition what, std::error_code code = make_http_error(408),
                std::optional<seconds> retry_after = std::nullopt, std::size_t item = 2) {
    diagnostics d;
    d.detail = "details";
    return failure(what, code, d, retry_after, item);
}

void check_untouched(const job_state& after, const job_state& before) {
    CHECK(after.epoch == before.epoch);
    CHECK(after.attempt == before.attempt);
    CHECK(after.epoch_began == before.epoch_began);
    CHECK(after.key == before.key);
    CHECK(after.stage == before.stage);
}

TEST_CASE("a delivered job is completed without an error", "[engine][outcome]") {
    const retry_policy p = policy();
    job_state before = running();
    before.error.code = make_http_error(503);
    const job_state after = outcome(p, at, 0.5).completed(before);
    CHECK(after.status == status::completed);
    CHECK_FALSE(after.error);
    CHECK(after.finished == now);
    CHECK(after.retired == at.all());
    CHECK_FALSE(after.intent.stands());
    CHECK(after.reason == wait_reason::none);
    CHECK(after.not_before == unix_millis());
    check_untouched(after, before);
}

TEST_CASE("a canceled job says that the app wanted it", "[engine][outcome]") {
    const retry_policy p = policy();
    const job_state after = outcome(p, at, 0.5).canceled(running());
    CHECK(after.status == status::canceled);
    CHECK(after.error.code == errc::canceled);
    CHECK(after.error.item == checkpoint::whole_job);
    CHECK(after.finished == now);
    CHECK_FALSE(after.intent.stands());
    check_untouched(after, running());
}

TEST_CASE("a job that a stop interrupted is pending, and nothing is counted", "[engine][outcome]") {
    const retry_policy p = policy();
    job_state before = running();
    before.stage = stage::finalize;
    const job_state after = outcome(p, at, 0.5).interrupted(before);
    CHECK(after.status == status::pending);
    CHECK(after.reason == wait_reason::none);
    CHECK(after.failures == before.failures);
    CHECK(after.intent == before.intent);  // what may have arrived, may have arrived
    CHECK(after.finished == unix_millis());
    check_untouched(after, before);
}

TEST_CASE("a failed attempt leaves the job where its failure leads", "[engine][outcome]") {
    const retry_policy p = policy();
    const outcome decided(p, at, 0.5);
    for (const disposition what : every_disposition) {
        for (const doubt if_unknown : every_policy) {
            INFO("disposition " << static_cast<int>(what) << " policy " << static_cast<int>(if_unknown));
            const job_state before = running();
            const job_state after = decided.failed(before, because(what), if_unknown, nothing_gained);
            check_untouched(after, before);
            // A permanent failure that is no answer to the marked request: its file is gone, say.
            const bool parks = (what == disposition::ambiguous && if_unknown == doubt::park) ||
                               (what == disposition::permanent && if_unknown != doubt::duplicate);
            CHECK(after.error.code == (parks ? make_error_code(errc::outcome_unknown) : make_http_error(408)));
            CHECK_THAT(after.error.details.detail, Catch::Contains("details"));
            CHECK(after.error.item == 2);
            if (parks) {
                CHECK(after.status == status::unknown_outcome);
                CHECK(after.reason == wait_reason::none);
                CHECK(after.failures == before.failures);
            } else if (what == disposition::permanent) {
                CHECK(after.status == status::failed);
                CHECK(after.finished == now);
                CHECK(after.failures == before.failures);
            } else {
                CHECK(after.status == status::waiting);
                CHECK(after.not_before > now);
                CHECK(after.finished == unix_millis());
            }
            // The mark stays exactly as long as nobody knows what became of the last byte.
            const bool settled =
                (what == disposition::permanent || what == disposition::ambiguous) && if_unknown == doubt::duplicate;
            CHECK(after.intent.stands() == !settled);
            if (after.intent.stands()) {
                CHECK(after.intent == intent(7, 3));
            }
        }
    }
}

TEST_CASE("a permanent failure ends a job of which nothing is in doubt", "[engine][outcome]") {
    const retry_policy p = policy();
    job_state before = running();
    before.intent.settle();
    for (const doubt if_unknown : every_policy) {
        const job_state after =
            outcome(p, at, 0.5).failed(before, because(disposition::permanent), if_unknown, nothing_gained);
        CHECK(after.status == status::failed);
        CHECK(after.error.code == make_http_error(408));
        CHECK(after.finished == now);
        CHECK(after.failures == before.failures);
    }
}

TEST_CASE("what a job waits for is told", "[engine][outcome]") {
    const retry_policy p = policy();
    const outcome decided(p, at, 0.5);
    const auto reason = [&](disposition what) {
        return decided.failed(running(), because(what), doubt::repeat, nothing_gained).reason;
    };
    CHECK(reason(disposition::retry) == wait_reason::backoff);
    CHECK(reason(disposition::again) == wait_reason::backoff);
    CHECK(reason(disposition::ambiguous) == wait_reason::backoff);
    CHECK(reason(disposition::busy) == wait_reason::server_busy);
    CHECK(reason(disposition::credentials) == wait_reason::credentials);
    CHECK(reason(disposition::network) == wait_reason::network);
}

TEST_CASE("failures without progress are counted, and end the job when they are too many", "[engine][outcome]") {
    const retry_policy p = policy();
    const outcome decided(p, at, 0.5);
    for (const disposition what : {disposition::retry, disposition::again, disposition::ambiguous}) {
        INFO("disposition " << static_cast<int>(what));
        job_state s = running();
        s.failures = 0;
        s.intent.settle();
        for (int i = 1; i < p.attempts; ++i) {
            s = decided.failed(s, because(what), doubt::duplicate, nothing_gained);
            CHECK(s.status == status::waiting);
            CHECK(s.failures == i);
            CHECK(s.error.details.detail == "details");
        }
        s = decided.failed(s, because(what), doubt::duplicate, nothing_gained);
        CHECK(s.status == status::failed);
        CHECK(s.finished == now);
        CHECK_FALSE(s.intent.stands());
        CHECK(s.error.code == make_http_error(408));
        CHECK(s.error.details.detail == "no progress in 4 attempts; details");
    }
}

TEST_CASE("a job that may have arrived is parked when it runs out of attempts to ask, not failed",
          "[engine][outcome]") {
    const retry_policy p = policy();
    const outcome decided(p, at, 0.5);
    job_state s = running();
    s.failures = p.attempts - 1;
    // Also when the last attempt did not even connect: an earlier one may have arrived.
    CHECK(decided.failed(s, because(disposition::retry), doubt::ask, nothing_gained).status == status::unknown_outcome);
    s.intent.settle();
    CHECK(decided.failed(s, because(disposition::retry), doubt::ask, nothing_gained).status == status::failed);
    s.intent = intent(7, 3);
    CHECK(decided.failed(s, because(disposition::ambiguous), doubt::ask, nothing_gained).status ==
          status::unknown_outcome);
    CHECK(decided.failed(s, because(disposition::ambiguous), doubt::repeat, nothing_gained).status ==
          status::unknown_outcome);
    CHECK(decided.failed(s, because(disposition::ambiguous), doubt::duplicate, nothing_gained).status ==
          status::failed);
}

TEST_CASE("a job that gives up without details says how often it tried", "[engine][outcome]") {
    const retry_policy p = policy();
    job_state s = running();
    s.failures = 3;
    s.intent.settle();
    s = outcome(p, at, 0.5)
            .failed(s, failure(disposition::retry, errc::connection_lost, {}), doubt::park, nothing_gained);
    CHECK(s.status == status::failed);
    CHECK(s.error.details.detail == "no progress in 4 attempts");
}

TEST_CASE("a transfer that got on and was cut continues at once", "[engine][outcome]") {
    const retry_policy p = policy();
    const outcome decided(p, at, 0.5);
    const auto delay = [&](const failure& why, std::uint64_t gained) {
        const job_state s = decided.failed(running(), why, doubt::ask, {true, gained});
        CHECK(s.status == status::waiting);
        return s.not_before - now;
    };
    const failure cut = because(disposition::retry, errc::connection_lost);
    CHECK(delay(cut, p.prompt_bytes) == milliseconds(0));
    CHECK(delay(cut, p.prompt_bytes - 1) >= p.floor);
    // All of it may have arrived: the server is asked at once.
    CHECK(delay(because(disposition::ambiguous, errc::connection_lost), p.prompt_bytes) == milliseconds(0));
    // What a server says is heard.
    CHECK(delay(because(disposition::ambiguous), p.prompt_bytes) >= p.floor);
    CHECK(delay(because(disposition::retry), p.prompt_bytes) >= p.floor);
    CHECK(delay(because(disposition::busy, errc::connection_lost), p.prompt_bytes) >= p.floor);
    CHECK(delay(because(disposition::retry, errc::connection_lost, seconds(9)), p.prompt_bytes) >= seconds(9));
}

TEST_CASE("progress gives the budget back", "[engine][outcome]") {
    const retry_policy p = policy();
    const outcome decided(p, at, 0.5);
    job_state s = running();
    for (int i = 0; i < 100; ++i) {
        s.failures = p.attempts - 1;
        s = decided.failed(s, because(disposition::retry), doubt::park, {true});
        CHECK(s.status == status::waiting);
        CHECK(s.failures == 1);
    }
}

TEST_CASE("what concerns the host, the network, the credentials or the disk costs nothing, however long",
          "[engine][outcome]") {
    const retry_policy p = policy();
    const failure whys[] = {because(disposition::network, errc::network_unreachable),
                            because(disposition::network, errc::connect_failed),
                            because(disposition::busy, make_http_error(503)),
                            because(disposition::credentials, make_http_error(401)),
                            because(disposition::source, errc::source_unavailable),
                            because(disposition::locked, make_http_error(423)),
                            because(disposition::ambiguous, make_http_error(502))};
    for (const failure& why : whys) {
        CAPTURE(why.what());
        job_state s = running();
        s.failures = p.attempts - 1;
        std::chrono::milliseconds last(0);
        for (int i = 0; i < 1'000; ++i) {
            s = outcome(p, at, 0.25).failed(s, why, doubt::ask, nothing_gained);
            REQUIRE(s.status == status::waiting);
            REQUIRE(s.failures == p.attempts - 1);
            REQUIRE(s.wait >= last);
            REQUIRE(s.not_before == now + s.wait);
            last = s.wait;
        }
        CHECK(last >= std::min(p.offline_poll, p.cap / 2));
        CHECK(last <= p.credentials_pause_cap);
        s.began = at.open - p.max_age - milliseconds(1);
        s.intent.settle();
        s = outcome(p, at, 0.25).failed(s, why, doubt::duplicate, nothing_gained);
        CHECK(s.status == status::failed);
        CHECK(s.error.code == errc::expired);
    }
}

TEST_CASE("500 is the job's fault only where its host serves others", "[engine][outcome]") {
    const retry_policy p = policy();
    const outcome decided(p, at, 0.5);
    const failure why = because(disposition::retry, make_http_error(500));
    const outcome::evidence serves_nobody{false, 0, false};
    job_state s = running();
    s.failures = 0;
    s.intent.settle();
    CHECK(decided.failed(s, why, doubt::park, {false, 0, false, false, true}).failures == 1);  // nobody may pass it
    for (int i = 0; i < 100; ++i) {
        s = decided.failed(s, why, doubt::park, serves_nobody);
        REQUIRE(s.status == status::waiting);
        REQUIRE(s.failures == 0);
        REQUIRE(s.reason == wait_reason::server_error);
        REQUIRE(s.refused_since == at.open);
    }
    s = decided.failed(s, why, doubt::park, nothing_gained);
    CHECK(s.failures == 1);
    CHECK(s.reason == wait_reason::server_error);
    // Once that has been seen it need not be seen again.
    s = decided.failed(s, why, doubt::park, serves_nobody);
    CHECK(s.failures == 2);
    s = decided.failed(s, because(disposition::retry, errc::invalid_response), doubt::park, nothing_gained);
    CHECK(s.refused_since == milliseconds(0));
    s = decided.failed(s, why, doubt::park, serves_nobody);
    CHECK(s.status == status::failed);
}

TEST_CASE("a connection that breaks is the job's fault only where its host serves others", "[engine][outcome]") {
    const retry_policy p = policy();
    const outcome decided(p, at, 0.5);
    outcome::evidence serves_nobody;
    serves_nobody.serves_others = false;
    serves_nobody.host_responded = false;
    for (const errc code :
         {errc::connection_lost, errc::send_stalled, errc::response_timed_out, errc::stale_connection}) {
        const failure cut = because(disposition::retry, code);
        job_state s = running();
        s.failures = 0;
        s.intent.settle();
        for (int i = 1; i < 100; ++i) {
            s = decided.failed(s, cut, doubt::park, serves_nobody);
            REQUIRE(s.status == status::waiting);
            REQUIRE(s.failures == 0);
            REQUIRE(s.troubles == i);
            REQUIRE(s.reason == wait_reason::network);
            REQUIRE(s.refused_since == at.open);
        }
        CHECK(s.wait >= p.cap / 2);
        for (int i = 1; i < p.attempts; ++i) {
            s = decided.failed(s, cut, doubt::park, nothing_gained);
            REQUIRE(s.status == status::waiting);
            REQUIRE(s.reason == wait_reason::backoff);
        }
        CHECK(decided.failed(s, cut, doubt::park, nothing_gained).status == status::failed);
        // Also of one that no other may pass.
        serves_nobody.holds_up_lane = true;
        CHECK(decided.failed(s, cut, doubt::park, serves_nobody).status == status::waiting);
        serves_nobody.holds_up_lane = false;
        // Nor is it the host's when it has been heard in the same attempt.
        serves_nobody.host_responded = true;
        CHECK(decided.failed(s, cut, doubt::park, serves_nobody).status == status::failed);
        serves_nobody.host_responded = false;
        // What is sent again although it may have arrived is not sent without end.
        s.failures = p.attempts - 1;
        CHECK(decided.failed(s, because(disposition::ambiguous, code), doubt::duplicate, serves_nobody).status ==
              status::failed);
        CHECK(decided.failed(s, because(disposition::ambiguous, code), doubt::repeat, serves_nobody).status ==
              status::waiting);
    }
}

TEST_CASE("since when a job is refused is forgotten when it gets on, or when nobody could be asked",
          "[engine][outcome]") {
    const retry_policy p = policy();
    const outcome decided(p, at, 0.5);
    job_state before = running();
    before.refused_since = milliseconds(17);
    const auto after = [&](const failure& why, bool progressed) {
        return decided.failed(before, why, doubt::ask, {progressed, 0}).refused_since;
    };
    for (const auto code : {make_http_error(401), make_http_error(429), make_http_error(502), make_http_error(507),
                            make_error_code(errc::connection_lost)}) {
        CHECK(after(because(disposition::retry, code), false) == milliseconds(17));
        CHECK(after(because(disposition::retry, code), true) == milliseconds(0));
    }
    for (const errc code : {errc::connect_failed, errc::host_not_found, errc::tls_untrusted, errc::network_unreachable,
                            errc::source_unavailable, errc::redirect_refused}) {
        CHECK(after(because(disposition::network, code), false) == milliseconds(0));
    }
}

TEST_CASE("refusals are counted from the first of them, whatever failed before", "[engine][outcome]") {
    const retry_policy p = policy();
    const outcome decided(p, at, 0.5);
    job_state s = running();
    for (int i = 1; i <= 20; ++i) {
        s = decided.failed(s, because(disposition::network, errc::connect_failed), doubt::ask, nothing_gained);
        CHECK(s.troubles == i);
    }
    for (int i = 1; i <= 5; ++i) {
        s = decided.failed(s, because(disposition::busy, make_http_error(503)), doubt::ask, nothing_gained);
        CHECK(s.troubles == i);
    }
    s = decided.failed(s, because(disposition::network, errc::connect_failed), doubt::ask, nothing_gained);
    CHECK(s.troubles == 6);
}

TEST_CASE("a waiting job is tried after its backoff, or when the server asked for it", "[engine][outcome]") {
    const retry_policy p = policy();
    const outcome decided(p, at, 0.5);
    job_state s = running();
    s.failures = 0;
    CHECK(decided.failed(s, because(disposition::retry), doubt::park, nothing_gained).not_before == now + seconds(1));
    s.failures = 1;
    CHECK(decided.failed(s, because(disposition::retry), doubt::park, nothing_gained).not_before == now + seconds(2));
    CHECK(decided.failed(s, because(disposition::retry), doubt::park, {true}).not_before == now + seconds(1));
    const failure busy = because(disposition::busy, make_http_error(429), seconds(100));
    CHECK(decided.failed(s, busy, doubt::park, nothing_gained).not_before == now + seconds(105));
    // Nor is it less than the backoff when the server asks for next to nothing.
    const failure soon = because(disposition::busy, make_http_error(429), seconds(0));
    CHECK(decided.failed(s, soon, doubt::park, nothing_gained).not_before >= now + seconds(1));
}

TEST_CASE("a server whose storage is full is given long to make room, from the first time on", "[engine][outcome]") {
    const retry_policy p = policy();
    for (const double random : {0.0, 0.5, 1.0}) {
        const outcome decided(p, at, random);
        const auto wait = [&](const failure& why) {
            return decided.failed(running(), why, doubt::ask, nothing_gained).not_before - now;
        };
        const auto full = wait(because(disposition::retry, make_http_error(507)));
        CHECK(full >= p.cap / 2);
        CHECK(full <= p.cap);
        CHECK(wait(because(disposition::ambiguous, make_http_error(507))) == full);
        CHECK(wait(because(disposition::busy, make_http_error(507), seconds(1'000))) >= seconds(1'000));
        CHECK(wait(because(disposition::retry, make_http_error(500))) < p.cap / 2);
    }
}

TEST_CASE("a job found with a mark is parked with what is known of it", "[engine][outcome]") {
    const retry_policy p = policy();
    job_state before = running();
    job_state after = outcome(p, at, 0.5).park(before);
    CHECK(after.status == status::unknown_outcome);
    CHECK(after.error.code == errc::outcome_unknown);
    CHECK(after.intent == intent(7, 3));
    CHECK(after.reason == wait_reason::none);
    CHECK(after.finished == unix_millis());

    before.error.code = errc::connection_lost;
    after = outcome(p, at, 0.5).park(before);
    CHECK(after.error.code == errc::outcome_unknown);
    CHECK(after.error.details.detail == "last error: " + before.error.message());
}

TEST_CASE("a job expires when it is older than its epoch may get", "[engine][outcome]") {
    retry_policy p = policy();
    p.max_age = std::chrono::hours(2);
    const outcome decided(p, at, 0.5);
    job_state s = running();
    s.began = at.open - std::chrono::hours(2);
    CHECK_FALSE(decided.is_expired(s));
    s.began -= milliseconds(1);
    CHECK(decided.is_expired(s));
    s.began += milliseconds(1);
    s.epoch_began = unix_millis();  // the clock was put right: what it says does not count
    CHECK_FALSE(decided.is_expired(s));

    s.error.code = make_http_error(503);
    s.error.details.detail = "https://h/up";
    const job_state after = decided.expired(s);
    CHECK(after.status == status::failed);
    CHECK(after.finished == now);
    CHECK(after.error.code == errc::expired);
    CHECK(after.error.details.detail == "https://h/up: HTTP 503 Service Unavailable");
    CHECK_FALSE(after.intent.stands());
    s.error = {};
    CHECK(decided.expired(s).error.details.detail.empty());
}

TEST_CASE("a job that is too old is sent once more when all that was found out is that nobody knows",
          "[engine][outcome]") {
    retry_policy p = policy();
    p.max_age = std::chrono::hours(2);
    const outcome decided(p, at, 0.5);
    job_state s = running();
    s.began = at.open - std::chrono::hours(3);
    const failure nobody_knows = because(disposition::ambiguous, errc::outcome_unknown);
    CHECK(decided.failed(s, nobody_knows, doubt::duplicate, nothing_gained).status == status::waiting);
    CHECK(decided.failed(s, nobody_knows, doubt::ask, nothing_gained).status == status::unknown_outcome);
    CHECK(decided.failed(s, because(disposition::ambiguous), doubt::duplicate, nothing_gained).error.code ==
          errc::expired);
}

TEST_CASE("every outcome is a transition the status table allows", "[engine][outcome]") {
    const retry_policy p = policy();
    const outcome decided(p, at, 0.5);
    for (const status from : {status::uploading, status::finalizing}) {
        job_state s = running();
        s.status = from;
        CHECK(can_become(from, decided.completed(s).status));
        CHECK(can_become(from, decided.canceled(s).status));
        CHECK(can_become(from, decided.interrupted(s).status));
        for (const disposition what : every_disposition) {
            for (const doubt if_unknown : every_policy) {
                for (const int failures : {0, p.attempts}) {
                    s.failures = failures;
                    CHECK(can_become(from, decided.failed(s, because(what), if_unknown, nothing_gained).status));
                }
            }
        }
    }
    for (const status from : {status::pending, status::waiting}) {
        job_state s = running();
        s.status = from;
        CHECK(can_become(from, decided.park(s).status));
        CHECK(can_become(from, decided.expired(s).status));
        CHECK(can_become(from, decided.canceled(s).status));
    }
}

}  // namespace
}  // namespace waybill::test
