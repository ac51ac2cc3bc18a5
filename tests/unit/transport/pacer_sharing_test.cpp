// SPDX-License-Identifier: BSL-1.0
#include <waybill/transport/pacer.hpp>

#include "support/catch.hpp"
#include "unit/transport/sending_machine.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace waybill::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;

}  // namespace

TEST_CASE("a job's share does not grow with the number of its transfers", "[transport][pacer]") {
    const std::uint64_t rate = GENERATE(64 * kib, mib, 100 * mib);
    const std::size_t buffer = GENERATE(std::size_t(256 * kib), std::size_t(2 * mib));
    CAPTURE(rate, buffer);
    sending_machine m;
    m.buffer = buffer;
    m.pace.limit(limit_scope::total(), byte_rate::of(rate), m.now);
    for (int i = 0; i < 8; ++i) {
        m.add({"host", "", "many"});
    }
    m.add({"host", "", "one"});
    m.run(seconds(20));
    const auto many = static_cast<double>(m.sent_by("many"));
    const auto one = static_cast<double>(m.sent_by("one"));
    CAPTURE(many, one);
    CHECK(fairness({many, one}) >= 0.95);
    CHECK(m.longest_pause() < seconds(1));
}

TEST_CASE("transfers of one job get the same", "[transport][pacer]") {
    sending_machine m;
    m.pace.limit(limit_scope::total(), byte_rate::of(mib), m.now);
    for (int i = 0; i < 63; ++i) {
        m.add({"host", "", i < 31 ? "many" : "job " + std::to_string(i)});
    }
    m.run(seconds(20));
    std::vector<double> shares;
    for (const auto& [whose, one] : m.transfers) {
        if (one.job == "many") {
            shares.push_back(static_cast<double>(one.sent));
        }
    }
    CHECK(fairness(shares) >= 0.95);
    CHECK(m.longest_pause() < seconds(1));
}

TEST_CASE("a transfer without a job counts as a job", "[transport][pacer]") {
    sending_machine m;
    m.pace.limit(limit_scope::total(), byte_rate::of(mib), m.now);
    const auto a = m.add({"host", "", ""});
    const auto b = m.add({"host", "", ""});
    for (int i = 0; i < 4; ++i) {
        m.add({"host", "", "job"});
    }
    m.run(seconds(10));
    CHECK(fairness({double(m.transfers[a].sent), double(m.transfers[b].sent), double(m.sent_by("job"))}) >= 0.95);
}

TEST_CASE("a job with a narrower limit leaves the rest to the others", "[transport][pacer]") {
    sending_machine m;
    m.pace.limit(limit_scope::total(), byte_rate::of(mib), m.now);
    const auto [scope, slow] = GENERATE(table<limit_scope, pace_path>({
        {limit_scope::host("slow.example"), pace_path{"slow.example", "", "slow"}},
        {limit_scope::lane("slow lane"), pace_path{"host", "slow lane", "slow"}},
        {limit_scope::job("slow"), pace_path{"host", "", "slow"}},
    }));
    m.pace.limit(scope, byte_rate::of(100 * kib), m.now);
    m.add(slow);
    m.add({"host", "", "fast"});
    m.run(seconds(10));
    CHECK(m.sent_by("slow") == Approx(1000 * kib).epsilon(0.05));
    CHECK(m.sent_by("fast") == Approx(9240 * kib).epsilon(0.05));
}

TEST_CASE("a job's limit that is wider than its share changes nothing", "[transport][pacer]") {
    sending_machine m;
    m.pace.limit(limit_scope::total(), byte_rate::of(mib), m.now);
    m.pace.limit(limit_scope::job("a"), byte_rate::of(700 * kib), m.now);
    m.add({"host", "", "a"});
    m.add({"host", "", "b"});
    m.run(seconds(10));
    CHECK(m.sent_by("a") == Approx(5 * mib).epsilon(0.05));
    CHECK(m.sent_by("b") == Approx(5 * mib).epsilon(0.05));
}

TEST_CASE("hosts with separate limits do not wait for each other", "[transport][pacer]") {
    sending_machine m;
    m.pace.limit(limit_scope::host("a"), byte_rate::of(64 * kib), m.now);
    m.pace.limit(limit_scope::host("b"), byte_rate::of(10 * mib), m.now);
    m.add({"a", "", "1"});
    m.add({"a", "", "2"});
    m.add({"b", "", "3"});
    m.add({"b", "", "4"});
    m.run(seconds(10));
    CHECK(m.sent_by("1") + m.sent_by("2") == Approx(640 * kib).epsilon(0.05));
    CHECK(m.sent_by("3") + m.sent_by("4") == Approx(100 * mib).epsilon(0.05));
    CHECK(fairness({double(m.sent_by("1")), double(m.sent_by("2"))}) >= 0.95);
}

TEST_CASE("bytes that must be handed over together are granted together", "[transport][pacer]") {
    pacer pace;
    pace.limit(limit_scope::total(), byte_rate::of(64 * kib), start);
    const auto whole = pace.join({"host", "", "whole"});
    const auto streamed = pace.join({"host", "", "streamed"});
    pacer::time_point now = start + milliseconds(200);
    CHECK(pace.take_all(whole, 3000, now));  // no transfer waits, and enough is available
    now += milliseconds(1);
    CHECK_FALSE(pace.take_all(whole, 4000, now));
    CHECK(pace.take(streamed, mib, now) == 0);
    std::uint64_t sent = 0;
    int had = 0;
    for (const pacer::time_point end = now + seconds(1); now < end; now = std::max(now, pace.next_wake())) {
        for (const pacer::ticket one : pace.wake(now)) {
            if (one == whole) {
                had += pace.take_all(whole, 4000, now) ? 1 : 0;
                CHECK_FALSE(pace.take_all(whole, 4000, now));
            } else {
                sent += pace.take(streamed, mib, now);
                CHECK(pace.take(streamed, mib, now) == 0);
            }
        }
    }
    CHECK(had >= 7);
    CHECK(fairness({had * 4000.0, double(sent)}) >= 0.95);
}

}  // namespace waybill::test
