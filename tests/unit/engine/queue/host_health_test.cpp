// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/queue/host_health.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace waybill::test {
namespace {

using namespace detail;
using std::chrono::seconds;

const std::string a = "http://a:80";
const std::string b = "http://b:80";
const host_health::time_point t0{std::chrono::hours(1)};

TEST_CASE("a host that nothing is known of, or that answers, is ready", "[engine][host_health]") {
    host_health hosts{retry_policy()};
    CHECK(hosts.ready(a, t0) == t0);
    hosts.report(a, host_report::responded, t0);
    CHECK(hosts.ready(a, t0) == t0);
}

TEST_CASE("five failures in a row close the circuit, and only for that host", "[engine][host_health]") {
    host_health hosts{retry_policy()};
    for (int i = 1; i < retry_policy().host_failures; ++i) {
        hosts.report(a, host_report::failed, t0);
        CHECK(hosts.ready(a, t0) == t0);
    }
    hosts.report(a, host_report::failed, t0);
    CHECK(hosts.ready(a, t0) == t0 + retry_policy().host_pause);
    CHECK(hosts.ready(b, t0) == t0);
}

TEST_CASE("a person who asks for a try now gets it, whatever the circuit says", "[engine][host_health]") {
    host_health hosts{retry_policy()};
    hosts.report(a, host_report::throttled, t0, std::chrono::minutes(5));
    CHECK(hosts.ready(a, t0) > t0);
    hosts.try_now(a);
    CHECK(hosts.ready(a, t0) == t0);
}

TEST_CASE("of the jobs that a host refuses ever fewer are passed, until it serves somebody", "[engine][host_health]") {
    using std::chrono::milliseconds;
    host_health hosts{retry_policy()};
    const auto refusals_until_passed = [&](job_seq seq) {
        int refusals = 1;
        while (!hosts.may_be_passed(a, seq, refusals, milliseconds(10))) {
            ++refusals;
        }
        return refusals;
    };
    CHECK(refusals_until_passed(job_seq(1)) == 4);
    CHECK(refusals_until_passed(job_seq(2)) == 8);
    CHECK(refusals_until_passed(job_seq(3)) == 16);
    CHECK(hosts.may_be_passed(a, job_seq(1), 5, milliseconds(10)));  // again
    CHECK(hosts.is_passed(a, job_seq(1)));
    CHECK_FALSE(hosts.is_passed(b, job_seq(1)));
    CHECK_FALSE(hosts.may_be_passed(b, job_seq(9), 2, milliseconds(10)));  // another host
    hosts.drop_passed(a, job_seq(2));
    CHECK_FALSE(hosts.is_passed(a, job_seq(2)));
    CHECK_FALSE(hosts.may_be_passed(a, job_seq(4), 15, milliseconds(10)));
    // It serves somebody: all those are refused for their own sake, and none of them counts any more.
    hosts.serve(a, milliseconds(20));
    CHECK_FALSE(hosts.may_be_passed(a, job_seq(4), 3, milliseconds(10)));
    CHECK(hosts.may_be_passed(a, job_seq(4), 4, milliseconds(10)));
    CHECK_FALSE(hosts.may_be_passed(a, job_seq(5), 3, milliseconds(30)));
    CHECK(hosts.may_be_passed(a, job_seq(5), 4, milliseconds(30)));
    hosts.drop_passed(b, job_seq(77));
}

TEST_CASE("of those that may be passed the one tried least recently looks first at a host that was left alone",
          "[engine][host_health]") {
    using std::chrono::milliseconds;
    retry_policy p;
    host_health hosts{p};
    const auto refused = [&](std::uint64_t seq) { return hosts.may_be_passed(a, job_seq(seq), 100, milliseconds(10)); };
    CHECK(hosts.courtesy(a, job_seq(1)) > milliseconds(0));
    const milliseconds step = hosts.courtesy(a, job_seq(1));
    CHECK(refused(1));
    CHECK(refused(2));
    CHECK(hosts.courtesy(a, job_seq(1)) == 2 * step);
    CHECK(hosts.courtesy(a, job_seq(2)) == 3 * step);
    CHECK(refused(1));  // it had its turn
    CHECK(hosts.courtesy(a, job_seq(1)) == 3 * step);
    CHECK(hosts.courtesy(a, job_seq(2)) == 2 * step);
    CHECK(hosts.courtesy(a, job_seq(3)) == step);
    CHECK(hosts.courtesy(b, job_seq(2)) == step);
    for (std::uint64_t seq = 3; seq < 200; ++seq) {
        CHECK(hosts.may_be_passed(a, job_seq(seq), 1 << 30, milliseconds(10)));
        CHECK(hosts.courtesy(a, job_seq(seq)) < p.host_pause);
    }
    p.host_pause = std::chrono::hours(24);
    CHECK(host_health(p).courtesy(a, job_seq(1)) <= std::chrono::seconds(1));
}

TEST_CASE("credentials that were refused are held back for longer and longer, and others are not",
          "[engine][host_health]") {
    const retry_policy p;
    host_health hosts{p};
    CHECK_FALSE(hosts.refuses_some(a));
    hosts.refuse(a, 1, t0);
    hosts.refuse(a, 1, t0);  // by an attempt at the same time
    CHECK(hosts.refuses_some(a));
    CHECK_FALSE(hosts.refuses_some(b));
    CHECK(hosts.ready_for(a, 1, t0) == t0 + p.credentials_pause);
    CHECK(hosts.ready_for(a, 2, t0) == t0);
    CHECK(hosts.ready(a, t0) == t0);
    // Another account of the same host changes nothing about it.
    hosts.refuse(a, 2, t0);
    hosts.accept(a, 2);
    CHECK(hosts.ready_for(a, 2, t0) == t0);
    auto now = t0 + p.credentials_pause;
    CHECK(hosts.ready_for(a, 1, now) == now);
    hosts.begin_with(a, 1);
    CHECK(hosts.ready_for(a, 1, now) > now);  // one finds out
    hosts.refuse(a, 1, now);
    CHECK(hosts.ready_for(a, 1, now) == now + p.credentials_pause * 2);
    for (int i = 0; i < 20; ++i) {
        now = hosts.ready_for(a, 1, now);
        hosts.refuse(a, 1, now);
    }
    CHECK(hosts.ready_for(a, 1, now) == now + p.credentials_pause_cap);
    hosts.try_now(a);
    CHECK(hosts.ready_for(a, 1, now) == now);
}

TEST_CASE("an answer in between begins the count anew", "[engine][host_health]") {
    host_health hosts{retry_policy()};
    for (int i = 0; i < 20; ++i) {
        hosts.report(a, i % 4 == 3 ? host_report::responded : host_report::failed, t0);
        CHECK(hosts.ready(a, t0) == t0);
    }
}

TEST_CASE("after the pause one job probes while the others wait for it", "[engine][host_health]") {
    host_health hosts{retry_policy()};
    for (int i = 0; i < retry_policy().host_failures; ++i) {
        hosts.report(a, host_report::failed, t0);
    }
    const auto later = t0 + retry_policy().host_pause;
    REQUIRE(hosts.ready(a, later) == later);
    hosts.begin(a);
    CHECK(hosts.ready(a, later) > later);
    SECTION("it is answered: everybody may go") {
        hosts.report(a, host_report::responded, later);
        CHECK(hosts.ready(a, later) == later);
        hosts.begin(a);
        CHECK(hosts.ready(a, later) == later);
    }
    SECTION("it fails: the pause is twice as long, and never longer than the longest") {
        auto now = later;
        std::chrono::milliseconds pause = retry_policy().host_pause;
        for (int i = 0; i < 10; ++i) {
            hosts.report(a, host_report::failed, now);
            pause = std::min(pause * 2, retry_policy().host_pause_cap);
            CHECK(hosts.ready(a, now) == now + pause);
            now += pause;
            hosts.begin(a);
        }
    }
    SECTION("it learns nothing: the next one probes") {
        hosts.drop_probe(a);
        CHECK(hosts.ready(a, later) == later);
    }
}

TEST_CASE("an answer that asks to come back later pauses the whole host", "[engine][host_health]") {
    host_health hosts{retry_policy()};
    hosts.report(a, host_report::throttled, t0, seconds(120));
    CHECK(hosts.ready(a, t0) == t0 + seconds(120));
    hosts.report(a, host_report::throttled, t0, seconds(10));
    CHECK(hosts.ready(a, t0) == t0 + seconds(120));  // the longest counts
    CHECK(hosts.ready(b, t0) == t0);
}

TEST_CASE("no host is left alone for longer than Retry-After is obeyed at all", "[engine][host_health]") {
    host_health hosts{retry_policy()};
    hosts.report(a, host_report::throttled, t0, std::chrono::hours(24 * 365));
    CHECK(hosts.ready(a, t0) == t0 + retry_policy().retry_after_cap);
}

TEST_CASE("failures that alternate with successes use up the tokens in the end", "[engine][host_health]") {
    host_health hosts{retry_policy()};
    int rounds = 0;
    while (hosts.ready(a, t0) == t0 && rounds < 10'000) {
        hosts.report(a, host_report::failed, t0);
        if (hosts.ready(a, t0) == t0) {
            hosts.report(a, host_report::responded, t0);
        }
        ++rounds;
    }
    CHECK(rounds > 40);
    CHECK(rounds < 100);
}

}  // namespace
}  // namespace waybill::test
