// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/transport/request.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace waybill {

/// Decides when a request no longer makes progress. Pure: the time is an argument.
///
/// libcurl's own low-speed limit also ends an upload whose server is still working on the response, and counts pauses.
/// So there are two timeouts instead, one while sending, one for the response.
class request_timeouts {
public:
    using time_point = std::chrono::steady_clock::time_point;

    request_timeouts(const request_limits& limits, time_point now) : limits_(limits), since_(now) {}

    /// Interim responses can extend the response timeout up to this many times.
    static constexpr int max_response_limits = 12;

    /// Records the current state and since when it holds; only true progress moves the deadline.
    ///
    /// @param interims interim responses so far. After the body, each one shows that the server is at work.
    void observe(time_point since, bool connected, std::uint64_t sent, bool body_sent,
                 std::uint64_t interims = 0) noexcept {
        const bool at_work = body_sent && interims != interims_;
        if (connected == connected_ && sent == sent_ && body_sent == body_sent_ && !at_work) {
            return;
        }
        const bool over = body_sent && !body_sent_;
        connected_ = connected;
        sent_ = sent;
        body_sent_ = body_sent;
        interims_ = interims;
        since_ = std::max(since_, since);
        if (over) {
            body_sent_at_ = since_;
        }
    }

    /// Until `now` the request waited for this process, not for the server.
    void extend(time_point now) noexcept {
        since_ = std::max(since_, now);
        body_sent_at_ = std::max(body_sent_at_, now);
    }

    /// When to check again; not later than the time at which it would expire.
    [[nodiscard]] time_point deadline() const noexcept {
        if (!connected_) {
            // The transport's own connect timeout comes first; this is a fallback.
            return since_ + limits_.connect + limits_.stall;
        }
        if (!body_sent_) {
            return since_ + limits_.stall;
        }
        // A server that only ever sends interim responses must time out eventually.
        return std::min(since_ + limits_.response, body_sent_at_ + limits_.response * max_response_limits);
    }

    /// The failure to end the request with, if a timeout has expired.
    [[nodiscard]] std::optional<errc> expired(time_point now) const noexcept {
        if (now < deadline()) {
            return std::nullopt;
        }
        if (!connected_) {
            return errc::connect_timed_out;
        }
        return body_sent_ ? errc::response_timed_out : errc::send_stalled;
    }

private:
    request_limits limits_;
    time_point since_;
    bool connected_ = false;
    std::uint64_t sent_ = 0;
    bool body_sent_ = false;
    time_point body_sent_at_{};
    std::uint64_t interims_ = 0;
};

}  // namespace waybill
