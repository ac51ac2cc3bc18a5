// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/erased.hpp>
#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/engine.hpp>
#include <waybill/engine/run/pipeline.hpp>
#include <waybill/engine/show/picture.hpp>
#include <waybill/http/url.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>

// Each job's attempts: begun and run.
namespace waybill {

WAYBILL_DECL void engine::start(job_seq seq) {
    auto mine = std::make_shared<run_state>();
    running_.emplace(seq, mine);
    detail::spawn(
        home_, [self = shared_from_this(), seq, mine] { return drive(self, seq, mine); }, mine->signal,
        [self = shared_from_this(), seq](const std::exception_ptr& thrown) { self->ended(seq, thrown); });
}

WAYBILL_DECL asio::awaitable<void> engine::drive(std::shared_ptr<engine> self, job_seq seq,
                                                 std::shared_ptr<run_state> mine) {
    // Who cancels or stops meanwhile is heard in `carry`, which knows what to do about it: thrown from
    // here it would be taken for a failure of the engine.
    co_await asio::this_coro::throw_if_cancelled(false);
    std::optional<loaded_job> whole = co_await self->parts_.store->load(seq);
    if (!whole) {
        self->scheduler_.leave(seq);
        co_return;
    }
    if (!detail::is_sound(*whole, self->parts_.protocols)) {
        co_await self->fail_damaged(std::move(*whole));
        co_return;
    }
    // Not even begun while its host is known to be down: it costs no attempt and no commit.
    mine->origin = url(whole->job.spec.url).origin();
    if (const auto ready = self->ready_at(whole->job, mine->origin); ready > self->parts_.clock->steady_now()) {
        self->scheduler_.wait(seq, self->turn_when(ready, whole->job));
        co_return;
    }
    self->hosts_.begin(mine->origin);
    engine_parts& parts = self->parts_;
    mine->job = std::make_shared<attempt>(std::move(*whole), self->ledger_, *parts.transport, *parts.sources,
                                          *parts.clock, self->options_, self->home_);
    mine->job->on_leftover = [&engine = *self] { engine.cleaner_->ring(); };
    mine->job->may_wait_for_space = [&engine = *self] { return engine.phase_ == phase::open; };
    mine->job->on_committed = [&engine = *self, &job = *mine->job] {
        engine.reopened_ = 0;
        engine.show(job.observe(), board::place::beyond);
    };
    co_await self->carry(mine->job, *mine);
}

/// When a job may begin, by what is known of its host: now, or when it is to be looked at again.
WAYBILL_DECL scheduler::time_point engine::ready_at(const job_record& job, const std::string& origin) {
    const auto now = parts_.clock->steady_now();
    const auto ready = hosts_.ready(origin, now);
    if (!hosts_.refuses_some(origin)) {
        return ready;
    }
    const credentials_mark shows = credentials_for(job);
    const auto allowed = hosts_.ready_for(origin, shows, now);
    if (ready <= now && allowed <= now) {
        hosts_.begin_with(origin, shows);
        return now;
    }
    // Its own wait is over when there are other credentials: looked for now and then.
    return std::min(std::max(ready, allowed), now + options_.retry.credentials_poll);
}

/// The turn of a job whose host is left alone until then. One that others may pass leaves the first look to them: its
/// host may be well again for all but it.
WAYBILL_DECL job_turn engine::turn_when(scheduler::time_point ready, const job_record& job) const {
    const std::string& origin = job.spec.origin;
    if (origin.empty() || !(lets_others_by(job.state.reason) || hosts_.is_passed(origin, job.seq))) {
        return {ready};
    }
    return {ready + hosts_.courtesy(job.state.troubles), true};
}

/// A provider that fails has none: when it answers again, that is something else.
WAYBILL_DECL credentials_mark engine::credentials_for(const job_record& job) const {
    std::string all;
    try {
        if (options_.credentials) {
            for (const header_field& h : options_.credentials(url(job.spec.url).origin())) {
                all += h.name + ":" + h.value + "\n";
            }
        }
        all += parts_.protocols.make(job.spoken())->identity(job.spec);
    } catch (...) {
        all.clear();
    }
    return all.empty() ? 0 : std::hash<std::string>()(all);
}

WAYBILL_DECL asio::awaitable<void> engine::carry(std::shared_ptr<attempt> job, run_state& mine) {
    detail::attempt_end end;
    bool begun = true;
    try {
        co_await asio::this_coro::throw_if_cancelled(true);
        begun = co_await begin(*job);
        if (begun) {
            end = co_await run_protocol(*job, mine);
        }
        if (begun && has_verifier(job->job()) && detail::is_unknown_to_server(end, *job)) {
            diagnostics why = detail::details_of(end);
            begun = co_await ask_backend(*job, std::move(why));
            if (begun) {
                end = co_await run_protocol(*job, mine);
            }
        }
    } catch (...) {
        end = detail::attempt_end(std::current_exception());
    }
    // From here on the attempt's end is committed, whatever is asked meanwhile.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    report_host(*job, mine, end);
    if (begun) {
        co_await commit_end(*job, after(*job, mine, end));
    }
    place(job->job().seq, job->job().spec, job->job().state);
}

/// Commits that an attempt begins; false when there is nothing to run.
WAYBILL_DECL asio::awaitable<bool> engine::begin(attempt& job) {
    const outcome decided = decide();
    const outcome::doubt doubt = doubt_about(job.job());
    const bool in_doubt = job.job().state.intent.is_unconfirmed(job.items());
    if (in_doubt && doubt == outcome::doubt::park) {
        co_await job.commit(decided.park(job.job().state));
        co_return false;
    }
    job_state begun = job.job().state;
    begun.now = begun.stage == stage::finalize ? status::finalizing : status::uploading;
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

/// Runs the pipeline. A dead kept connection is no failure, nor is a file whose content has to be looked at: it is
/// tried again at once.
WAYBILL_DECL asio::awaitable<detail::attempt_end> engine::run_protocol(attempt& job, const run_state& mine) {
    constexpr int most_repeats = 3;
    for (int repeats = 0;; ++repeats) {
        detail::attempt_end end;
        try {
            const std::unique_ptr<protocol> speaks = parts_.protocols.make(job.job().spec.protocol);
            co_await run_pipeline(*speaks, job);
        } catch (...) {
            end = detail::attempt_end(std::current_exception());
        }
        const bool again = end.said_by_protocol() && end.why()->what_to_do() == disposition::again;
        if (!again || repeats == most_repeats || mine.asked != wish::none) {
            co_return end;
        }
        if (end.why()->code() != errc::file_touched) {
            job.avoid_kept_connections();
            continue;
        }
        bool recognized = true;
        try {
            co_await job.recognize_files();
        } catch (...) {
            end = detail::attempt_end(std::current_exception());
            recognized = false;
        }
        if (!recognized) {
            co_return end;
        }
    }
}

}  // namespace waybill
