// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/engine.hpp>
#include <waybill/engine/run/abandon_uploads.hpp>
#include <waybill/engine/run/cleaner.hpp>
#include <waybill/engine/show/snapshot_of.hpp>
#include <waybill/http/url.hpp>
#include <waybill/store/apply.hpp>

#include <cstddef>
#include <utility>

// The app's operations on known jobs.
namespace waybill::detail {
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

WAYBILL_DECL asio::awaitable<job_seq> engine::require(job_id id) {
    co_await open();
    std::vector<job_id> asked{id};
    const std::vector<std::optional<job_seq>> found = co_await parts_.store->find(std::move(asked));
    if (!found.front()) {
        throw error(errc::unknown_job, printable_excerpt(id.str(), 128));
    }
    co_return *found.front();
}

WAYBILL_DECL asio::awaitable<loaded_job> engine::load(job_seq seq) {
    std::optional<loaded_job> whole = co_await parts_.store->load(seq);
    if (!whole) {
        throw error(errc::unknown_job);
    }
    co_return std::move(*whole);
}

/// Requires a record that can be trusted. Throws `errc::record_damaged` for another one, which is a failed job from
/// then on.
WAYBILL_DECL asio::awaitable<loaded_job> engine::load_sound(job_seq seq) {
    loaded_job whole = co_await load(seq);
    if (!is_sound(whole, parts_.protocols)) {
        const std::string id = printable_excerpt(whole.job.spec.id.str(), 128);
        co_await quarantine(std::move(whole));
        publish();
        throw error(errc::record_damaged, id);
    }
    co_return whole;
}

WAYBILL_DECL asio::awaitable<void> engine::change(loaded_job whole, job_change next) {
    // A cancellation from here on is too late: the committed state is published.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    next.seq = whole.job.seq;
    next.from = whole.job.state.status;
    const job_change made = next;
    co_await ledger_.commit(std::move(next), whole);
    cleaner_->wake();
    apply(made, whole);
    show(snapshot_of(whole), board::place::asked);
    place(whole.job.seq, whole.job.spec, whole.job.state);
    publish();
}

WAYBILL_DECL asio::awaitable<void> engine::cancel(job_id id) {
    const job_seq seq = co_await require(id);
    const held_job held(scheduler_, *alarm_, seq);
    while (running_.contains(seq)) {
        const awaited_ends::watch end(ends_, seq);
        interrupt(seq, runner::wish::cancel);
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

WAYBILL_DECL asio::awaitable<void> engine::retry(job_id id) {
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
        next = co_await acceptance_.new_epoch(whole, lived());
    } else {
        next.to = tried_again(whole.job.state);
    }
    next.to.status = status::pending;
    co_await change(std::move(whole), std::move(next));
}

WAYBILL_DECL asio::awaitable<void> engine::resolve(job_id id, resolution what) {
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

WAYBILL_DECL asio::awaitable<void> engine::remove(job_id id) {
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

WAYBILL_DECL asio::awaitable<job_snapshot> engine::wait(job_id id, bool until_final) {
    const job_seq seq = co_await require(id);
    for (;;) {
        co_await open();
        const awaited_ends::watch end(ends_, seq);  // before looking: an end in between must not be missed
        loaded_job whole = co_await load(seq);
        whole.damaged = !is_sound(whole, parts_.protocols);
        const status committed = whole.job.state.status;
        if (is_terminal(committed) || (is_parked(committed) && !until_final) || whole.damaged) {
            co_return snapshot_of(whole);
        }
        co_await end.reached();
    }
}

}  // namespace waybill::detail
