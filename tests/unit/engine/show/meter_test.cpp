// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/show/meter.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>

namespace waybill::test {
namespace {

using namespace detail;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr meter::time_point start{std::chrono::hours(10)};

TEST_CASE("a meter that saw one count knows no speed", "[engine][meter]") {
    meter m;
    CHECK(m.speed() == 0);
    m.observe(start, 1'000'000);
    CHECK(m.speed() == 0);  // what was sent before it looked is not speed
    m.observe(start, 2'000'000);
    CHECK(m.speed() == 0);  // nor is what took no time
}

TEST_CASE("a steady flow has its speed from the second look on, however often one looks", "[engine][meter]") {
    for (const int interval : {1, 10, 100, 1'000, 10'000}) {
        meter m;
        for (int i = 0; i < 50; ++i) {
            m.observe(start + milliseconds(interval * i), static_cast<std::uint64_t>(interval) * 500 * i);
            if (i > 0) {
                INFO(interval << " ms, look " << i);
                CHECK(m.speed() == Approx(500'000.0));
            }
        }
    }
}

TEST_CASE("a meter follows a change within seconds and forgets the old speed", "[engine][meter]") {
    meter m;
    std::uint64_t bytes = 0;
    auto now = start;
    for (int i = 0; i < 200; ++i) {
        m.observe(now += milliseconds(100), bytes += 100'000);  // 1 MB/s
    }
    for (int i = 0; i < 30; ++i) {
        m.observe(now += milliseconds(100), bytes += 10'000);  // 3 s of 0.1 MB/s
    }
    CHECK(m.speed() < 500'000);
    CHECK(m.speed() > 100'000);
    for (int i = 0; i < 170; ++i) {
        m.observe(now += milliseconds(100), bytes += 10'000);
    }
    CHECK(m.speed() == Approx(100'000.0).epsilon(0.02));
}

TEST_CASE("a flow that stops slows down to nothing", "[engine][meter]") {
    meter m;
    m.observe(start, 0);
    m.observe(start + seconds(1), 1'000'000);
    m.observe(start + seconds(61), 1'000'000);
    CHECK(m.speed() < 1'000);
}

TEST_CASE("a count that falls begins anew", "[engine][meter]") {
    meter m;
    m.observe(start, 0);
    m.observe(start + seconds(1), 1'000'000);
    CHECK(m.speed() > 0);
    m.observe(start + seconds(2), 500);
    CHECK(m.speed() == 0);
    m.observe(start + seconds(3), 1'500);
    CHECK(m.speed() == Approx(1'000.0));
}

TEST_CASE("a clock that stands still or goes back does no harm", "[engine][meter]") {
    meter m;
    m.observe(start, 0);
    m.observe(start + seconds(1), 1'000);
    const double before = m.speed();
    m.observe(start + seconds(1), 2'000);
    m.observe(start, 3'000);
    CHECK(m.speed() == before);
    // The bytes of the looks that did not count are in the next.
    m.observe(start + seconds(2), 2'000);
    CHECK(m.speed() == Approx(1'000.0));
}

}  // namespace
}  // namespace waybill::test
