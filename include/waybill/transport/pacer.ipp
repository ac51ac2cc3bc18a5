// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/transport/pacer.hpp>

#include <algorithm>

namespace waybill {

WAYBILL_DECL void pacer::limit(const limit_scope& what, byte_rate rate, time_point now) {
    refill(now);
    for (auto& [whose, t] : transfers_) {
        if (std::find(t.job->scopes.begin(), t.job->scopes.end(), what) != t.job->scopes.end()) {
            take_back(t);
        }
    }
    levels_.erase(what);
    if (!rate.is_unlimited()) {
        levels_.emplace(what, level{detail::token_bucket(rate, now)});
    }
    for (auto& [scope, one] : levels_) {
        one.started = 0;
    }
    for (group& job : groups_) {
        find_levels(job);
    }
    start_those_that_may();
}

WAYBILL_DECL pacer::ticket pacer::join(const pace_path& who) {
    transfer made;
    made.job = &group_of(who);
    ++made.job->transfers;
    transfers_.emplace(++last_, made);
    start_those_that_may();
    std::erase(to_report_, last_);  // the caller asks `has_started` itself
    return last_;
}

WAYBILL_DECL void pacer::leave(ticket whose, time_point now) {
    refill(now);
    transfer& t = transfers_.at(whose);
    take_back(t);
    stop_waiting(whose, t);
    group* const job = t.job;
    if (t.started) {
        jobs_ -= --job->started == 0 ? 1 : 0;
        for (level* one : job->levels) {
            --one->started;
        }
    }
    transfers_.erase(whose);
    std::erase(to_report_, whose);
    if (--job->transfers == 0) {
        groups_.remove_if([job](const group& one) { return &one == job; });
    }
    start_those_that_may();
}

WAYBILL_DECL std::size_t pacer::quantum(ticket whose) const {
    return needed(*transfers_.at(whose).job);
}

WAYBILL_DECL std::size_t pacer::take(ticket whose, std::size_t want, time_point now) {
    transfer& t = transfers_.at(whose);
    const group& job = *t.job;
    if (job.levels.empty()) {
        return want;
    }
    if (t.granted == 0 && t.wanted == 0) {
        refill(now);
        if (round_.empty() && room(job) >= std::min(want, needed(job))) {
            grant(t, std::min({want, turn(job), room(job)}));
        } else {
            t.all_or_none = false;
            wait(whose, t, want);
        }
    }
    const std::size_t taken = t.wanted == 0 ? std::min(want, t.granted) : 0;
    t.granted -= taken;
    return taken;
}

WAYBILL_DECL bool pacer::take_all(ticket whose, std::size_t want, time_point now) {
    transfer& t = transfers_.at(whose);
    if (t.job->levels.empty()) {
        return true;
    }
    if (t.granted < want && t.wanted == 0) {
        refill(now);
        if (round_.empty() && room(*t.job) >= want - t.granted) {
            grant(t, want - t.granted);
        } else {
            t.all_or_none = true;
            wait(whose, t, want);
        }
    }
    const bool enough = t.wanted == 0;
    t.granted -= enough ? want : 0;
    return enough;
}

WAYBILL_DECL pacer::group& pacer::group_of(const pace_path& who) {
    const auto known = std::find_if(groups_.begin(), groups_.end(), [&](const group& one) { return one.who == who; });
    if (known != groups_.end() && !who.job.empty()) {
        return *known;
    }
    groups_.push_back({who});
    group& made = groups_.back();
    made.scopes = {limit_scope::total(), limit_scope::host(who.host), limit_scope::lane(who.lane)};
    if (!who.job.empty()) {
        made.scopes.push_back(limit_scope::job(who.job));
    }
    find_levels(made);
    return made;
}

/// Finds the limits that apply to the job.
WAYBILL_DECL void pacer::find_levels(group& job) {
    job.levels.clear();
    for (const limit_scope& scope : job.scopes) {
        if (const auto found = levels_.find(scope); found != levels_.end()) {
            job.levels.push_back(&found->second);
            found->second.started += job.started;
        }
    }
}

/// The last place under a limit is for a job that has none, so it need not wait for the end of a transfer of another
/// job.
WAYBILL_DECL bool pacer::may_start(const group& job) {
    return std::all_of(job.levels.begin(), job.levels.end(), [&job](const level* one) {
        const bool has_place = one->started + (job.started == 0 ? 0 : 1) < one->bucket.most_transfers();
        return !one->bucket.is_stopped() && (has_place || one->started == 0);
    });
}

WAYBILL_DECL void pacer::start(ticket whose, transfer& t) {
    t.started = true;
    jobs_ += ++t.job->started == 1 ? 1 : 0;
    for (level* one : t.job->levels) {
        ++one->started;
    }
    to_report_.push_back(whose);
}

/// Transfers of the job with the fewest started ones go first; among these, the oldest.
WAYBILL_DECL void pacer::start_those_that_may() {
    for (;;) {
        auto first = transfers_.end();
        for (auto i = transfers_.begin(); i != transfers_.end(); ++i) {
            const bool better = first == transfers_.end() || i->second.job->started < first->second.job->started;
            if (!i->second.started && better && may_start(*i->second.job)) {
                first = i;
            }
        }
        if (first == transfers_.end()) {
            return;
        }
        start(first->first, first->second);
    }
}

}  // namespace waybill
