// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/transport/pacer.hpp>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

// Whose turn it is, and how much that is.
namespace waybill {
namespace detail {

template <class Levels, class Reserved>
[[nodiscard]] bool uses_any_of(const Levels& levels, const Reserved& reserved) {
    return std::find_first_of(levels.begin(), levels.end(), reserved.begin(), reserved.end()) != levels.end();
}

/// Reserves the limits that have too little for the job. A limit that is stopped is not reserved: no job can wait for
/// it.
template <class Levels, class Reserved>
void reserve_lacking(const Levels& levels, std::size_t enough, Reserved& reserved) {
    std::copy_if(levels.begin(), levels.end(), std::back_inserter(reserved),
                 [enough](const auto* one) { return one->bucket.available() < enough && !one->bucket.is_stopped(); });
}

}  // namespace detail

WAYBILL_DECL pacer::time_point pacer::next_wake() const {
    if (!to_report_.empty()) {
        return time_point::min();
    }
    time_point first = time_point::max();
    reserved_levels reserved;
    for (const group* job : round_) {
        const std::size_t enough = std::min(needed(*job), wanted(*job));
        time_point ready = time_point::min();
        for (const level* one : job->levels) {
            ready = std::max(ready, one->bucket.when(enough));
        }
        first = detail::uses_any_of(job->levels, reserved) ? first : std::min(first, ready);
        detail::reserve_lacking(job->levels, enough, reserved);
    }
    // The transfers that were resumed a moment ago have to ask again first, or they would miss their turn.
    constexpr std::chrono::milliseconds moment(1);
    return first == time_point::max() ? first : std::max(first, served_ + moment);
}

WAYBILL_DECL std::vector<pacer::ticket> pacer::wake(time_point now) {
    refill(now);
    served_ = now;
    reserved_levels reserved;
    for (auto i = round_.begin(); i != round_.end();) {
        const auto current = i++;
        if (serve(**current, reserved)) {
            round_.splice(round_.end(), round_, current);
            i = i == round_.end() ? current : i;
        }
    }
    std::vector<ticket> awake = std::exchange(to_report_, {});
    for (auto& [whose, t] : transfers_) {
        const bool enough = t.all_or_none ? t.granted >= t.wanted : t.granted > 0;
        if (t.wanted > 0 && (enough || t.job->levels.empty())) {
            stop_waiting(whose, t);
            awake.push_back(whose);
        }
    }
    return awake;
}

WAYBILL_DECL void pacer::refill(time_point now) {
    for (auto& [scope, one] : levels_) {
        one.bucket.refill(now);
    }
}

WAYBILL_DECL std::size_t pacer::room(const group& job) {
    std::size_t least = std::numeric_limits<std::size_t>::max();
    for (const level* one : job.levels) {
        least = std::min(least, one->bucket.available());
    }
    return least;
}

/// How much must be available before it is served: its share of the narrowest limit.
WAYBILL_DECL std::size_t pacer::needed(const group& job) const {
    std::size_t least = std::numeric_limits<std::size_t>::max();
    for (const level* one : job.levels) {
        least = std::min(least, one->bucket.share(jobs_));
    }
    return least;
}

/// What it gets in its turn: its share of the widest limit, which it shares with the most jobs.
WAYBILL_DECL std::size_t pacer::turn(const group& job) const {
    std::size_t most = 0;
    for (const level* one : job.levels) {
        most = std::max(most, one->bucket.share(jobs_));
    }
    return most;
}

WAYBILL_DECL std::size_t pacer::wanted(const group& job) const {
    std::size_t sum = 0;
    for (const ticket whose : job.waiting) {
        const transfer& t = transfers_.at(whose);
        sum += t.wanted - t.granted;
    }
    return sum;
}

/// What each of its waiting transfers gets of its credit: at least 4 KiB, unless one of them would then wait for more
/// than half a second.
WAYBILL_DECL std::size_t pacer::piece(const group& job) const {
    const std::size_t waiting = job.waiting.size();
    std::size_t in_time = 4 << 10;
    for (const level* one : job.levels) {
        in_time = std::min(in_time, one->bucket.most_transfers() * (8 << 10) / (jobs_ * waiting));
    }
    return std::max((job.credit + waiting - 1) / waiting, in_time);
}

/// Gives a job its turn, or the rest of it, if enough is available; otherwise reserves what it lacks. True: the turn
/// has ended.
WAYBILL_DECL bool pacer::serve(group& job, reserved_levels& reserved) {
    const std::size_t enough = std::min(needed(job), wanted(job));
    if (job.levels.empty() || enough == 0 || detail::uses_any_of(job.levels, reserved) || room(job) < enough) {
        detail::reserve_lacking(job.levels, enough, reserved);
        return false;
    }
    job.credit = job.credit == 0 ? turn(job) : job.credit;
    const std::size_t most = piece(job);
    for (std::size_t visits = job.waiting.size(); visits > 0 && job.credit > 0; --visits) {
        transfer& t = transfers_.at(job.waiting.front());
        job.waiting.splice(job.waiting.end(), job.waiting, job.waiting.begin());
        const std::size_t bytes = std::min({t.wanted - t.granted, most, job.credit, room(job)});
        grant(t, bytes);
        job.credit -= bytes;
    }
    return job.credit == 0;
}

WAYBILL_DECL void pacer::grant(transfer& t, std::size_t bytes) {
    for (level* one : t.job->levels) {
        one->bucket.take(bytes);
    }
    t.granted += bytes;
}

WAYBILL_DECL void pacer::take_back(transfer& t) {
    for (level* one : t.job->levels) {
        one->bucket.give_back(t.granted);
    }
    t.granted = 0;
}

WAYBILL_DECL void pacer::wait(ticket whose, transfer& t, std::size_t want) {
    t.wanted = want;
    t.job->waiting.push_back(whose);
    if (t.job->waiting.size() == 1) {
        round_.insert(t.job->credit > 0 ? round_.begin() : round_.end(), t.job);
    }
}

WAYBILL_DECL void pacer::stop_waiting(ticket whose, transfer& t) {
    if (t.wanted > 0) {
        t.wanted = 0;
        t.job->waiting.remove(whose);
        if (t.job->waiting.empty()) {
            round_.remove(t.job);
        }
    }
}

}  // namespace waybill
