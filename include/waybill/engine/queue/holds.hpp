// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/hold.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace waybill::detail {

/// The holds on all jobs and on lanes, and when each of them ends by itself. Pure.
class holds {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// @param now the wall clock, and the same moment by the steady one: a hold never lasts longer than it was meant to
    /// when it was set, however the wall clock is adjusted.
    void set(const hold& what, unix_millis now, time_point steady_now) {
        erase(what.which);
        entry& one = all_[what.which];
        one.pause = what.pause;
        constexpr std::chrono::milliseconds nothing(0);
        if (what.pause.lasting > nothing) {
            const auto left =
                std::clamp<std::chrono::milliseconds>(what.pause.until - now, nothing, what.pause.lasting);
            end_at(what.which, one, steady_now + left);
        }
    }
    void erase(const selection& which) {
        if (const auto found = all_.find(which); found != all_.end()) {
            end_at(which, found->second, std::nullopt);
            all_.erase(found);
        }
    }
    void clear() {
        all_.clear();
        ends_.clear();
    }

    [[nodiscard]] std::optional<hold> find(const selection& which) const {
        const auto found = all_.find(which);
        return found == all_.end() ? std::nullopt : std::optional(hold{which, found->second.pause});
    }
    [[nodiscard]] std::vector<hold> list() const {
        std::vector<hold> result;
        for (const auto& [which, one] : all_) {
            result.push_back({which, one.pause});
        }
        return result;
    }

    [[nodiscard]] std::optional<time_point> first_end() const {
        return ends_.empty() ? std::nullopt : std::optional(ends_.begin()->first);
    }
    /// One whose time is over.
    [[nodiscard]] std::optional<selection> over(time_point now) const {
        return ends_.empty() || ends_.begin()->first > now ? std::nullopt : std::optional(ends_.begin()->second);
    }
    /// It could not be ended: another time.
    void postpone(const selection& which, time_point until) {
        if (const auto found = all_.find(which); found != all_.end()) {
            end_at(which, found->second, until);
        }
    }

private:
    struct entry {
        job_pause pause;
        std::optional<time_point> end;
    };

    void end_at(const selection& which, entry& one, std::optional<time_point> when) {
        if (one.end) {
            ends_.erase({*one.end, which});
        }
        one.end = when;
        if (when) {
            ends_.emplace(*when, which);
        }
    }

    std::map<selection, entry> all_;
    std::set<std::pair<time_point, selection>> ends_;
};

}  // namespace waybill::detail
