// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/transport/byte_rate.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace waybill::detail {

/// Bytes that may be sent under one limit. It fills at the limit's rate and holds at most a tenth of a second's bytes.
/// It begins empty: a limit that is new, or was changed, gives no credit. Pure: the time is an argument.
class token_bucket {
public:
    using time_point = std::chrono::steady_clock::time_point;

    token_bucket(byte_rate rate, time_point now) : rate_(static_cast<double>(rate.per_second())), filled_(now) {}

    [[nodiscard]] bool is_stopped() const noexcept { return rate_ == 0; }

    /// How much is handed over at a time: enough to be worth a call, too little to be noticed as a burst. At a very low
    /// rate it is half a second's bytes, so that no transfer waits longer than that for it.
    [[nodiscard]] std::size_t quantum() const noexcept {
        constexpr double least = 4 << 10;
        constexpr double most = 256 << 10;
        return whole(std::min(std::clamp(rate_ * 0.025, least, most), rate_ / 2));
    }

    /// A job's part of a round in which each of `jobs` has one: a round lasts at most half a second.
    [[nodiscard]] std::size_t share(std::size_t jobs) const noexcept {
        return std::min(quantum(), whole(rate_ / 2 / static_cast<double>(std::max<std::size_t>(jobs, 1))));
    }

    /// How many transfers may run concurrently: each gets at least 16 KiB per second, or servers would time out.
    [[nodiscard]] std::size_t most_transfers() const noexcept { return whole(rate_ / (16 << 10)); }

    void refill(time_point now) noexcept {
        if (now > filled_) {
            const std::chrono::duration<double> passed = now - filled_;
            const double depth = std::max(static_cast<double>(quantum()), rate_ * 0.1);
            tokens_ = std::min(tokens_ + rate_ * passed.count(), depth);
            filled_ = now;
        }
    }

    [[nodiscard]] std::size_t available() const noexcept { return static_cast<std::size_t>(tokens_ + rounding); }

    /// At most what is available.
    void take(std::size_t bytes) noexcept { tokens_ = std::max(tokens_ - static_cast<double>(bytes), 0.0); }
    /// Returns bytes that were taken and not sent.
    void give_back(std::size_t bytes) noexcept { tokens_ += static_cast<double>(bytes); }

    /// When `bytes` will be available.
    [[nodiscard]] time_point when(std::size_t bytes) const noexcept {
        const double missing = static_cast<double>(bytes) - tokens_;
        if (missing <= 0) {
            return filled_;
        }
        constexpr double too_long = 1e9;  // seconds: longer than a duration can hold, or never
        if (missing > rate_ * too_long) {
            return time_point::max();
        }
        const std::chrono::duration<double> wait(missing / rate_);
        return filled_ + std::chrono::ceil<std::chrono::microseconds>(wait);
    }

private:
    static constexpr double rounding = 1e-3;

    /// At least one, so that every transfer makes progress.
    [[nodiscard]] static std::size_t whole(double bytes) noexcept {
        constexpr double most = 1e15;
        return static_cast<std::size_t>(std::clamp(bytes, 1.0, most));
    }

    double rate_;
    double tokens_ = 0;
    time_point filled_;
};

}  // namespace waybill::detail
