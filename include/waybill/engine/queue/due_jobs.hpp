// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/ids.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace waybill::detail {

/// Jobs outside of their lanes of which each is due at a time: paused ones that go on by themselves. Pure.
class due_jobs {
public:
    using time_point = std::chrono::steady_clock::time_point;

    void set(job_seq seq, time_point when) {
        erase(seq);
        times_.emplace(seq, when);
        in_order_.emplace(when, seq);
    }
    void erase(job_seq seq) {
        if (const auto found = times_.find(seq); found != times_.end()) {
            in_order_.erase({found->second, seq});
            times_.erase(found);
        }
    }
    void clear() {
        times_.clear();
        in_order_.clear();
    }

    [[nodiscard]] std::optional<time_point> first() const {
        return in_order_.empty() ? std::nullopt : std::optional(in_order_.begin()->first);
    }
    /// One whose time has come; it is known until it is set again or erased.
    [[nodiscard]] std::optional<job_seq> next(time_point now) const {
        return in_order_.empty() || in_order_.begin()->first > now ? std::nullopt
                                                                   : std::optional(in_order_.begin()->second);
    }

private:
    std::map<job_seq, time_point> times_;
    std::set<std::pair<time_point, job_seq>> in_order_;
};

}  // namespace waybill::detail
