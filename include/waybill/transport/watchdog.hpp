// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/transport/request.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace waybill {

/// Decides when a request has stopped getting on. Pure: it is told the time.
///
/// libcurl's own low-speed limit also ends an upload whose server is still working on the answer,
/// and counts pauses; so there are two dogs of our own, one while sending, one for the answer.
class watchdog {
public:
    using time_point = std::chrono::steady_clock::time_point;

    watchdog(const request_limits& limits, time_point now) : limits_(limits), since_(now) {}

    /// Tells what is known, and since when; true progress moves the deadline.
    void observe(time_point since, bool connected, std::uint64_t sent, bool body_sent) noexcept {
        if (connected != connected_ || sent != sent_ || body_sent != body_sent_) {
            connected_ = connected;
            sent_ = sent;
            body_sent_ = body_sent;
            since_ = std::max(since_, since);
        }
    }

    /// The request waited for us until `now`, not for the server.
    void pardon(time_point now) noexcept { since_ = std::max(since_, now); }

    /// When to look again; not later than the time at which it would bite.
    [[nodiscard]] time_point deadline() const noexcept {
        if (!connected_) {
            // The transport's own connect timeout comes first; this is the net below it.
            return since_ + limits_.connect + limits_.stall;
        }
        return since_ + (body_sent_ ? limits_.answer : limits_.stall);
    }

    /// The failure to end the request with, if it is time.
    [[nodiscard]] std::optional<errc> bite(time_point now) const noexcept {
        if (now < deadline()) {
            return std::nullopt;
        }
        if (!connected_) {
            return errc::connect_timed_out;
        }
        return body_sent_ ? errc::answer_timed_out : errc::send_stalled;
    }

private:
    request_limits limits_;
    time_point since_;
    bool connected_ = false;
    std::uint64_t sent_ = 0;
    bool body_sent_ = false;
};

}  // namespace waybill
