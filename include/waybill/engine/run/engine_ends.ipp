// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/engine.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

// What an attempt's end means for its host, for its job, and for those who wait for it.
namespace waybill {

/// Takes note of what an attempt says about its host; one that sent nothing says nothing.
WAYBILL_DECL void engine::report_host(const attempt& job, const run_state& mine, const detail::attempt_end& end) {
    const std::string& origin = mine.origin;
    const auto now = parts_.clock->steady_now();
    if (job.report().progressed()) {
        hosts_.serve(origin, lived().open);
    }
    const bool refuses = hosts_.refuses_some(origin);
    if (refuses) {
        hosts_.forget_probe(origin, credentials_for(job.job()));  // however it ended, also by a stop
    }
    if (end.delivered()) {
        if (job.report().contacted()) {
            hosts_.report(origin, host_report::answered, now);
        } else {
            hosts_.forget_probe(origin);
        }
        if (job.report().contacted() && refuses) {
            hosts_.accept(origin, credentials_for(job.job()));
        }
        return;
    }
    if (!end.said_by_protocol()) {
        hosts_.forget_probe(origin);
        return;
    }
    const failure& f = *end.why();
    const disposition what = f.what_to_do();
    const bool server_error = f.code().category() == http_category() && f.code().value() >= 500;
    const bool broken = f.code() == cause::retryable && f.code().category() != http_category();
    if (mine.asked == wish::none && what == disposition::credentials) {
        hosts_.forget_probe(origin);
        hosts_.refuse(origin, credentials_for(job.job()), now);  // also when there were none to send
    } else if (!job.report().contacted() || mine.asked != wish::none || f.code() == errc::network_unreachable ||
               what == disposition::source || detail::is_of_source(f.code())) {
        hosts_.forget_probe(origin);
    } else if (job.report().progressed()) {
        // One refused part among many, or a connection that broke after something was confirmed, is no sign of a host
        // that is down.
        hosts_.report(origin, host_report::answered, now);
    } else if (what == disposition::busy) {
        hosts_.report(origin, host_report::throttled, now, f.retry_after());
    } else if (what == disposition::network || server_error || broken) {
        hosts_.report(origin, host_report::failed, now);
    } else {
        hosts_.report(origin, host_report::answered, now);
    }
}

/// Commits what an attempt came to. A disk that fails while everything is being stopped is no
/// matter: the next start finds the job as it was.
WAYBILL_DECL asio::awaitable<void> engine::commit_end(attempt& job, job_state next) {
    try {
        co_await job.commit(std::move(next));
    } catch (const error& e) {
        if (phase_ == phase::open || e.code() != cause::storage) {
            throw;
        }
    }
}

/// What the job becomes, by how its pipeline ended and what was asked of it meanwhile.
WAYBILL_DECL job_state engine::after(const attempt& job, const run_state& mine, const detail::attempt_end& end) const {
    const job_state& state = job.job().state;
    const outcome decided = decide();
    if (end.delivered()) {
        return decided.completed(state);
    }
    if (mine.asked == wish::cancel) {
        return decided.canceled(state);
    }
    if (mine.asked == wish::stop) {
        return decided.interrupted(state);
    }
    // What went out before the first cut of all is as good as gained, until the server has been asked.
    outcome::attempt_end how;
    how.progressed = job.report().progressed();
    const bool first_cut = state.failures == 0 && state.troubles == 0;
    how.gained = std::max(job.report().gained(), first_cut ? job.report().unheard() : 0);
    how.host_heard = !job.report().contacted() || job.report().host_heard();
    how.holds_up_lane = job.job().spec.origin.empty();
    const bool refused_before = state.refused_since > std::chrono::milliseconds(0);
    how.serves_others = refused_before && hosts_.served_since(mine.origin, state.refused_since);
    end.rethrow_if_of_store();  // not this job's fault
    const failure& why = *end.why();
    // The protocol has asked, and even the server does not know; or it cannot be asked again, and the app would have it
    // sent twice rather than not at all: asking once more is no use.
    const bool given_up = why.what_to_do() == disposition::permanent && job.job().spec.if_unknown == on_unknown::retry;
    const bool may_probe = why.code() != errc::outcome_unknown && !given_up;
    job_state reached = state;
    if (job.settled_by(why)) {
        reached.intent.settle();
    }
    return decided.failed(std::move(reached), why, doubt_about(job.job(), may_probe), how);
}

WAYBILL_DECL void engine::ended(job_seq seq, const std::exception_ptr& thrown) {
    running_.erase(seq);
    if (detail::is_want_of_memory(thrown)) {
        scheduler_.wait(seq, {parts_.clock->steady_now() + options_.retry.base});  // as after a crash: from the disk
    } else if (thrown && !fatal_) {
        fatal_ = thrown;
    }
    notify_end(seq);
    run_ended_.notify_all();
    alarm_->ring();
}

WAYBILL_DECL void engine::notify_end(job_seq seq) {
    if (const auto found = ends_.find(seq); found != ends_.end()) {
        found->second.reached.notify_all();
    }
}

WAYBILL_DECL void engine::notify_all_ends() {
    for (auto& [seq, end] : ends_) {
        end.reached.notify_all();
    }
}

}  // namespace waybill
