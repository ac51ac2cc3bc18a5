// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/queue/scheduler.hpp>

#include <algorithm>
#include <cassert>

namespace waybill::detail {

WAYBILL_DECL void scheduler::push(const queue_name& name, job_seq seq, job_turn when) {
    queue& q = queue_named(name);
    if (!q.more || seq <= q.last) {
        insert(q, seq, when);
    }
    settle(q);
}

WAYBILL_DECL void scheduler::refill(const queue_name& name, const std::vector<std::pair<job_seq, job_turn>>& following,
                                    bool more) {
    queue& q = queue_named(name);
    for (const auto& [seq, when] : following) {
        insert(q, seq, when);
    }
    q.more = more;
    settle(q);
}

WAYBILL_DECL std::optional<job_seq> scheduler::next(time_point now) {
    while (!sleeping_.empty() && sleeping_.begin()->first <= now) {
        wake(*sleeping_.begin()->second, now);
    }
    if (closed_ || ready_.empty() || running_ >= max_concurrent_jobs_) {
        return std::nullopt;
    }
    const job_seq seq = *ready_.begin();
    known& k = jobs_.at(seq);
    assert(!held_.contains(seq) && !k.in->of->running && k.when.ready <= now);
    withdraw(k);
    k.in->of->running = seq;
    offer(*k.in->of);
    ++running_;
    return seq;
}

WAYBILL_DECL void scheduler::leave(job_seq seq) {
    const auto found = jobs_.find(seq);
    if (found == jobs_.end()) {
        return;
    }
    queue& q = *found->second.in;
    withdraw(found->second);
    stop_if_running(*q.of, seq);
    q.in_order.erase(seq);
    q.known -= 1;
    jobs_.erase(found);
    offer_head(q);
    settle(q);
}

WAYBILL_DECL void scheduler::wait(job_seq seq, job_turn when) {
    const auto found = jobs_.find(seq);
    if (found == jobs_.end()) {
        return;
    }
    known& k = found->second;
    queue& q = *k.in;
    withdraw(k);
    stop_if_running(*q.of, seq);
    k.when = when;
    place(k);
    settle(q);
}

WAYBILL_DECL void scheduler::close_lane(const std::string& name, bool closed) {
    if (closed) {
        closed_lanes_.insert(name);
    } else {
        closed_lanes_.erase(name);
    }
    if (const auto found = lanes_.find(name); found != lanes_.end()) {
        offer(found->second);
    }
}

WAYBILL_DECL scheduler::queue& scheduler::queue_named(const queue_name& name) {
    const auto [found, added] = queues_.try_emplace(name);
    queue& q = found->second;
    if (added) {
        const auto of = lanes_.try_emplace(name.lane).first;
        of->second.self = of;
        of->second.queues += 1;
        q.name = &found->first;
        q.of = &of->second;
    }
    return q;
}

WAYBILL_DECL void scheduler::insert(queue& q, job_seq seq, job_turn when) {
    const auto [found, added] = jobs_.try_emplace(seq, known{seq, &q, when});
    if (added) {
        q.known += 1;
        q.last = std::max(q.last, seq);
        place(found->second);
    }
}

// In order, or aside until its time comes.
WAYBILL_DECL void scheduler::place(known& k) {
    if (k.when.aside) {
        k.in->in_order.erase(k.seq);
        nominate(k);
    } else {
        k.in->in_order.insert(k.seq);
    }
    offer_head(*k.in);
}

WAYBILL_DECL void scheduler::offer_head(queue& q) {
    const std::optional<job_seq> first =
        q.in_order.empty() ? std::nullopt : std::optional<job_seq>(*q.in_order.begin());
    if (q.head && q.head != first) {
        withdraw(jobs_.at(*q.head));
    }
    if (first && !q.head) {
        nominate(jobs_.at(*first));
    }
}

WAYBILL_DECL void scheduler::nominate(known& k) {
    lane& l = *k.in->of;
    if (held_.contains(k.seq) || l.running == k.seq) {
        return;
    }
    l.sleeping.emplace(k.when.ready, k.seq);
    if (!k.when.aside) {
        k.in->head = k.seq;
    }
    offer(l);
}

WAYBILL_DECL void scheduler::withdraw(known& k) {
    lane& l = *k.in->of;
    l.ready.erase(k.seq);
    l.sleeping.erase({k.when.ready, k.seq});
    if (k.in->head == k.seq) {
        k.in->head.reset();
    }
    offer(l);
}

WAYBILL_DECL void scheduler::offer_again(job_seq seq) {
    if (const auto found = jobs_.find(seq); found != jobs_.end()) {
        withdraw(found->second);
        if (found->second.when.aside) {
            nominate(found->second);
        }
        offer_head(*found->second.in);
    }
}

// The candidates that all lanes offer: the first one of each free lane.
WAYBILL_DECL void scheduler::offer(lane& l) {
    if (l.offered) {
        ready_.erase(*l.offered);
        l.offered.reset();
    }
    if (l.alarm) {
        sleeping_.erase({*l.alarm, &l});
        l.alarm.reset();
    }
    if (l.running || closed_lanes_.contains(l.self->first)) {
        return;
    }
    if (!l.ready.empty()) {
        l.offered = *l.ready.begin();
        ready_.insert(*l.offered);
    }
    if (!l.sleeping.empty()) {
        l.alarm = l.sleeping.begin()->first;
        sleeping_.emplace(*l.alarm, &l);
    }
}

WAYBILL_DECL void scheduler::wake(lane& l, time_point now) {
    while (!l.sleeping.empty() && l.sleeping.begin()->first <= now) {
        l.ready.insert(l.sleeping.begin()->second);
        l.sleeping.erase(l.sleeping.begin());
    }
    offer(l);
}

WAYBILL_DECL void scheduler::stop_if_running(lane& l, job_seq seq) {
    if (l.running == seq) {
        assert(running_ > 0);
        l.running.reset();
        --running_;
        offer(l);
    }
}

// A queue without known jobs in order either needs a refill or, if it has none at all, is removed.
WAYBILL_DECL void scheduler::settle(queue& q) {
    assert(q.known >= q.in_order.size() && (!q.head || q.in_order.contains(*q.head)));
    if (!q.in_order.empty() || !q.more) {
        needs_refill_.erase(&q);
    } else {
        needs_refill_.insert(&q);
    }
    if (q.known > 0 || q.more) {
        return;
    }
    lane& l = *q.of;
    queues_.erase(queue_name(*q.name));
    if (--l.queues == 0) {
        lanes_.erase(l.self);
    }
}

}  // namespace waybill::detail
