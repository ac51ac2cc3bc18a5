// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/record.hpp>

#include <compare>
#include <optional>
#include <string>
#include <utility>

namespace waybill {

/// Which jobs an operation concerns: all, or those of a lane. Jobs that are accepted later are included.
class selection {
public:
    [[nodiscard]] static selection all() { return {}; }
    [[nodiscard]] static selection lane(std::string name) {
        selection of_lane;
        of_lane.lane_ = std::move(name);
        return of_lane;
    }

    [[nodiscard]] bool is_all() const noexcept { return !lane_.has_value(); }
    /// Empty when it concerns all jobs.
    [[nodiscard]] const std::optional<std::string>& lane_name() const noexcept { return lane_; }
    [[nodiscard]] bool includes_lane(const std::string& name) const noexcept { return !lane_ || *lane_ == name; }

    auto operator<=>(const selection&) const = default;

private:
    selection() = default;

    std::optional<std::string> lane_;
};

/// A rule that keeps jobs from starting, until it is removed or its time is over. Its jobs are not changed by it.
struct hold {
    selection which = selection::all();
    job_pause pause;  ///< until when, and why

    bool operator==(const hold&) const = default;
};

}  // namespace waybill
