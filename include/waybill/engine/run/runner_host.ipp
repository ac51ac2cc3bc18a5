// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/run/runner.hpp>
#include <waybill/http/url.hpp>

#include <algorithm>
#include <functional>
#include <string>

// What an attempt learns about its host, and reports about it.
namespace waybill::detail {

/// When a job may start, by what is known of its host: now, or when that is to be checked again.
WAYBILL_DECL scheduler::time_point runner::ready_at(const job_record& job) {
    const auto now = with_.parts.clock->steady_now();
    const auto ready = with_.hosts.ready(origin_, now);
    if (!with_.hosts.refuses_some(origin_)) {
        return ready;
    }
    const credentials_mark shows = credentials_of(job);
    const auto allowed = with_.hosts.ready_for(origin_, shows, now);
    if (ready <= now && allowed <= now) {
        with_.hosts.begin_with(origin_, shows);
        return now;
    }
    // Its own wait is over when there are other credentials: the provider is polled.
    return std::min(std::max(ready, allowed), now + with_.options.retry.credentials_poll);
}

/// The turn of a job whose host is suspended until then. A job that others may pass lets them probe first: the host may
/// fail only for this job.
WAYBILL_DECL job_turn runner::turn_when(scheduler::time_point ready, const job_record& job) const {
    const std::string& origin = job.spec.origin;
    if (origin.empty() || !(lets_others_by(job.state.reason) || with_.hosts.is_passed(origin, job.seq))) {
        return {ready};
    }
    return {ready + with_.hosts.courtesy(origin, job.seq), true};
}

/// A provider that fails has no credentials: when it works again, they count as new.
WAYBILL_DECL credentials_mark runner::credentials_of(const job_record& job) const {
    std::string all;
    try {
        if (with_.options.credentials) {
            for (const header_field& h : with_.options.credentials(url(job.spec.url).origin())) {
                all += h.name + ":" + h.value + "\n";
            }
        }
        all += with_.parts.protocols.make(job.effective_protocol())->identity(job.spec);
    } catch (...) {
        all.clear();
    }
    return all.empty() ? 0 : std::hash<std::string>()(all);
}

/// Records what an attempt says about its host; one that sent nothing says nothing.
WAYBILL_DECL void runner::report_host(const attempt& job, const attempt_end& end) {
    const auto now = with_.parts.clock->steady_now();
    if (job.report().progressed()) {
        with_.hosts.serve(origin_, with_.clock.lived().open);
    }
    const bool refuses = with_.hosts.refuses_some(origin_);
    if (refuses) {
        with_.hosts.drop_probe(origin_, credentials_of(job.job()));  // however it ended, also by a stop
    }
    if (end.delivered()) {
        report_success(job, refuses);
        return;
    }
    if (!end.said_by_protocol()) {
        with_.hosts.drop_probe(origin_);
        return;
    }
    const failure& f = *end.why();
    const disposition what = f.what_to_do();
    const bool server_error = f.code().category() == http_category() && f.code().value() >= 500;
    const bool broken = f.code() == cause::retryable && f.code().category() != http_category();
    if (asked_ == wish::none && what == disposition::credentials) {
        with_.hosts.drop_probe(origin_);
        with_.hosts.refuse(origin_, credentials_of(job.job()), now);  // also when there were none to send
    } else if (!job.report().contacted() || asked_ != wish::none || f.code() == errc::network_unreachable ||
               what == disposition::source || is_of_source(f.code())) {
        with_.hosts.drop_probe(origin_);
    } else if (job.report().progressed()) {
        // One refused part among many, or a connection that was lost after something was confirmed, does not mean that
        // the host is down.
        with_.hosts.report(origin_, host_report::responded, now);
    } else if (what == disposition::busy) {
        with_.hosts.report(origin_, host_report::throttled, now, f.retry_after());
    } else if (what == disposition::network || server_error || broken) {
        with_.hosts.report(origin_, host_report::failed, now);
    } else {
        with_.hosts.report(origin_, host_report::responded, now);
    }
}

WAYBILL_DECL void runner::report_success(const attempt& job, bool refused_some) {
    if (!job.report().contacted()) {
        with_.hosts.drop_probe(origin_);
        return;
    }
    with_.hosts.report(origin_, host_report::responded, with_.parts.clock->steady_now());
    if (refused_some) {
        with_.hosts.accept(origin_, credentials_of(job.job()));
    }
}

}  // namespace waybill::detail
