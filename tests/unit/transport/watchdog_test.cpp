// SPDX-License-Identifier: BSL-1.0
#include <waybill/transport/watchdog.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace waybill::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr watchdog::time_point start{std::chrono::hours(1'000)};

request_limits limits() {
    request_limits l;
    l.connect = seconds(10);
    l.stall = seconds(20);
    l.response = seconds(300);
    return l;
}

TEST_CASE("a connection that never comes is given up after the transport had its chance", "[transport][watchdog]") {
    const watchdog dog(limits(), start);
    CHECK(dog.deadline() == start + seconds(30));
    CHECK_FALSE(dog.bite(start + seconds(30) - milliseconds(1)));
    CHECK(dog.bite(start + seconds(30)) == errc::connect_timed_out);
}

TEST_CASE("while sending, every byte moves the deadline", "[transport][watchdog]") {
    watchdog dog(limits(), start);
    auto now = start + seconds(9);
    dog.observe(now, true, 0, false);
    CHECK(dog.deadline() == now + seconds(20));
    for (std::uint64_t sent = 1; sent < 100; ++sent) {
        now += seconds(19);
        CHECK_FALSE(dog.bite(now));
        dog.observe(now, true, sent, false);
        CHECK(dog.deadline() == now + seconds(20));
    }
    CHECK(dog.bite(now + seconds(20)) == errc::send_stalled);
}

TEST_CASE("looking without progress does not move the deadline", "[transport][watchdog]") {
    watchdog dog(limits(), start);
    dog.observe(start, true, 500, false);
    for (int s = 1; s < 20; ++s) {
        dog.observe(start + seconds(s), true, 500, false);
        CHECK_FALSE(dog.bite(start + seconds(s)));
    }
    CHECK(dog.deadline() == start + seconds(20));
    CHECK(dog.bite(start + seconds(20)) == errc::send_stalled);
}

TEST_CASE("after the body each interim response begins the wait for the answer anew, twelve times in all",
          "[transport][watchdog]") {
    watchdog dog(limits(), start);
    dog.observe(start, true, 1000, true);
    auto now = start;
    std::uint64_t interims = 0;
    while (now + seconds(299) < start + seconds(300) * watchdog::most_answer_limits) {
        now += seconds(299);
        CHECK_FALSE(dog.bite(now));
        dog.observe(now, true, 1000, true, ++interims);
    }
    CHECK(interims > 10);
    CHECK(dog.deadline() == start + seconds(300) * watchdog::most_answer_limits);
    CHECK(dog.bite(dog.deadline()) == errc::response_timed_out);
}

TEST_CASE("interim responses in mid-body do not replace progress", "[transport][watchdog]") {
    watchdog dog(limits(), start);
    dog.observe(start, true, 500, false);
    dog.observe(start + seconds(10), true, 500, false, 1);
    CHECK(dog.deadline() == start + seconds(20));
}

TEST_CASE("once all is sent, the answer has its own time", "[transport][watchdog]") {
    watchdog dog(limits(), start);
    dog.observe(start, true, 900, false);
    const auto sent_at = start + seconds(15);
    dog.observe(sent_at, true, 1000, true);
    CHECK(dog.deadline() == sent_at + seconds(300));
    dog.observe(sent_at + seconds(200), true, 1000, true);
    CHECK(dog.deadline() == sent_at + seconds(300));
    CHECK_FALSE(dog.bite(sent_at + seconds(299)));
    CHECK(dog.bite(sent_at + seconds(300)) == errc::response_timed_out);
}

TEST_CASE("a request without a body waits for its answer at once", "[transport][watchdog]") {
    watchdog dog(limits(), start);
    dog.observe(start + seconds(1), true, 0, true);
    CHECK(dog.deadline() == start + seconds(301));
}

TEST_CASE("a body that continues to be sent after all seemed sent is sending again", "[transport][watchdog]") {
    watchdog dog(limits(), start);
    dog.observe(start, true, 1000, true);
    dog.observe(start + seconds(1), true, 1000, false);
    CHECK(dog.deadline() == start + seconds(21));
    CHECK(dog.bite(start + seconds(21)) == errc::send_stalled);
}

}  // namespace
}  // namespace waybill::test
