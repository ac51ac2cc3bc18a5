// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/erased.hpp>
#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/run/pipeline.hpp>
#include <waybill/engine/run/runner.hpp>
#include <waybill/http/url.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

// An attempt, from load to end.
namespace waybill::detail {

WAYBILL_DECL asio::awaitable<void> runner::run() {
    // Cancellation is handled in `carry`. If it were thrown here, it would be treated as an engine failure.
    co_await asio::this_coro::throw_if_cancelled(false);
    std::optional<loaded_job> whole = co_await with_.parts.store->load(seq_);
    if (!whole) {
        with_.queue.leave(seq_);
        co_return;
    }
    if (!is_sound(*whole, with_.parts.protocols)) {
        co_await fail_damaged(std::move(*whole));
        co_return;
    }
    // Not even started while its host is known to be down: it costs no attempt and no commit.
    origin_ = url(whole->job.spec.url).origin();
    if (const auto ready = ready_at(whole->job); ready > with_.parts.clock->steady_now()) {
        with_.queue.wait(seq_, turn_when(ready, whole->job));
        co_return;
    }
    with_.hosts.begin(origin_);
    job_ = make_attempt(std::move(*whole));
    co_await carry(job_);
}

WAYBILL_DECL std::shared_ptr<attempt> runner::make_attempt(loaded_job whole) {
    const engine_parts& parts = with_.parts;
    auto made = std::make_shared<attempt>(std::move(whole), with_.ledger, *parts.transport, *parts.sources,
                                          *parts.clock, with_.options, with_.home);
    run_observer& observer = with_.observer;
    made->on_leftover = [&observer] { observer.on_leftover(); };
    made->may_wait_for_space = [&observer] { return observer.delivers(); };
    made->on_committed = [this, &observer, &job = *made] {
        observer.on_committed(job.observe());
        interrupt_if_settled();
    };
    return made;
}

WAYBILL_DECL void runner::interrupt(wish why) {
    asked_ = why;
    cancel(*signal_, asio::cancellation_type::terminal);
}

WAYBILL_DECL void runner::interrupt_between_requests(wish why) {
    if (job_ && job_->job().state.intent.stands()) {
        deferred_ = why;
        job_->show_pausing();
    } else {
        interrupt(why);
    }
}

// Not from within the commit that settled the intent: it is being awaited, and is seen to its end. By then the next
// request may be past the same point.
WAYBILL_DECL void runner::interrupt_if_settled() {
    if (deferred_ == wish::none || job_->job().state.intent.stands()) {
        return;
    }
    post(with_.home, [weak = weak_from_this()] {
        const std::shared_ptr<runner> self = weak.lock();
        if (self && !self->interrupted() && !self->job_->job().state.intent.stands()) {
            self->interrupt(self->deferred_);
        }
    });
}

WAYBILL_DECL outcome runner::decide() const {
    return {with_.options.retry, with_.clock.lived(), with_.parts.random->unit()};
}

/// Fails a job whose record cannot be trusted. On a full disk it stays unchanged, and is checked again later.
WAYBILL_DECL asio::awaitable<void> runner::fail_damaged(loaded_job whole) {
    bool full = false;
    try {
        co_await with_.observer.quarantine(std::move(whole));
    } catch (const error& e) {
        if (e.code() != errc::store_full) {
            throw;
        }
        full = true;
    }
    if (full) {
        with_.queue.wait(seq_, {with_.parts.clock->steady_now() + std::chrono::minutes(1)});
    }
}

WAYBILL_DECL asio::awaitable<void> runner::carry(std::shared_ptr<attempt> job) {
    attempt_end end;
    bool begun = true;
    try {
        co_await asio::this_coro::throw_if_cancelled(true);
        begun = co_await begin(*job);
        if (begun) {
            end = co_await run_protocol(*job);
        }
        if (begun && has_verifier(job->job()) && is_unknown_to_server(end, *job)) {
            diagnostics why = details_of(end);
            begun = co_await ask_backend(*job, std::move(why));
            if (begun) {
                end = co_await run_protocol(*job);
            }
        }
    } catch (...) {
        end = attempt_end(std::current_exception());
    }
    // From here on the attempt's end is committed, even if it is canceled meanwhile.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    report_host(*job, end);
    if (begun) {
        co_await commit_end(*job, after(*job, end));
    }
    with_.observer.on_placed(job->job());
}

/// Commits the start of an attempt; false when there is nothing to run.
WAYBILL_DECL asio::awaitable<bool> runner::begin(attempt& job) {
    const outcome decided = decide();
    const outcome::doubt doubt = doubt_about(job.job());
    const bool in_doubt = job.job().state.intent.is_unconfirmed(job.items());
    if (in_doubt && doubt == outcome::doubt::park) {
        co_await job.commit(decided.park(job.job().state));
        co_return false;
    }
    job_state begun = job.job().state;
    begun.status = begun.stage == stage::finalize ? status::finalizing : status::uploading;
    begun.reason = wait_reason::none;
    begun.not_before = {};
    begun.attempt += 1;
    if (doubt == outcome::doubt::duplicate) {
        begun.intent.settle();
    }
    co_await job.commit(std::move(begun));
    // A protocol that can ask the server does so first, by itself.
    if (in_doubt && has_verifier(job.job()) && !can_probe(job.job())) {
        diagnostics nothing_new;
        co_return co_await ask_backend(job, std::move(nothing_new));
    }
    co_return true;
}

/// Runs the pipeline. A dead reused connection is no failure, nor is a file whose content must be checked: it is tried
/// again immediately.
WAYBILL_DECL asio::awaitable<attempt_end> runner::run_protocol(attempt& job) {
    constexpr int most_repeats = 3;
    for (int repeats = 0;; ++repeats) {
        attempt_end end;
        try {
            const std::unique_ptr<protocol> chosen = with_.parts.protocols.make(job.job().spec.protocol);
            co_await run_pipeline(*chosen, job);
        } catch (...) {
            end = attempt_end(std::current_exception());
        }
        const bool again = end.said_by_protocol() && end.why()->what_to_do() == disposition::again;
        if (!again || repeats == most_repeats || asked_ != wish::none) {
            co_return end;
        }
        if (end.why()->code() != errc::file_touched) {
            job.avoid_reused_connections();
            continue;
        }
        end = co_await recognize_files(job);
        if (!end.delivered()) {
            co_return end;
        }
    }
}

WAYBILL_DECL asio::awaitable<attempt_end> runner::recognize_files(attempt& job) {
    attempt_end end;
    try {
        co_await job.recognize_files();
    } catch (...) {
        end = attempt_end(std::current_exception());
    }
    co_return end;
}

/// Commits the result of an attempt. A disk failure while everything is being stopped is ignored: the next start finds
/// the job unchanged.
WAYBILL_DECL asio::awaitable<void> runner::commit_end(attempt& job, job_state next) {
    try {
        co_await job.commit(std::move(next));
    } catch (const error& e) {
        if (with_.observer.delivers() || e.code() != cause::storage) {
            throw;
        }
    }
}

/// The job's next state, by how its pipeline ended and what was requested meanwhile.
WAYBILL_DECL job_state runner::after(const attempt& job, const attempt_end& end) const {
    const job_state& state = job.job().state;
    const outcome decided = decide();
    if (end.delivered()) {
        return decided.completed(state);
    }
    if (asked_ == wish::cancel) {
        return decided.canceled(state);
    }
    if (asked_ == wish::stop) {
        return decided.interrupted(state);
    }
    // Before any attempt has failed, unconfirmed bytes count as progress: the server has not been asked yet and may
    // have them.
    outcome::evidence how;
    how.progressed = job.report().progressed();
    const bool first_cut = state.failures == 0 && state.troubles == 0;
    how.gained = std::max(job.report().gained(), first_cut ? job.report().unacknowledged() : 0);
    how.host_responded = !job.report().contacted() || job.report().host_responded();
    how.holds_up_lane = job.job().spec.origin.empty();
    const bool refused_before = state.refused_since > std::chrono::milliseconds(0);
    how.serves_others =
        job.report().progressed() || (refused_before && with_.hosts.served_since(origin_, state.refused_since));
    end.rethrow_if_of_store();  // not this job's fault
    const failure& why = *end.why();
    // The protocol has asked, and even the server does not know; or it cannot be asked again, and the app prefers a
    // duplicate to a loss: asking once more is useless.
    const bool sent_again =
        why.what_to_do() == disposition::permanent && job.job().spec.if_unknown == on_unknown::retry;
    const bool may_probe = why.code() != errc::outcome_unknown && !sent_again;
    job_state reached = state;
    if (job.settled_by(why)) {
        reached.intent.settle();
    }
    return decided.failed(std::move(reached), why, doubt_about(job.job(), may_probe), how);
}

}  // namespace waybill::detail
