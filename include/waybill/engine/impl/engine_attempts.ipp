// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/erased.hpp>
#include <waybill/engine/admission.hpp>
#include <waybill/engine/cleaner.hpp>
#include <waybill/engine/engine.hpp>
#include <waybill/engine/picture.hpp>
#include <waybill/engine/pipeline.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/transport/url.hpp>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

// Each job's attempts: begun, run, judged.
namespace waybill {

namespace detail {

/// What became of a request whose answer was lost will not be found out without the app: even the server does not
/// know, or cannot be asked any more.
[[nodiscard]] inline bool is_unknown_to_server(const std::exception_ptr& thrown, const attempt& job) {
    try {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    } catch (const failure& f) {
        const bool in_doubt = job.in_doubt() && !job.settled_by(f);
        return f.code() == errc::outcome_unknown || (f.what_to_do() == disposition::permanent && in_doubt);
    } catch (...) {
    }
    return false;
}

/// What an app that does not know either is shown.
[[nodiscard]] inline diagnostics details_of(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const failure& f) {
        diagnostics details = f.details();
        if (f.code() != errc::outcome_unknown) {
            details.detail =
                "last error: " + f.code().message() + (details.detail.empty() ? "" : ": " + details.detail);
        }
        return details;
    } catch (...) {
        return {};
    }
}

[[nodiscard]] inline bool is_want_of_memory(const std::exception_ptr& thrown) {
    try {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    } catch (const std::bad_alloc&) {
        return true;
    } catch (...) {
    }
    return false;
}

/// It is the file that failed, not the way to the server.
[[nodiscard]] inline bool is_of_source(std::error_code code) noexcept {
    return code == errc::file_changed || code == errc::source_read_failed || code == errc::source_missing ||
           code == errc::source_unreadable || code == errc::source_not_regular || code == errc::source_outside ||
           code == errc::source_unavailable || code == errc::source_size_wrong || code == errc::file_touched;
}

}  // namespace detail

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
        self->scheduler_.wait(seq, {ready});
        co_return;
    }
    self->hosts_.begin(mine->origin);
    engine_parts& parts = self->parts_;
    mine->job = std::make_shared<attempt>(std::move(*whole), *parts.store, *parts.transport, *parts.sources,
                                          *parts.clock, self->options_, self->home_);
    mine->job->on_leftover = [&engine = *self] { engine.cleaner_->ring(); };
    mine->job->may_wait_for_space = [&engine = *self] { return engine.phase_ == phase::open; };
    mine->job->on_committed = [&engine = *self, &job = *mine->job](status before, status after) {
        engine.count(before, after, job.job().spec.size);
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

/// Fails a job whose record cannot be trusted. On a full disk it stays where it is, and is looked at again.
WAYBILL_DECL asio::awaitable<void> engine::fail_damaged(loaded_job whole) {
    const job_seq seq = whole.job.seq;
    bool full = false;
    try {
        co_await set_aside(std::move(whole));
    } catch (const error& e) {
        if (e.code() != errc::store_full) {
            throw;
        }
        full = true;
    }
    if (full) {
        scheduler_.wait(seq, {parts_.clock->steady_now() + std::chrono::minutes(1)});
    }
}

/// Keeps a record that cannot be trusted as a failed job, until the app removes it. Nothing is made of what it says: it
/// is counted by what the store finds.
WAYBILL_DECL asio::awaitable<void> engine::set_aside(loaded_job whole) {
    const totals difference = co_await parts_.store->quarantine(whole.job.seq);
    board_.correct(difference);
    whole.damaged = true;
    show(detail::picture_of(whole));
    scheduler_.leave(whole.job.seq);
    notify_end(whole.job.seq);
}

/// On a full disk it is done another time.
WAYBILL_DECL asio::awaitable<void> engine::set_aside_if_possible(loaded_job whole) {
    try {
        co_await set_aside(std::move(whole));
    } catch (const error& e) {
        if (e.code() != errc::store_full) {
            throw;
        }
    }
}

WAYBILL_DECL asio::awaitable<void> engine::carry(std::shared_ptr<attempt> job, run_state& mine) {
    std::exception_ptr thrown;
    bool begun = true;
    try {
        co_await asio::this_coro::throw_if_cancelled(true);
        begun = co_await begin(*job);
        if (begun) {
            thrown = co_await run_protocol(*job, mine);
        }
        if (begun && has_verifier(job->job()) && detail::is_unknown_to_server(thrown, *job)) {
            diagnostics why = detail::details_of(thrown);
            begun = co_await ask_backend(*job, std::move(why));
            if (begun) {
                thrown = co_await run_protocol(*job, mine);
            }
        }
    } catch (...) {
        thrown = std::current_exception();
    }
    // From here on the attempt's end is committed, whatever is asked meanwhile.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    report_host(*job, mine, thrown);
    if (begun) {
        co_await commit_end(*job, after(*job, mine, thrown));
    }
    place(job->job().seq, job->job().spec, job->job().state);
}

/// Takes note of what an attempt says about its host; one that sent nothing says nothing.
WAYBILL_DECL void engine::report_host(const attempt& job, const run_state& mine, const std::exception_ptr& thrown) {
    const std::string& origin = mine.origin;
    const auto now = parts_.clock->steady_now();
    if (job.progressed()) {
        hosts_.serve(origin, lived().open);
    }
    const bool refuses = hosts_.refuses_some(origin);
    if (refuses) {
        hosts_.forget_probe(origin, credentials_for(job.job()));  // however it ended, also by a stop
    }
    try {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
        if (job.contacted()) {
            hosts_.report(origin, host_report::answered, now);
        } else {
            hosts_.forget_probe(origin);
        }
        if (job.contacted() && refuses) {
            hosts_.accept(origin, credentials_for(job.job()));
        }
    } catch (const failure& f) {
        const disposition what = f.what_to_do();
        const bool server_error = f.code().category() == http_category() && f.code().value() >= 500;
        const bool broken = f.code() == cause::retryable && f.code().category() != http_category();
        if (mine.asked == wish::none && what == disposition::credentials) {
            hosts_.forget_probe(origin);
            hosts_.refuse(origin, credentials_for(job.job()), now);  // also when there were none to send
        } else if (!job.contacted() || mine.asked != wish::none || f.code() == errc::network_unreachable ||
                   what == disposition::source || detail::is_of_source(f.code())) {
            hosts_.forget_probe(origin);
        } else if (job.progressed()) {
            // One refused part among many, or a connection that broke after something was confirmed, is no sign of a
            // host that is down.
            hosts_.report(origin, host_report::answered, now);
        } else if (what == disposition::busy) {
            hosts_.report(origin, host_report::throttled, now, f.retry_after());
        } else if (what == disposition::network || server_error || broken) {
            hosts_.report(origin, host_report::failed, now);
        } else {
            hosts_.report(origin, host_report::answered, now);
        }
    } catch (...) {
        hosts_.forget_probe(origin);
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

WAYBILL_DECL bool engine::has_verifier(const job_record& job) const {
    return options_.verifiers.contains(job.spec.verifier);
}

WAYBILL_DECL bool engine::can_probe(const job_record& job) const {
    try {
        return parts_.protocols.make(job.spoken())->can_probe();
    } catch (const error&) {
        return false;  // unknown here: the pipeline will say so
    }
}

/// Asks the app what became of a request whose answer was lost. False when that settled the matter.
WAYBILL_DECL asio::awaitable<bool> engine::ask_backend(attempt& job, diagnostics why) {
    const auto hook = options_.verifiers.find(job.job().spec.verifier);
    verification said = verification::unknown;
    std::exception_ptr thrown;
    try {
        job_snapshot about = job.observe();
        if (job.in_doubt()) {
            about.error.item = job.job().state.intent.item();
        }
        said = co_await hook->second(about);
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown && (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
        std::rethrow_exception(thrown);
    }
    job_state next = job.job().state;
    switch (said) {
        case verification::not_delivered:
            next.intent.settle();
            co_await job.commit(std::move(next));
            co_return true;
        case verification::delivered:
            if (job.job().state.intent.is_for_one_of_several(job.items())) {
                co_await complete_doubtful(job);
                co_return true;  // the others are still to be sent
            }
            job.complete_all_soon("verified");
            next = decide().completed(std::move(next));
            break;
        case verification::unknown:
            next =
                decide().failed(std::move(next), failure(disposition::ambiguous, errc::outcome_unknown, std::move(why)),
                                outcome::doubt::ask, {});
            break;
    }
    co_await job.commit(std::move(next));
    co_return false;
}

/// The item whose request was in doubt is there.
WAYBILL_DECL asio::awaitable<void> engine::complete_doubtful(attempt& job) {
    const std::size_t item = job.job().state.intent.item();
    std::string receipt = "verified";
    if (job.find_checkpoint(item) == nullptr) {
        co_await job.complete_item(item, std::move(receipt));
    } else {
        // One commit: a checkpoint of a completed item would be taken for something to clean up.
        job.complete_item_soon(item, std::move(receipt));
        co_await job.forget(item, false);
    }
}

WAYBILL_DECL outcome::doubt engine::doubt_about(const job_record& job, bool may_probe) const {
    const job_spec& spec = job.spec;
    if ((may_probe && can_probe(job)) || has_verifier(job)) {
        return outcome::doubt::ask;
    }
    // Sent again, a request with a condition would hear of itself, and its job be called failed.
    const bool conditional =
        std::any_of(spec.headers.begin(), spec.headers.end(), [](const auto& h) { return is_condition(h.first); });
    if (!may_probe && conditional) {
        return outcome::doubt::park;
    }
    // Where even the server does not know, a key is no help: it is sent again as something new.
    const auto again = may_probe ? outcome::doubt::repeat : outcome::doubt::duplicate;
    switch (spec.if_unknown) {
        case on_unknown::park: return outcome::doubt::park;
        case on_unknown::retry_same_key: return again;
        default: return outcome::doubt::duplicate;
    }
}

/// Runs the pipeline. A dead kept connection is no failure, nor is a file whose content has to be looked at: it is
/// tried again at once.
WAYBILL_DECL asio::awaitable<std::exception_ptr> engine::run_protocol(attempt& job, const run_state& mine) {
    constexpr int most_repeats = 3;
    for (int repeats = 0;; ++repeats) {
        std::exception_ptr thrown;
        bool again = false;
        bool touched = false;
        try {
            const std::unique_ptr<protocol> speaks = parts_.protocols.make(job.job().spec.protocol);
            co_await run_pipeline(*speaks, job);
        } catch (const failure& f) {
            again = f.what_to_do() == disposition::again;
            touched = f.code() == errc::file_touched;
            thrown = std::current_exception();
        } catch (...) {
            thrown = std::current_exception();
        }
        if (!again || repeats == most_repeats || mine.asked != wish::none) {
            co_return thrown;
        }
        if (!touched) {
            job.avoid_kept_connections();
            continue;
        }
        try {
            co_await job.recognize_files();
        } catch (...) {
            thrown = std::current_exception();
            again = false;
        }
        if (!again) {
            co_return thrown;
        }
    }
}

/// What the job becomes, by how its pipeline ended and what was asked of it meanwhile.
WAYBILL_DECL job_state engine::after(const attempt& job, const run_state& mine,
                                     const std::exception_ptr& thrown) const {
    const job_state& state = job.job().state;
    const outcome decided = decide();
    if (!thrown) {
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
    how.progressed = job.progressed();
    how.gained = std::max(job.gained(), state.failures == 0 ? job.unheard() : 0);
    // A job that holds up its whole lane is held to account at once.
    const bool refused_before = state.refused_since > std::chrono::milliseconds(0);
    how.serves_others =
        job.job().spec.origin.empty() || (refused_before && hosts_.served_since(mine.origin, state.refused_since));
    const auto failed = [&](const failure& why) {
        // The protocol has asked, and even the server does not know; or it cannot be asked again, and the app would
        // have it sent twice rather than not at all: asking once more is no use.
        const bool given_up =
            why.what_to_do() == disposition::permanent && job.job().spec.if_unknown == on_unknown::retry;
        const bool may_probe = why.code() != errc::outcome_unknown && !given_up;
        job_state reached = state;
        if (job.settled_by(why)) {
            reached.intent.settle();
        }
        return decided.failed(std::move(reached), why, doubt_about(job.job(), may_probe), how);
    };
    const auto because = [&](disposition what, std::error_code code, const diagnostics& details) {
        return failed(failure(what, code, details));
    };
    try {
        std::rethrow_exception(thrown);
    } catch (const failure& f) {
        return failed(f);
    } catch (const error& e) {
        if (e.code() == cause::storage) {
            throw;  // not this job's fault
        }
        return because(disposition::permanent, e.code(), e.details());
    } catch (const std::system_error& e) {
        return because(disposition::retry, e.code(), {});
    } catch (const std::exception& e) {
        diagnostics details;
        details.detail = printable_excerpt(e.what(), 256);
        return because(disposition::retry, errc::transport_failed, details);
    } catch (...) {
        return because(disposition::retry, errc::transport_failed, {});  // of a type of the app's own
    }
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
