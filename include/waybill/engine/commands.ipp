// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/commands.hpp>
#include <waybill/engine/queue/held_job.hpp>
#include <waybill/engine/run/abandon_uploads.hpp>
#include <waybill/engine/run/cleaner.hpp>
#include <waybill/http/url.hpp>

#include <cstddef>
#include <utility>

// The app's operations on known jobs.
namespace waybill::detail {

WAYBILL_DECL commands::commands(strand home, engine_parts parts, options options)
    : engine_base(std::move(home), std::move(parts), std::move(options)), acceptance_(parts_, options_) {}

/// An unfinished job that is to be tried now. If its outcome is unknown, the app accepts the risk; for a job that
/// waits, the server is asked first, as always.
[[nodiscard]] inline job_state tried_again(job_state state) {
    if (state.status == status::unknown_outcome) {
        state.intent.settle();
        state.failures = 0;
    }
    state.status = status::pending;
    state.not_before = {};
    state.wait = {};
    state.pause = {};
    state.reason = wait_reason::none;
    return state;
}

[[nodiscard]] inline item_state delivered(const item_record& one) {
    item_state done = one.state;
    done.status = item_status::completed;
    done.confirmed = one.spec.size;
    return done;
}

/// The item in doubt was delivered. The others were never sent: the job continues with them.
[[nodiscard]] inline job_change doubtful_item_delivered(const loaded_job& whole) {
    job_change next;
    const std::size_t item = whole.job.state.intent.item();
    next.items.emplace_back(item, delivered(whole.items[item]));
    next.dropped.push_back(item);
    next.to = whole.job.state;
    next.to.status = status::pending;
    next.to.intent.settle();
    next.to.failures = 0;
    return next;
}

/// Everything was delivered. The caller still sets the job's status.
[[nodiscard]] inline job_change all_items_delivered(const loaded_job& whole) {
    job_change next;
    for (std::size_t i = 0; i < whole.items.size(); ++i) {
        next.items.emplace_back(i, delivered(whole.items[i]));
    }
    next.drop_checkpoints = true;
    return next;
}

WAYBILL_DECL asio::awaitable<void> commands::cancel(job_id id) {
    const job_seq seq = co_await require(id);
    const held_job held(scheduler_, *alarm_, seq);
    while (running_.contains(seq)) {
        const awaited_ends::watch end(ends_, seq);
        running_.interrupt(seq, runner::wish::cancel);
        co_await end.reached();
    }
    loaded_job whole = co_await load_sound(seq);
    if (whole.job.state.status == status::canceled) {
        co_return;
    }
    if (is_terminal(whole.job.state.status)) {
        throw error(errc::not_allowed, id.str() + " is " + std::string(to_string(whole.job.state.status)));
    }
    job_change next;
    next.to = decide().canceled(whole.job.state);
    abandon_uploads(next, whole, parts_.clock->system_now());
    co_await change(std::move(whole), std::move(next));
    ends_.notify(seq);
}

WAYBILL_DECL asio::awaitable<void> commands::retry(job_id id) {
    const job_seq seq = co_await require(id);
    const held_job held(scheduler_, *alarm_, seq);
    if (running_.contains(seq)) {
        co_return;
    }
    loaded_job whole = co_await load_sound(seq);
    const status was = whole.job.state.status;
    if (was == status::completed) {
        throw error(errc::not_allowed, id.str() + " is completed");
    }
    hosts_.try_now(url(whole.job.spec.url).origin());  // the app requests it: the host may be up again
    if (was == status::pending) {
        if (!running_.contains(seq)) {
            place(seq, whole.job.spec, whole.job.state);
        }
        co_return;
    }
    job_change next;
    if (is_terminal(was)) {
        next = co_await acceptance_.new_epoch(whole, clock_.lived());
    } else {
        next.to = tried_again(whole.job.state);
    }
    next.to.status = status::pending;
    co_await change(std::move(whole), std::move(next));
}

WAYBILL_DECL asio::awaitable<void> commands::resolve(job_id id, resolution what) {
    const job_seq seq = co_await require(id);
    const held_job held(scheduler_, *alarm_, seq);
    loaded_job whole = co_await load_sound(seq);
    if (whole.job.state.status != status::unknown_outcome) {
        throw error(errc::not_allowed, id.str() + " is " + std::string(to_string(whole.job.state.status)));
    }
    job_change next;
    switch (what) {
        case resolution::completed:
            if (whole.job.state.intent.is_for_one_of_several(whole.items)) {
                next = doubtful_item_delivered(whole);
            } else {
                next = all_items_delivered(whole);
                next.to = decide().completed(whole.job.state);
            }
            break;
        case resolution::canceled:
            next.to = decide().canceled(whole.job.state);
            abandon_uploads(next, whole, parts_.clock->system_now());
            break;
        case resolution::retry:
            hosts_.try_now(url(whole.job.spec.url).origin());
            next.to = tried_again(whole.job.state);
            break;
    }
    co_await change(std::move(whole), std::move(next));
    ends_.notify(seq);
}

WAYBILL_DECL asio::awaitable<void> commands::remove(job_id id) {
    const job_seq seq = co_await require(id);
    const held_job held(scheduler_, *alarm_, seq);
    loaded_job whole = co_await load(seq);
    const bool sound = is_sound(whole, parts_.protocols);
    if (!sound) {
        co_await quarantine(std::move(whole));
        whole = co_await load(seq);
    }
    // The store rejects this too, but it does not know the job by its name.
    if (!is_terminal(whole.job.state.status)) {
        throw error(errc::not_allowed,
                    id.str() + " is " + std::string(to_string(whole.job.state.status)) + ": cancel it first");
    }
    job_change discarded;
    if (sound) {  // no request is made from damaged bytes
        abandon_uploads(discarded, whole, parts_.clock->system_now());
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await ledger_.remove(whole, std::move(discarded.leftovers));
    cleaner_->wake();
    board_.remove(seq);
    publish();
}

}  // namespace waybill::detail
