// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/clock.hpp>
#include <waybill/model/record.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace waybill::detail {

/// The wall clock in the store's unit, and the store's own time: how long it has existed, which no change of the wall
/// clock can make longer or shorter.
class store_clock {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit store_clock(std::shared_ptr<clock> of) : clock_(std::move(of)) {}

    [[nodiscard]] time_point steady_now() const noexcept { return clock_->steady_now(); }
    [[nodiscard]] unix_millis now() const {
        return std::chrono::time_point_cast<std::chrono::milliseconds>(clock_->system_now());
    }

    /// The store is opened, and had this time when it was used last. The time that it was closed counts as a day at
    /// most: a wall clock that was adjusted by years meanwhile must not make everything old.
    void open_at(store_time kept) {
        constexpr std::chrono::milliseconds nothing(0);
        constexpr std::chrono::milliseconds most = std::chrono::hours(24);
        opened_at_ = kept;
        if (kept.wall != unix_millis()) {
            opened_at_.closed += std::clamp<std::chrono::milliseconds>(now() - kept.wall, nothing, most);
        }
        opened_ = steady_now();
    }

    /// The store's own time.
    [[nodiscard]] store_time lived() const {
        store_time t = opened_at_;
        t.open += std::chrono::floor<std::chrono::milliseconds>(steady_now() - opened_);
        t.wall = now();
        return t;
    }

private:
    std::shared_ptr<clock> clock_;
    store_time opened_at_;
    time_point opened_{};
};

}  // namespace waybill::detail
