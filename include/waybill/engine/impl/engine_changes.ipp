// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/erased.hpp>
#include <waybill/engine/admission.hpp>
#include <waybill/engine/cleaner.hpp>
#include <waybill/engine/engine.hpp>
#include <waybill/engine/picture.hpp>
#include <waybill/transport/url.hpp>

#include <iterator>
#include <utility>

// What the app asks of the engine, and what it is shown.
namespace waybill {

WAYBILL_DECL asio::awaitable<std::vector<job_id>> engine::enqueue(std::vector<job> jobs) {
    for (const job& j : jobs) {
        detail::check_job(j, parts_.protocols);
    }
    co_await open();
    const std::vector<bool> known = co_await known_before(jobs);
    std::vector<new_job> made = co_await pin(jobs, known);
    // The store takes them by value; what is shown afterwards is kept without the bytes.
    std::vector<loaded_job> kept;
    kept.reserve(made.size());
    for (const new_job& m : made) {
        loaded_job& k = kept.emplace_back();
        k.job = m.job;
        for (const item_record& i : m.items) {
            item_record& copy = k.items.emplace_back(i);
            copy.spec.data.clear();
        }
    }
    const std::vector<added_job> added = co_await parts_.store->add(std::move(made));
    std::vector<job_id> ids;
    ids.reserve(added.size());
    for (std::size_t i = 0; i < added.size(); ++i) {
        ids.push_back(kept[i].job.spec.id);
        if (!added[i].existed) {
            kept[i].job.seq = added[i].seq;
            board_.count_new(status::pending, kept[i].job.spec.size);
            make_known(kept[i]);
        }
    }
    publish();  // before the caller hears of it: it must find its jobs in the newest snapshot
    alarm_->ring();
    co_return ids;
}

// Its lane may have been read from the store after the commit and before it was heard of here: then
// the job is known already, may have been begun, and must not be begun twice.
WAYBILL_DECL void engine::make_known(const loaded_job& accepted) {
    const job_seq seq = accepted.job.seq;
    const std::shared_ptr<const job_snapshot> shown = board_.find(seq);
    if (!shown) {
        show(detail::picture_of(accepted));
    }
    if (!shown || is_open(shown->now)) {
        scheduler_.push(accepted.job.spec.lane, seq, steady(accepted.job.state.not_before));
    }
}

// A job that was accepted before is accepted again without its files: they may be gone by now.
WAYBILL_DECL asio::awaitable<std::vector<bool>> engine::known_before(const std::vector<job>& jobs) {
    std::vector<bool> known(jobs.size(), false);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (!jobs[i].id().empty()) {
            known[i] = (co_await parts_.store->find(jobs[i].id())).has_value();
        }
    }
    co_return known;
}

WAYBILL_DECL asio::awaitable<std::vector<new_job>> engine::pin(const std::vector<job>& jobs,
                                                               const std::vector<bool>& known) {
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        for (const item& one : jobs[i].items()) {
            if (!known[i] && one.kind() != source_kind::bytes) {
                paths.push_back(one.path());
            }
        }
    }
    std::vector<pinned_file> pins;
    if (!paths.empty()) {
        pins = co_await parts_.sources->pin(std::move(paths));
    }
    std::vector<new_job> made;
    made.reserve(jobs.size());
    auto next = pins.cbegin();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (known[i]) {
            // Enough for the store to compare it with the one it has.
            job_spec& spec = made.emplace_back().job.spec;
            spec.id = jobs[i].id();
            spec.content = detail::content_of(jobs[i]);
        } else {
            made.push_back(detail::make_records(jobs[i], next, now(), *parts_.random));
        }
    }
    co_return made;
}

WAYBILL_DECL asio::awaitable<job_seq> engine::require(job_id id) {
    co_await open();
    const std::optional<job_seq> seq = co_await parts_.store->find(id);
    if (!seq) {
        throw error(errc::unknown_job, printable_excerpt(id.str(), 128));
    }
    co_return *seq;
}

WAYBILL_DECL asio::awaitable<loaded_job> engine::load(job_seq seq) {
    std::optional<loaded_job> whole = co_await parts_.store->load(seq);
    if (!whole) {
        throw error(errc::unknown_job);
    }
    co_return std::move(*whole);
}

WAYBILL_DECL asio::awaitable<void> engine::change(loaded_job whole, job_change next) {
    next.seq = whole.job.seq;
    next.from = whole.job.state.now;
    const std::uint64_t before = whole.job.spec.size;
    const job_state state = next.to;
    for (std::size_t i = 0; i < next.repinned.size(); ++i) {
        whole.job.spec.size += next.repinned[i].size - whole.items[i].spec.size;
        whole.items[i].spec = next.repinned[i];
    }
    for (const auto& [index, item] : next.items) {
        whole.items[index].state = item;
    }
    const status from = next.from;
    co_await parts_.store->commit(std::move(next));
    cleaner_->ring();
    whole.job.state = state;
    board_.count_gone(from, before);
    board_.count_new(state.now, whole.job.spec.size);
    show(detail::picture_of(whole));
    place(whole.job.seq, whole.job.spec.lane, state);
    publish();
}

WAYBILL_DECL void engine::place(job_seq seq, const std::string& lane, const job_state& state) {
    if (!is_open(state.now)) {
        scheduler_.leave(seq);
        return;
    }
    const auto ready = steady(state.not_before);
    scheduler_.push(lane, seq, ready);
    scheduler_.wait(seq, ready);
    alarm_->ring();
}

WAYBILL_DECL std::shared_ptr<detail::condition> engine::end_of(job_seq seq) {
    std::weak_ptr<detail::condition>& known = ends_[seq];
    std::shared_ptr<detail::condition> found = known.lock();
    if (!found) {
        found = std::make_shared<detail::condition>(home_);
        known = found;
    }
    return found;
}

WAYBILL_DECL asio::awaitable<void> engine::cancel(job_id id) {
    const job_seq seq = co_await require(id);
    const hold held(*this, seq);
    while (running_.contains(seq)) {
        const auto end = end_of(seq);
        interrupt(seq, wish::cancel);
        co_await end->wait();
    }
    loaded_job whole = co_await load(seq);
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
    loaded_job whole = co_await load(seq);
    if (whole.damaged) {
        throw error(errc::record_damaged, id.str());
    }
    const status was = whole.job.state.now;
    if (was == status::completed) {
        throw error(errc::not_allowed, id.str() + " is completed");
    }
    hosts_.try_now(url(whole.job.spec.url).origin());  // somebody asks for it: it may be up again
    if (was == status::pending) {
        if (!running_.contains(seq)) {
            place(seq, whole.job.spec.lane, whole.job.state);
        }
        co_return;
    }
    job_change next;
    if (is_terminal(was)) {
        next = co_await new_epoch(whole);
    } else {
        next.to = whole.job.state;
        next.to.tail_attempt = 0;
        next.to.not_before = {};
        next.to.reason = wait_reason::none;
    }
    next.to.now = status::pending;
    co_await change(std::move(whole), std::move(next));
}

WAYBILL_DECL asio::awaitable<void> engine::resolve(job_id id, resolution what) {
    const job_seq seq = co_await require(id);
    const hold held(*this, seq);
    loaded_job whole = co_await load(seq);
    if (whole.job.state.now != status::unknown_outcome) {
        throw error(errc::not_allowed, id.str() + " is " + std::string(to_string(whole.job.state.now)));
    }
    job_change next;
    switch (what) {
        case resolution::completed:
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
            next.to = whole.job.state;
            next.to.now = status::pending;
            next.to.tail_attempt = 0;
            next.to.failures = 0;
            break;
    }
    co_await change(std::move(whole), std::move(next));
    notify_end(seq);
}

/// A new life for a finished job: the files as they are now, a new key, no attempt counted. What
/// the server has confirmed of files that did not change stays confirmed.
WAYBILL_DECL asio::awaitable<job_change> engine::new_epoch(const loaded_job& whole) {
    std::vector<std::string> paths;
    for (const item_record& i : whole.items) {
        if (i.spec.kind != source_kind::bytes) {
            paths.push_back(i.spec.path);
        }
    }
    std::vector<pinned_file> pins;
    if (!paths.empty()) {
        pins = co_await parts_.sources->pin(std::move(paths));
    }
    job_change next;
    bool changed = false;
    auto pin = pins.cbegin();
    for (std::size_t i = 0; i < whole.items.size(); ++i) {
        item_spec spec = whole.items[i].spec;
        if (spec.kind != source_kind::bytes) {
            detail::apply_pin(spec, *pin++);
        }
        if (spec.identity != whole.items[i].spec.identity) {
            next.items.emplace_back(i, item_state{});
            changed = true;
        }
        next.repinned.push_back(std::move(spec));
    }
    if (changed) {
        give_up_uploads(next, whole, parts_.clock->system_now());
    }
    const job_state& old = whole.job.state;
    next.to.epoch = old.epoch + 1;
    next.to.stage = changed ? stage::upload : old.stage;
    next.to.epoch_began = now();
    next.to.key = detail::make_key(*parts_.random);
    if (!changed && !whole.checkpoints.empty()) {
        next.to.spoken = old.spoken;  // what was begun can be continued only by who began it
    }
    co_return next;
}

WAYBILL_DECL asio::awaitable<void> engine::remove(job_id id) {
    const job_seq seq = co_await require(id);
    const hold held(*this, seq);
    const loaded_job whole = co_await load(seq);
    // The store refuses this too, but it does not know the job by its name.
    if (!is_terminal(whole.job.state.now)) {
        throw error(errc::not_allowed,
                    id.str() + " is " + std::string(to_string(whole.job.state.now)) + ": cancel it first");
    }
    job_change given_up;
    give_up_uploads(given_up, whole, parts_.clock->system_now());
    co_await parts_.store->remove(seq, std::move(given_up.leftovers));
    cleaner_->ring();
    board_.count_gone(whole.job.state.now, whole.job.spec.size);
    board_.remove(seq);
    publish();
}

WAYBILL_DECL asio::awaitable<job_snapshot> engine::wait(job_id id) {
    const job_seq seq = co_await require(id);
    for (;;) {
        const auto end = end_of(seq);  // before looking: an end in between must not be missed
        const loaded_job whole = co_await load(seq);
        if (is_terminal(whole.job.state.now)) {
            co_return detail::picture_of(whole);
        }
        if (phase_ != phase::open) {
            throw error(errc::stopped);
        }
        co_await end->wait();
    }
}

WAYBILL_DECL asio::awaitable<job_snapshot> engine::find(job_id id) {
    const job_seq seq = co_await require(std::move(id));
    if (const auto shown = board_.find(seq)) {
        co_return *shown;
    }
    co_return detail::picture_of(co_await load(seq));
}

WAYBILL_DECL asio::awaitable<std::vector<job_snapshot>> engine::list(std::optional<job_seq> after, std::size_t most) {
    co_await open();
    std::optional<job_record> from;
    if (after) {
        from.emplace().seq = *after;
    }
    const std::vector<loaded_job> page = co_await parts_.store->list(listing::all, std::move(from), most);
    std::vector<job_snapshot> result;
    result.reserve(page.size());
    for (const loaded_job& whole : page) {
        const auto shown = board_.find(whole.job.seq);
        result.push_back(shown ? *shown : detail::picture_of(whole));
    }
    co_return result;
}

WAYBILL_DECL void engine::show(job_snapshot picture, bool must) {
    const bool terminal = picture.terminal();
    board_incomplete_ = !board_.show(std::move(picture), must) || board_incomplete_;
    if (terminal && board_incomplete_ && !filling_ && phase_ == phase::open) {
        detail::spawn(home_, [self = shared_from_this()] { return fill_board(self); });
    }
    publish_soon();
}

WAYBILL_DECL void engine::count(status from, status to, std::uint64_t bytes) {
    board_.count_gone(from, bytes);
    board_.count_new(to, bytes);
}

WAYBILL_DECL void engine::publish() {
    publish_scheduled_ = false;
    hub_.publish(board_.take());
}

// Changes of one turn of the loop are published together.
WAYBILL_DECL void engine::publish_soon() {
    if (!publish_scheduled_) {
        publish_scheduled_ = true;
        detail::post(home_, [weak = weak_from_this()] {
            if (const auto self = weak.lock(); self && self->publish_scheduled_) {
                self->publish();
            }
        });
    }
}

WAYBILL_DECL void engine::observe_running() {
    for (const auto& [seq, state] : running_) {
        if (state->job) {
            show(state->job->observe(), true);
        }
    }
}

/// Lists what the store holds: what is set aside, what is to come, and what is done, as far as
/// there is room. Page by page, so that a large queue does not hold up the first upload; the first
/// page of each is published together, so that the first snapshot is no empty one.
WAYBILL_DECL asio::awaitable<void> engine::fill_board(std::shared_ptr<engine> self) {
    self->filling_ = true;
    self->board_incomplete_ = false;
    std::vector<unlisted> rest;
    rest.push_back(unlisted{listing::parked, {}});
    rest.push_back(unlisted{listing::open, {}});
    rest.push_back(unlisted{listing::finished, {}});
    try {
        while (!rest.empty() && self->phase_ == phase::open) {
            std::vector<unlisted> further;
            for (unlisted& one : rest) {
                if (co_await self->list_page(one)) {
                    further.push_back(std::move(one));
                }
            }
            rest = std::move(further);
            self->publish_soon();
        }
    } catch (const std::exception&) {
        // The store is closing, or has failed and says so to those who need it more.
    }
    self->filling_ = false;
}

/// False when there is nothing further of this kind, or no room for it.
WAYBILL_DECL asio::awaitable<bool> engine::list_page(unlisted& rest) {
    constexpr std::size_t page = 128;
    std::vector<loaded_job> found = co_await parts_.store->list(rest.which, rest.last, page);
    for (const loaded_job& whole : found) {
        if (rest.which == listing::finished && board_.full()) {
            co_return false;
        }
        // What is shown already is at least as new as what was just read.
        if (!board_.find(whole.job.seq) && !board_.show(detail::picture_of(whole))) {
            board_incomplete_ = true;
            co_return false;
        }
    }
    if (found.size() < page) {
        co_return false;
    }
    rest.last = std::move(found.back().job);
    co_return true;
}

WAYBILL_DECL asio::awaitable<void> engine::forget_old() {
    const auto gone = co_await parts_.store->remove_finished(now() - options_.keep_finished);
    for (const auto& [seq, was, size] : gone) {
        board_.remove(seq);
        board_.count_gone(was, size);
    }
    if (!gone.empty()) {
        publish_soon();
    }
}

}  // namespace waybill
