// SPDX-License-Identifier: BSL-1.0
#include <waybill/transport/request_timeouts.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace waybill::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr request_timeouts::time_point start{std::chrono::hours(1'000)};

request_limits limits() {
    request_limits l;
    l.connect = seconds(10);
    l.stall = seconds(20);
    l.response = seconds(300);
    return l;
}

TEST_CASE("a connection that never comes is given up after the transport had its chance",
          "[transport][request_timeouts]") {
    const request_timeouts timeouts(limits(), start);
    CHECK(timeouts.deadline() == start + seconds(30));
    CHECK_FALSE(timeouts.expired(start + seconds(30) - milliseconds(1)));
    CHECK(timeouts.expired(start + seconds(30)) == errc::connect_timed_out);
}

TEST_CASE("while sending, every byte moves the deadline", "[transport][request_timeouts]") {
    request_timeouts timeouts(limits(), start);
    auto now = start + seconds(9);
    timeouts.observe(now, true, 0, false);
    CHECK(timeouts.deadline() == now + seconds(20));
    for (std::uint64_t sent = 1; sent < 100; ++sent) {
        now += seconds(19);
        CHECK_FALSE(timeouts.expired(now));
        timeouts.observe(now, true, sent, false);
        CHECK(timeouts.deadline() == now + seconds(20));
    }
    CHECK(timeouts.expired(now + seconds(20)) == errc::send_stalled);
}

TEST_CASE("looking without progress does not move the deadline", "[transport][request_timeouts]") {
    request_timeouts timeouts(limits(), start);
    timeouts.observe(start, true, 500, false);
    for (int s = 1; s < 20; ++s) {
        timeouts.observe(start + seconds(s), true, 500, false);
        CHECK_FALSE(timeouts.expired(start + seconds(s)));
    }
    CHECK(timeouts.deadline() == start + seconds(20));
    CHECK(timeouts.expired(start + seconds(20)) == errc::send_stalled);
}

TEST_CASE("after the body each interim response begins the wait for the answer anew, twelve times in all",
          "[transport][request_timeouts]") {
    request_timeouts timeouts(limits(), start);
    timeouts.observe(start, true, 1000, true);
    auto now = start;
    std::uint64_t interims = 0;
    while (now + seconds(299) < start + seconds(300) * request_timeouts::max_response_limits) {
        now += seconds(299);
        CHECK_FALSE(timeouts.expired(now));
        timeouts.observe(now, true, 1000, true, ++interims);
    }
    CHECK(interims > 10);
    CHECK(timeouts.deadline() == start + seconds(300) * request_timeouts::max_response_limits);
    CHECK(timeouts.expired(timeouts.deadline()) == errc::response_timed_out);
}

TEST_CASE("interim responses in mid-body do not replace progress", "[transport][request_timeouts]") {
    request_timeouts timeouts(limits(), start);
    timeouts.observe(start, true, 500, false);
    timeouts.observe(start + seconds(10), true, 500, false, 1);
    CHECK(timeouts.deadline() == start + seconds(20));
}

TEST_CASE("once all is sent, the answer has its own time", "[transport][request_timeouts]") {
    request_timeouts timeouts(limits(), start);
    timeouts.observe(start, true, 900, false);
    const auto sent_at = start + seconds(15);
    timeouts.observe(sent_at, true, 1000, true);
    CHECK(timeouts.deadline() == sent_at + seconds(300));
    timeouts.observe(sent_at + seconds(200), true, 1000, true);
    CHECK(timeouts.deadline() == sent_at + seconds(300));
    CHECK_FALSE(timeouts.expired(sent_at + seconds(299)));
    CHECK(timeouts.expired(sent_at + seconds(300)) == errc::response_timed_out);
}

TEST_CASE("a request without a body waits for its answer at once", "[transport][request_timeouts]") {
    request_timeouts timeouts(limits(), start);
    timeouts.observe(start + seconds(1), true, 0, true);
    CHECK(timeouts.deadline() == start + seconds(301));
}

TEST_CASE("a body that continues to be sent after all seemed sent is sending again", "[transport][request_timeouts]") {
    request_timeouts timeouts(limits(), start);
    timeouts.observe(start, true, 1000, true);
    timeouts.observe(start + seconds(1), true, 1000, false);
    CHECK(timeouts.deadline() == start + seconds(21));
    CHECK(timeouts.expired(start + seconds(21)) == errc::send_stalled);
}

}  // namespace
}  // namespace waybill::test
