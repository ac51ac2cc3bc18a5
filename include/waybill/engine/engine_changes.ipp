// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/accept/records.hpp>
#include <waybill/engine/engine.hpp>
#include <waybill/engine/run/cleaner.hpp>
#include <waybill/engine/run/give_up_uploads.hpp>
#include <waybill/engine/show/picture.hpp>
#include <waybill/http/url.hpp>
#include <waybill/source/recognition.hpp>
#include <waybill/store/apply.hpp>

#include <utility>

// What the app asks of jobs that are known.
namespace waybill {
namespace detail {

/// An unfinished job that is to be tried now. Of one whose outcome is unknown the app takes the risk; about one that
/// waits the server is asked first, as ever.
[[nodiscard]] inline job_state tried_again(job_state state) {
    if (state.now == status::unknown_outcome) {
        state.intent.settle();
        state.failures = 0;
    }
    state.now = status::pending;
    state.not_before = {};
    state.wait = {};
    state.reason = wait_reason::none;
    return state;
}

}  // namespace detail

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

/// A record that can be trusted. Throws `errc::record_damaged` for another one, which is a failed job from then on.
WAYBILL_DECL asio::awaitable<loaded_job> engine::load_sound(job_seq seq) {
    loaded_job whole = co_await load(seq);
    if (!detail::is_sound(whole, parts_.protocols)) {
        const std::string id = printable_excerpt(whole.job.spec.id.str(), 128);
        co_await set_aside(std::move(whole));
        publish();
        throw error(errc::record_damaged, id);
    }
    co_return whole;
}

WAYBILL_DECL asio::awaitable<void> engine::change(loaded_job whole, job_change next) {
    // Who cancels from here on is too late: what is on the disk is made known.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    next.seq = whole.job.seq;
    next.from = whole.job.state.now;
    const job_change made = next;
    co_await ledger_.commit(std::move(next), whole);
    cleaner_->ring();
    detail::apply(made, whole);
    show(detail::picture_of(whole), board::place::asked);
    place(whole.job.seq, whole.job.spec, whole.job.state);
    publish();
}

WAYBILL_DECL void engine::place(job_seq seq, const job_spec& spec, const job_state& state) {
    if (!is_open(state.now)) {
        hosts_.forget_passed(spec.origin, seq);
        scheduler_.leave(seq);
        return;
    }
    job_turn when = turn_of({seq, spec.lane, spec.origin, state.not_before, state.wait, state.reason});
    if (state.refused_since == std::chrono::milliseconds(0) || spec.origin.empty()) {
        hosts_.forget_passed(spec.origin, seq);
    } else if (hosts_.may_be_passed(spec.origin, seq, state.troubles, state.refused_since)) {
        when.aside = true;
    }
    scheduler_.push({spec.lane, spec.origin}, seq, when);
    scheduler_.wait(seq, when);
    alarm_->ring();
}

WAYBILL_DECL asio::awaitable<void> engine::cancel(job_id id) {
    const job_seq seq = co_await require(id);
    const hold held(*this, seq);
    while (running_.contains(seq)) {
        const end_watch end(*this, seq);
        interrupt(seq, detail::runner::wish::cancel);
        co_await end.reached();
    }
    loaded_job whole = co_await load_sound(seq);
    if (whole.job.state.now == status::canceled) {
        co_return;
    }
    if (is_terminal(whole.job.state.now)) {
        throw error(errc::not_allowed, id.str() + " is " + std::string(to_string(whole.job.state.now)));
    }
    job_change next;
    next.to = decide().canceled(whole.job.state);
    give_up_uploads(next, whole, parts_.clock->system_now());
    co_await change(std::move(whole), std::move(next));
    notify_end(seq);
}

WAYBILL_DECL asio::awaitable<void> engine::retry(job_id id) {
    const job_seq seq = co_await require(id);
    const hold held(*this, seq);
    if (running_.contains(seq)) {
        co_return;
    }
    loaded_job whole = co_await load_sound(seq);
    const status was = whole.job.state.now;
    if (was == status::completed) {
        throw error(errc::not_allowed, id.str() + " is completed");
    }
    hosts_.try_now(url(whole.job.spec.url).origin());  // somebody asks for it: it may be up again
    if (was == status::pending) {
        if (!running_.contains(seq)) {
            place(seq, whole.job.spec, whole.job.state);
        }
        co_return;
    }
    job_change next;
    if (is_terminal(was)) {
        next = co_await new_epoch(whole);
    } else {
        next.to = detail::tried_again(whole.job.state);
    }
    next.to.now = status::pending;
    co_await change(std::move(whole), std::move(next));
}

WAYBILL_DECL asio::awaitable<void> engine::resolve(job_id id, resolution what) {
    const job_seq seq = co_await require(id);
    const hold held(*this, seq);
    loaded_job whole = co_await load_sound(seq);
    if (whole.job.state.now != status::unknown_outcome) {
        throw error(errc::not_allowed, id.str() + " is " + std::string(to_string(whole.job.state.now)));
    }
    job_change next;
    switch (what) {
        case resolution::completed:
            if (whole.job.state.intent.is_for_one_of_several(whole.items)) {
                // What was in doubt is there. The others were never sent: the job goes on with them.
                const std::size_t item = whole.job.state.intent.item();
                item_state done = whole.items[item].state;
                done.now = item_status::completed;
                done.confirmed = whole.items[item].spec.size;
                next.items.emplace_back(item, std::move(done));
                next.dropped.push_back(item);
                next.to = whole.job.state;
                next.to.now = status::pending;
                next.to.intent.settle();
                next.to.failures = 0;
                break;
            }
            next.to = decide().completed(whole.job.state);
            for (std::size_t i = 0; i < whole.items.size(); ++i) {
                item_state done = whole.items[i].state;
                done.now = item_status::completed;
                done.confirmed = whole.items[i].spec.size;
                next.items.emplace_back(i, std::move(done));
            }
            next.drop_checkpoints = true;
            break;
        case resolution::canceled:
            next.to = decide().canceled(whole.job.state);
            give_up_uploads(next, whole, parts_.clock->system_now());
            break;
        case resolution::retry:
            hosts_.try_now(url(whole.job.spec.url).origin());
            next.to = detail::tried_again(whole.job.state);
            break;
    }
    co_await change(std::move(whole), std::move(next));
    notify_end(seq);
}

/// A new life for a finished job: the files as they are now, a new key, no attempt counted. What
/// the server has confirmed of files that did not change stays confirmed.
WAYBILL_DECL asio::awaitable<job_change> engine::new_epoch(const loaded_job& whole) {
    job_change next;
    next.repinned = co_await pin_again(whole);
    bool changed = false;
    for (std::size_t i = 0; i < whole.items.size(); ++i) {
        const item_record& before = whole.items[i];
        if (!detail::is_unchanged(before.spec, next.repinned[i])) {
            next.items.emplace_back(i, item_state{});
            next.items.back().second.unknown = before.state.unknown;
            changed = true;
        } else if (before.state.now == item_status::failed) {
            next.items.emplace_back(i, before.state);
            next.items.back().second.now = item_status::pending;
        }
    }
    if (changed) {
        give_up_uploads(next, whole, parts_.clock->system_now());
    }
    const job_state& old = whole.job.state;
    next.to.unknown = old.unknown;
    next.to.epoch = old.epoch + 1;
    next.to.stage = changed ? stage::upload : old.stage;
    next.to.epoch_began = now();
    next.to.began = lived().open;
    next.to.key = detail::make_key(*parts_.random);
    if (!changed && !whole.checkpoints.empty()) {
        next.to.spoken = old.spoken;  // what was begun can be continued only by who began it
    }
    co_return next;
}

/// A job's items with their files as they are now. Where they are independent, what is delivered stays as it was, and
/// so does what cannot be pinned: the others need not wait for it.
WAYBILL_DECL asio::awaitable<std::vector<item_spec>> engine::pin_again(const loaded_job& whole) {
    const bool independent = whole.job.spec.if_item_fails == on_item_failure::go_on;
    std::vector<item_spec> specs;
    std::vector<std::size_t> asked;
    std::vector<wanted_file> files;
    for (const item_record& one : whole.items) {
        if (one.spec.kind != source_kind::bytes && !(independent && one.state.now == item_status::completed)) {
            asked.push_back(specs.size());
            files.push_back(detail::wanted_of(one.spec, one.spec.content.scope));
        }
        specs.push_back(one.spec);
    }
    if (!independent && !files.empty()) {
        const std::vector<pinned_file> pins = co_await parts_.sources->pin(std::move(files));
        for (std::size_t i = 0; i < asked.size(); ++i) {
            detail::apply_pin(specs[asked[i]], pins[i]);
        }
        co_return specs;
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        item_spec found = specs[asked[i]];
        try {
            std::vector<wanted_file> one{files[i]};
            const std::vector<pinned_file> pins = co_await parts_.sources->pin(std::move(one));
            detail::apply_pin(found, pins.front());
        } catch (const error&) {
            continue;
        }
        specs[asked[i]] = std::move(found);
    }
    co_return specs;
}

WAYBILL_DECL asio::awaitable<void> engine::remove(job_id id) {
    const job_seq seq = co_await require(id);
    const hold held(*this, seq);
    loaded_job whole = co_await load(seq);
    const bool sound = detail::is_sound(whole, parts_.protocols);
    if (!sound) {
        co_await set_aside(std::move(whole));
        whole = co_await load(seq);
    }
    // The store refuses this too, but it does not know the job by its name.
    if (!is_terminal(whole.job.state.now)) {
        throw error(errc::not_allowed,
                    id.str() + " is " + std::string(to_string(whole.job.state.now)) + ": cancel it first");
    }
    job_change given_up;
    if (sound) {  // no request is made from damaged bytes
        give_up_uploads(given_up, whole, parts_.clock->system_now());
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await ledger_.remove(whole, std::move(given_up.leftovers));
    cleaner_->ring();
    board_.remove(seq);
    publish();
}

WAYBILL_DECL asio::awaitable<job_snapshot> engine::wait(job_id id, bool until_final) {
    const job_seq seq = co_await require(id);
    for (;;) {
        co_await open();
        const end_watch end(*this, seq);  // before looking: an end in between must not be missed
        loaded_job whole = co_await load(seq);
        whole.damaged = !detail::is_sound(whole, parts_.protocols);
        const status now = whole.job.state.now;
        if (is_terminal(now) || (is_parked(now) && !until_final) || whole.damaged) {
            co_return detail::picture_of(whole);
        }
        co_await end.reached();
    }
}

}  // namespace waybill
