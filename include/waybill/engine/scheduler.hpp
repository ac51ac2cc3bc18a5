// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/ids.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace waybill {

/// Decides which job runs next. Pure: it knows no clock, no store and no network.
///
/// Jobs of one lane run one at a time, in order; a job that waits for its next attempt keeps its
/// place at the head, a job that is set aside leaves the lane. Across lanes the job accepted first
/// goes first, up to a number of jobs at once.
///
/// It need not know a lane's whole queue: the engine feeds it the first jobs and, when asked by
/// `hungry`, the next ones. Every operation takes logarithmic time.
class scheduler {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit scheduler(std::size_t jobs_at_once) : jobs_at_once_(jobs_at_once) {}

    /// Makes an open job known. Known jobs are ignored, and so are those that follow a gap: their
    /// turn comes when the store is asked for what follows the last one known.
    void push(const std::string& lane_name, job_seq seq, time_point ready) {
        auto& [name, l] = *lanes_.try_emplace(lane_name).first;
        if (!l.more || seq <= l.last) {
            insert(name, l, seq, ready);
        }
    }

    /// Makes known what follows the last known job of a lane: the answer to `hungry`, and the
    /// beginning of every lane. `more`: the store has still further jobs of it.
    void refill(const std::string& lane_name, const std::vector<std::pair<job_seq, time_point>>& following, bool more) {
        auto& [name, l] = *lanes_.try_emplace(lane_name).first;
        for (const auto& [seq, ready] : following) {
            insert(name, l, seq, ready);
        }
        l.more = more;
        settle(lane_name);
    }

    /// The job to run now, if any; its lane is taken until `leave` or `wait`.
    [[nodiscard]] std::optional<job_seq> next(time_point now) {
        while (!sleeping_.empty() && sleeping_.begin()->first <= now) {
            ready_.insert(sleeping_.begin()->second);
            sleeping_.erase(sleeping_.begin());
        }
        if (ready_.empty() || running_ >= jobs_at_once_) {
            return std::nullopt;
        }
        const job_seq seq = *ready_.begin();
        lane& l = lane_of(seq);
        withdraw(l);
        l.running = seq;
        ++running_;
        return seq;
    }

    /// When `next` may have something it does not have now; none: never without a change.
    [[nodiscard]] std::optional<time_point> deadline() const {
        if (sleeping_.empty() || running_ >= jobs_at_once_) {
            return std::nullopt;
        }
        return sleeping_.begin()->first;
    }

    /// A job leaves its lane: it is terminal or set aside. Unknown jobs are ignored.
    void leave(job_seq seq) {
        const auto found = by_seq_.find(seq);
        if (found == by_seq_.end()) {
            return;
        }
        const std::string name = *found->second;
        lane& l = lanes_.at(name);
        stop_if_running(l, seq);
        withdraw(l);
        l.jobs.erase(seq);
        by_seq_.erase(found);
        offer(l);
        settle(name);
    }

    /// A job stays at its place until `ready`.
    void wait(job_seq seq, time_point ready) {
        const auto found = by_seq_.find(seq);
        if (found == by_seq_.end()) {
            return;
        }
        lane& l = lanes_.at(*found->second);
        stop_if_running(l, seq);
        withdraw(l);
        l.jobs[seq] = ready;
        offer(l);
    }

    /// Keeps a job from being started while it is being changed, also when it leaves and comes back;
    /// as many calls of `release` let it go.
    void hold(job_seq seq) {
        held_.insert(seq);
        if (const auto found = by_seq_.find(seq); found != by_seq_.end()) {
            lane& l = lanes_.at(*found->second);
            withdraw(l);
            offer(l);
        }
    }
    void release(job_seq seq) {
        if (const auto one = held_.find(seq); one != held_.end()) {
            held_.erase(one);
        }
        if (const auto found = by_seq_.find(seq); found != by_seq_.end()) {
            offer(lanes_.at(*found->second));
        }
    }

    /// Forgets all jobs. Those that are held stay held when they come back.
    void clear() {
        running_ = 0;
        empty_.clear();
        ready_.clear();
        sleeping_.clear();
        by_seq_.clear();
        lanes_.clear();
    }

    /// A lane that has run out of known jobs while the store may have more, and the last one known.
    [[nodiscard]] std::optional<std::pair<std::string, job_seq>> hungry() const {
        if (empty_.empty()) {
            return std::nullopt;
        }
        const std::string& name = **empty_.begin();
        return std::pair(name, lanes_.at(name).last);
    }

    [[nodiscard]] std::size_t running() const noexcept { return running_; }

private:
    struct lane {
        std::map<job_seq, time_point> jobs;
        job_seq last{};
        bool more = false;
        std::optional<job_seq> running;
        std::optional<std::pair<time_point, job_seq>> offered;
    };

    lane& lane_of(job_seq seq) { return lanes_.at(*by_seq_.at(seq)); }

    void offer(lane& l) {
        withdraw(l);
        if (l.running || l.jobs.empty()) {
            return;
        }
        const auto& [seq, ready] = *l.jobs.begin();
        if (held_.contains(seq)) {
            return;
        }
        l.offered = std::pair(ready, seq);
        sleeping_.insert(*l.offered);
    }

    void withdraw(lane& l) {
        if (l.offered) {
            sleeping_.erase(*l.offered);
            ready_.erase(l.offered->second);
            l.offered.reset();
        }
    }

    void stop_if_running(lane& l, job_seq seq) {
        if (l.running == seq) {
            l.running.reset();
            --running_;
        }
    }

    void insert(const std::string& name, lane& l, job_seq seq, time_point ready) {
        if (l.jobs.try_emplace(seq, ready).second) {
            by_seq_.emplace(seq, &name);
            l.last = std::max(l.last, seq);
            empty_.erase(&name);
            offer(l);
        }
    }

    // A lane without known jobs is either hungry or gone.
    void settle(const std::string& name) {
        const auto found = lanes_.find(name);
        if (!found->second.jobs.empty()) {
            return;
        }
        if (found->second.more) {
            empty_.insert(&found->first);
        } else {
            empty_.erase(&found->first);
            lanes_.erase(found);
        }
    }

    std::size_t jobs_at_once_;
    std::size_t running_ = 0;
    std::map<std::string, lane> lanes_;
    std::map<job_seq, const std::string*> by_seq_;
    std::set<std::pair<time_point, job_seq>> sleeping_;  // heads of free lanes, by the time they are ready
    std::set<job_seq> ready_;                            // those whose time has come
    std::multiset<job_seq> held_;
    std::set<const std::string*> empty_;
};

}  // namespace waybill
