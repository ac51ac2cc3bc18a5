// SPDX-License-Identifier: BSL-1.0
#include <waybill/transport/pacer.hpp>

#include "support/catch.hpp"
#include "unit/transport/sending_machine.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using time_point = pacer::time_point;

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;

/// The worst relative deviation from the rate over all windows of a length.
double worst_window(const sending_machine& m, std::uint64_t rate, seconds length, time_point from) {
    double worst = 0;
    std::deque<std::pair<time_point, std::uint64_t>> ahead(m.log.begin(), m.log.end());
    std::uint64_t sum = 0;
    std::deque<std::pair<time_point, std::uint64_t>> inside;
    const double wanted = static_cast<double>(rate) * static_cast<double>(length.count());
    for (time_point end = from + length; end <= m.now; end += milliseconds(100)) {
        for (; !ahead.empty() && ahead.front().first <= end; ahead.pop_front()) {
            sum += ahead.front().second;
            inside.push_back(ahead.front());
        }
        for (; !inside.empty() && inside.front().first <= end - length; inside.pop_front()) {
            sum -= inside.front().second;
        }
        worst = std::max(worst, std::abs(static_cast<double>(sum) - wanted) / wanted);
    }
    return worst;
}

}  // namespace

TEST_CASE("the rate is kept over one second and over ten, whatever the number of transfers", "[transport][pacer]") {
    const std::uint64_t rate = GENERATE(64 * kib, mib, 100 * mib);
    const int transfers = GENERATE(1, 8, 64);
    const std::size_t buffer = GENERATE(std::size_t(64 * kib), std::size_t(2 * mib));
    CAPTURE(rate, transfers, buffer);
    sending_machine m;
    m.buffer = buffer;
    m.pace.limit(limit_scope::total(), byte_rate::of(rate), m.now);
    for (int i = 0; i < transfers; ++i) {
        m.add({"host", "", "job " + std::to_string(i % 5)});
    }
    m.run(seconds(22));
    CHECK(worst_window(m, rate, seconds(10), start) < 0.05);
    CHECK(worst_window(m, rate, seconds(1), start) < 0.10);
    CHECK(m.longest_pause() < seconds(1));
}

TEST_CASE("a transfer without a limit gets what it asks for immediately", "[transport][pacer]") {
    pacer pace;
    const auto before = pace.join({"host", "lane", "job"});
    CHECK(pace.has_started(before));
    CHECK(pace.is_unlimited(before));
    CHECK(pace.take(before, std::numeric_limits<std::size_t>::max(), start) == std::numeric_limits<std::size_t>::max());
    CHECK(pace.take_all(before, 1 << 30, start));
    CHECK(pace.next_wake() == time_point::max());
    pace.limit(limit_scope::host("other"), byte_rate::of(1), start);
    pace.limit(limit_scope::job(""), byte_rate::of(1), start);
    CHECK(pace.is_unlimited(before));
    pace.limit(limit_scope::lane("lane"), byte_rate::of(1), start);
    CHECK_FALSE(pace.is_unlimited(before));
}

TEST_CASE("a changed rate applies immediately, and nothing granted under the old one remains", "[transport][pacer]") {
    sending_machine m;
    const int transfers = GENERATE(1, 4);
    m.pace.limit(limit_scope::total(), byte_rate::of(100 * mib), m.now);
    for (int i = 0; i < transfers; ++i) {
        m.add({"host", "", "job " + std::to_string(i % 2)});
    }
    m.run(seconds(2));
    SECTION("slower") {
        m.pace.limit(limit_scope::total(), byte_rate::of(64 * kib), m.now);
        const time_point changed = m.now;
        m.run(seconds(5));
        CHECK(m.sent_between(changed, changed + milliseconds(100)) <= 8 * kib);
        CHECK(m.sent_between(changed, changed + seconds(1)) == Approx(64 * kib).epsilon(0.10));
    }
    SECTION("faster") {
        m.pace.limit(limit_scope::total(), byte_rate::of(64 * kib), m.now);
        m.run(seconds(2));
        m.pace.limit(limit_scope::total(), byte_rate::of(10 * mib), m.now);
        const time_point changed = m.now;
        m.run(seconds(2));
        CHECK(m.sent_between(changed, changed + milliseconds(100)) >= mib / 2);
        CHECK(m.sent_between(changed, changed + seconds(1)) == Approx(10 * mib).epsilon(0.10));
    }
    SECTION("none") {
        for (const auto& [whose, one] : m.transfers) {
            while (m.pace.take(whose, mib, m.now) > 0) {
            }
        }
        m.pace.limit(limit_scope::total(), byte_rate::unlimited(), m.now);
        CHECK(m.pace.next_wake() <= m.now + milliseconds(1));
        CHECK(m.pace.wake(m.now + milliseconds(1)).size() == m.transfers.size());
        CHECK(m.pace.is_unlimited(m.transfers.begin()->first));
    }
}

TEST_CASE("an idle limit saves up a tenth of a second's bytes, not more", "[transport][pacer]") {
    sending_machine m;
    m.pace.limit(limit_scope::total(), byte_rate::of(mib), m.now);
    m.run(std::chrono::hours(10));
    const time_point begun = m.now;
    m.add({"host", "", "job"});
    m.run(seconds(1));
    CHECK(m.sent_between(begun - seconds(1), begun + seconds(1)) <= mib + mib / 10 + mib / 40);
}

TEST_CASE("under a stopped limit no transfer starts, and no started one gets a byte", "[transport][pacer]") {
    sending_machine m;
    m.pace.limit(limit_scope::total(), byte_rate::of(mib), m.now);
    m.add({"host", "", "before"});
    m.run(seconds(1));
    m.pace.limit(limit_scope::total(), byte_rate::stopped(), m.now);
    const time_point stopped = m.now;
    m.add({"host", "", "after"});
    CHECK(m.pace.next_wake() == time_point::max());
    m.run(seconds(10));
    CHECK(m.sent_between(stopped, m.now) == 0);
    CHECK(m.started() == 1);
    m.pace.limit(limit_scope::total(), byte_rate::of(mib), m.now);
    m.run(seconds(10));
    CHECK(m.started() == 2);
    CHECK(m.sent_by("after") == Approx(5 * mib).epsilon(0.05));
}

TEST_CASE("no more transfers start than a rate can keep alive", "[transport][pacer]") {
    sending_machine m;
    const auto [rate, most] = GENERATE(
        table<std::uint64_t, std::size_t>({{1, 1}, {1000, 1}, {16 * kib, 1}, {32 * kib, 2}, {64 * kib, 4}, {mib, 64}}));
    CAPTURE(rate);
    m.pace.limit(limit_scope::host("host"), byte_rate::of(rate), m.now);
    for (int i = 0; i < 100; ++i) {
        m.add({"host", "", "job " + std::to_string(i)});
        // A transfer to which the limit does not apply need not wait.
        const auto other = m.pace.join({"other", "", "job " + std::to_string(i)});
        CHECK(m.pace.has_started(other));
        m.pace.leave(other, m.now);
    }
    CHECK(m.started() == most);
    m.run(seconds(5));
    CHECK(m.started() == most);
    CHECK(m.longest_pause() <= seconds(1) + milliseconds(2));  // plus how late a timer is
    for (int i = 0; i < 100; ++i) {
        const auto first = m.transfers.begin()->first;
        CHECK(m.transfers.at(first).started);  // the oldest starts first
        m.remove(first);
        m.run(milliseconds(10));
        CHECK(m.started() == std::min(most, m.transfers.size()));
    }
}

TEST_CASE("a job of many transfers leaves a place to another job", "[transport][pacer]") {
    sending_machine m;
    m.pace.limit(limit_scope::total(), byte_rate::of(64 * kib), m.now);
    for (int i = 0; i < 8; ++i) {
        m.add({"host", "", "many"});
    }
    CHECK(m.started() == 3);
    const auto other = m.add({"host", "", "other"});
    CHECK(m.pace.has_started(other));
    const auto third = m.add({"host", "", "third"});
    CHECK_FALSE(m.pace.has_started(third));
    m.remove(m.transfers.begin()->first);
    m.run(milliseconds(10));
    CHECK(m.pace.has_started(third));  // before the others of "many"
}

TEST_CASE("a transfer that ends gives back what it did not take", "[transport][pacer]") {
    pacer pace;
    pace.limit(limit_scope::total(), byte_rate::of(40 * kib), start);
    const auto a = pace.join({"host", "", "a"});
    const auto b = pace.join({"host", "", "b"});
    time_point now = start;
    CHECK(pace.take(a, mib, now) == 0);
    CHECK(pace.take(b, mib, now) == 0);
    now = pace.next_wake();
    CHECK(pace.wake(now) == std::vector<pacer::ticket>{a});
    pace.leave(a, now);
    CHECK(pace.wake(now) == std::vector<pacer::ticket>{b});
    CHECK(pace.take(b, mib, now) == 4 * kib);
    pace.leave(b, now);
    CHECK(pace.next_wake() == time_point::max());
}

TEST_CASE("at random, no more is sent than the limits allow, and every transfer makes progress", "[transport][pacer]") {
    std::mt19937 random(GENERATE(range(1U, 30U)));
    const auto any = [&random](unsigned below) {
        return std::uniform_int_distribution<unsigned>(0, below - 1)(random);
    };
    sending_machine m;
    const auto host = [&] { return "host " + std::to_string(any(3)); };
    m.pace.limit(limit_scope::total(), byte_rate::of(2 * mib), m.now);
    for (int step = 0; step < 200; ++step) {
        const unsigned what = any(10);
        if (what < 4 || m.transfers.empty()) {
            m.add({host(), "lane " + std::to_string(any(2)), any(3) == 0 ? "" : "job " + std::to_string(any(4))});
        } else if (what < 7) {
            m.remove(std::next(m.transfers.begin(), any(static_cast<unsigned>(m.transfers.size())))->first);
        } else if (what == 7) {
            m.pace.limit(limit_scope::host(host()), byte_rate::of(any(5) * 300 * kib), m.now);
        } else if (what == 8) {
            m.pace.limit(limit_scope::job("job 1"), byte_rate::unlimited(), m.now);
        } else {
            m.pace.limit(limit_scope::lane("lane 1"), any(2) == 0 ? byte_rate() : byte_rate::of(mib), m.now);
        }
        m.run(milliseconds(any(50)));
    }
    CHECK(worst_window(m, 2 * mib, seconds(1), start) <= 1.0);  // less is correct: there may be no transfer
    for (time_point from = start; from < m.now; from += milliseconds(500)) {
        CHECK(double(m.sent_between(from, from + seconds(1))) <= 1.15 * 2 * mib);
    }
    for (int i = 0; i < 3; ++i) {
        m.pace.limit(limit_scope::host("host " + std::to_string(i)), byte_rate(), m.now);
    }
    const auto before = m.transfers;
    m.run(seconds(3));
    for (const auto& [whose, one] : m.transfers) {
        CHECK(one.sent > before.at(whose).sent);
    }
}

}  // namespace waybill::test
