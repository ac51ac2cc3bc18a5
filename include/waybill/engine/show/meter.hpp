// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>

namespace waybill::detail {

/// Turns a growing byte count into a speed: an exponentially weighted average over about three seconds. Pure: the time
/// is an argument.
class meter {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// @param bytes the count so far; when it falls, as it does in a new attempt, the meter restarts.
    void observe(time_point now, std::uint64_t bytes) noexcept {
        if (!begun_ || bytes < bytes_) {
            *this = meter();
            begun_ = true;
        } else if (now > at_) {
            const double seconds = std::chrono::duration<double>(now - at_).count();
            const double current = static_cast<double>(bytes - bytes_) / seconds;
            const double weight = 1.0 - std::exp(-seconds / 3.0);
            // The first second's average is weighted from its own start, not from zero.
            weight_ += (1.0 - weight_) * weight;
            speed_ += (current - speed_) * (weight / weight_);
        } else {
            return;
        }
        at_ = now;
        bytes_ = bytes;
    }

    /// Bytes per second.
    [[nodiscard]] double speed() const noexcept { return speed_; }

private:
    bool begun_ = false;
    time_point at_{};
    std::uint64_t bytes_ = 0;
    double weight_ = 0;
    double speed_ = 0;
};

}  // namespace waybill::detail
