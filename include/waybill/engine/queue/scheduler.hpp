// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/model/ids.hpp>

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace waybill::detail {

/// The jobs of one lane that go to one origin. They keep their order among themselves.
struct queue_name {
    std::string lane;
    std::string origin = {};  ///< empty: jobs that keep order with their whole lane

    auto operator<=>(const queue_name&) const = default;
};

/// When a job may run, and which other jobs that affects.
struct job_turn {
    std::chrono::steady_clock::time_point ready{};
    bool aside = false;  ///< until then those behind it in its queue pass
};

/// Decides which job runs next. Pure: it knows no clock, no store and no network.
///
/// Jobs of one lane run one at a time. Those of one queue run in order: one that waits for its next attempt keeps its
/// place at the head, unless it waits aside; jobs of the lane's other queues pass. A job that leaves the lane makes
/// room for the next. Of all that may run, the job accepted first goes first, up to a number of concurrent jobs.
///
/// It need not know a whole queue: the engine feeds it the first jobs and, when `needs_refill` asks for them, the next
/// ones. Every operation takes logarithmic time.
class scheduler {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit scheduler(std::size_t max_concurrent_jobs) : max_concurrent_jobs_(max_concurrent_jobs) {}

    /// Makes an open job known. Known jobs are ignored, and so are those that follow a gap: their
    /// turn comes when the store is asked for what follows the last one known.
    void push(const queue_name& name, job_seq seq, job_turn when);

    /// Makes known the jobs that follow the last known one of a queue: the response to `needs_refill`, and the start of
    /// every queue. `more`: the store has further jobs of it.
    void refill(const queue_name& name, const std::vector<std::pair<job_seq, job_turn>>& following, bool more);

    /// The job to run now, if any; its lane is taken until `leave` or `wait`.
    [[nodiscard]] std::optional<job_seq> next(time_point now);

    /// When `next` may have something it does not have now; none: never without a change.
    [[nodiscard]] std::optional<time_point> deadline() const {
        if (closed_ || sleeping_.empty() || running_ >= max_concurrent_jobs_) {
            return std::nullopt;
        }
        return sleeping_.begin()->first;
    }

    /// A job leaves its lane: it is terminal or parked. Unknown jobs are ignored.
    void leave(job_seq seq);

    /// A job does not run before its next turn.
    void wait(job_seq seq, job_turn when);

    /// Keeps a job from being started while it is being changed, also when it leaves and comes back; as many calls of
    /// `release` are needed to allow it again.
    void hold(job_seq seq) {
        held_.insert(seq);
        offer_again(seq);
    }
    void release(job_seq seq) {
        if (const auto one = held_.find(seq); one != held_.end()) {
            held_.erase(one);
        }
        offer_again(seq);
    }

    [[nodiscard]] bool is_held(job_seq seq) const { return held_.contains(seq); }

    /// Whether jobs of a lane, or any jobs, may be started. Running ones are not concerned.
    void close_lane(const std::string& name, bool closed);
    void close(bool closed) noexcept { closed_ = closed; }
    /// Every lane that has jobs is closed.
    [[nodiscard]] bool all_closed() const {
        const auto with_jobs = std::count_if(closed_lanes_.begin(), closed_lanes_.end(),
                                             [this](const std::string& name) { return lanes_.contains(name); });
        return closed_ || (!lanes_.empty() && static_cast<std::size_t>(with_jobs) == lanes_.size());
    }
    /// Jobs of its queue come before it.
    [[nodiscard]] bool waits_behind_others(job_seq seq) const {
        const auto found = jobs_.find(seq);
        return found == jobs_.end() || (!found->second.when.aside && *found->second.in->in_order.begin() != seq);
    }
    /// The running job of a lane.
    [[nodiscard]] std::optional<job_seq> running_in(const std::string& name) const {
        const auto found = lanes_.find(name);
        return found == lanes_.end() ? std::nullopt : found->second.running;
    }

    /// Removes all jobs. Those that are held stay held when they come back, and closed lanes stay closed.
    void clear() {
        running_ = 0;
        needs_refill_.clear();
        ready_.clear();
        sleeping_.clear();
        jobs_.clear();
        queues_.clear();
        lanes_.clear();
    }

    /// A queue that has run out of known jobs while the store may have more, and the last one known.
    [[nodiscard]] std::optional<std::pair<queue_name, job_seq>> needs_refill() const {
        if (needs_refill_.empty()) {
            return std::nullopt;
        }
        const queue& q = **needs_refill_.begin();
        return std::pair(*q.name, q.last);
    }

    [[nodiscard]] std::size_t running() const noexcept { return running_; }

private:
    struct lane {
        std::size_t queues = 0;
        std::optional<job_seq> running;
        std::set<job_seq> ready;                            // candidates whose time has come
        std::set<std::pair<time_point, job_seq>> sleeping;  // and those whose time will come
        std::optional<job_seq> offered;                     // its first in `ready_`
        std::optional<time_point> alarm;                    // its first in `sleeping_`
        std::map<std::string, lane>::iterator self;
    };
    struct queue {
        const queue_name* name = nullptr;
        lane* of = nullptr;
        std::set<job_seq> in_order;  // known jobs but those that wait aside
        std::size_t known = 0;       // with those
        job_seq last{};
        bool more = false;
        std::optional<job_seq> head;  // the candidate it has made
    };
    struct known {
        job_seq seq{};
        queue* in = nullptr;
        job_turn when;
    };
    /// The same order in every process, unlike that of addresses.
    struct by_name {
        bool operator()(const queue* a, const queue* b) const { return *a->name < *b->name; }
    };

    queue& queue_named(const queue_name& name);
    void insert(queue& q, job_seq seq, job_turn when);
    void place(known& k);
    void offer_head(queue& q);
    void nominate(known& k);
    void withdraw(known& k);
    void offer_again(job_seq seq);
    void offer(lane& l);
    void wake(lane& l, time_point now);
    void stop_if_running(lane& l, job_seq seq);
    void settle(queue& q);

    std::size_t max_concurrent_jobs_;
    std::size_t running_ = 0;
    std::map<std::string, lane> lanes_;
    std::map<queue_name, queue> queues_;
    std::map<job_seq, known> jobs_;
    std::set<std::pair<time_point, lane*>> sleeping_;  // of free lanes
    std::set<job_seq> ready_;                          // of free lanes
    std::multiset<job_seq> held_;
    std::set<std::string> closed_lanes_;
    bool closed_ = false;
    std::set<queue*, by_name> needs_refill_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/queue/scheduler.ipp>
#endif
