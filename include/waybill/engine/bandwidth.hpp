// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/store.hpp>
#include <waybill/transport/bandwidth_limits.hpp>
#include <waybill/transport/timetable.hpp>
#include <waybill/transport/transport.hpp>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace waybill::detail {

/// The limits that hold now: those of the options, and over them those that the app has set since.
class bandwidth {
public:
    explicit bandwidth(const bandwidth_limits& of_options) {
        in_options_.emplace(limit_scope::total(), of_options.total);
        for (const auto& [host, rates] : of_options.hosts) {
            in_options_.emplace(limit_scope::host(host), rates);
        }
        for (const auto& [lane, rates] : of_options.lanes) {
            in_options_.emplace(limit_scope::lane(lane), rates);
        }
    }

    /// What limits this. `off`: nothing does.
    [[nodiscard]] std::string rates_of(const limit_scope& what) const {
        if (const auto set = set_.find(what); set != set_.end()) {
            return set->second;
        }
        const auto found = in_options_.find(what);
        return found == in_options_.end() ? "off" : found->second;
    }

    /// Sets what the app wants; empty: as the options say again. Returns what was set before.
    std::string set(const limit_scope& what, std::string rates) {
        std::string& place = set_[what];
        std::string before = std::exchange(place, std::move(rates));
        if (place.empty()) {
            set_.erase(what);
        }
        return before;
    }
    /// Begins with what the store has; a text that cannot be read is no limit. Jobs' limits are not in it.
    void set_stored(const std::vector<bandwidth_limit>& all) {
        std::erase_if(set_, [](const auto& one) { return one.first.what() != limit_scope::kind::job; });
        for (const bandwidth_limit& one : all) {
            if (is_timetable(one.rates)) {
                set_[one.what] = one.rates;
            }
        }
    }
    /// A job is finished.
    void drop(const limit_scope& what, transport& over) {
        if (set_.erase(what) != 0) {
            apply(what, over);
        }
    }

    /// All that there are.
    [[nodiscard]] std::vector<bandwidth_limit> list() const {
        std::map<limit_scope, std::string> all = set_;
        all.insert(in_options_.begin(), in_options_.end());
        std::vector<bandwidth_limit> result;
        for (const auto& [what, rates] : all) {
            if (!timetable(rates).is_unlimited()) {
                result.push_back({what, rates});
            }
        }
        return result;
    }

    /// Tells the transport what holds for `what`. Without a limit, any transport will do.
    void apply(const limit_scope& what, transport& over) {
        const timetable read(rates_of(what));
        if (!read.is_unlimited()) {
            over.limit(what, read);
            limited_.insert(what);
        } else if (limited_.erase(what) != 0) {
            over.limit(what, read);
        }
    }
    void apply_all(transport& over) {
        std::set<limit_scope> all = limited_;
        for (const bandwidth_limit& one : list()) {
            all.insert(one.what);
        }
        for (const limit_scope& what : all) {
            apply(what, over);
        }
    }

private:
    [[nodiscard]] static bool is_timetable(const std::string& text) {
        try {
            static_cast<void>(timetable(text));
            return true;
        } catch (const error&) {
            return false;
        }
    }

    std::map<limit_scope, std::string> in_options_;
    std::map<limit_scope, std::string> set_;
    std::set<limit_scope> limited_;  // what the transport was told to limit
};

}  // namespace waybill::detail
