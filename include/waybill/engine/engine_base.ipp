// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/erased.hpp>
#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/engine_base.hpp>
#include <waybill/engine/run/cleaner.hpp>
#include <waybill/engine/show/snapshot_of.hpp>
#include <waybill/store/apply.hpp>

#include <utility>
#include <vector>

// Opening the store, and changing a job.
namespace waybill::detail {

WAYBILL_DECL engine_base::engine_base(strand home, engine_parts parts, options options)
    : home_(std::move(home)), parts_(std::move(parts)), options_(std::move(options)), clock_(parts_.clock), hub_(home_),
      board_(options_.snapshot_jobs), ledger_(*parts_.store, board_), scheduler_(options_.max_concurrent_jobs),
      hosts_(options_.retry), bandwidth_(options_.bandwidth),
      rules_changed_(home_), environment_{home_, parts_, options_, clock_, ledger_, scheduler_, hosts_, *this},
      running_(home_, environment_), alarm_(parts_.clock->make_alarm(home_)),
      cleaner_(std::make_unique<cleaner>(home_, parts_, ledger_, options_)), phase_changed_(home_), ends_(home_) {
    bandwidth_.apply_all(*parts_.transport);
    cleaner_->on_changed = [this] {
        publish_soon();
        if (parts_.store->failed()) {
            alarm_->wake();  // whichever caller noticed: `deliver` has the store reopened
        }
    };
}

WAYBILL_DECL engine_base::~engine_base() = default;

WAYBILL_DECL asio::awaitable<void> engine_base::open() {
    if (parts_.store->failed() && life_.find_failed()) {
        alarm_->wake();
    }
    for (bool awaited = false; !life_.is_open();) {
        if (life_.needs() == need::to_leave) {
            throw error(errc::stopped);
        }
        if (life_.needs() == need::to_open) {
            if (awaited && open_failure_) {
                std::rethrow_exception(open_failure_);
            }
            spawn(home_, [self = shared_from_this()] { return open_store(self); });
            life_.begin_opening();
        }
        awaited = life_.is(phase::opening);
        co_await phase_changed_.wait();
    }
    if (life_.stop_asked()) {
        throw error(errc::stopped);  // opening took long, and no caller wants it any more
    }
}

// Detached: the first caller may be canceled, and the others still wait for it.
WAYBILL_DECL asio::awaitable<void> engine_base::open_store(std::shared_ptr<engine_base> self) {
    const bool again = self->life_.opened_before();
    std::exception_ptr thrown;
    try {
        co_await self->read_store(again);
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown) {
        self->life_.failed_to_open();
    } else {
        self->life_.opened();
    }
    self->open_failure_ = thrown;
    self->phase_changed_.notify_all();
    if (thrown) {
        co_return;
    }
    self->fatal_ = nullptr;
    if (self->life_.stop_asked()) {
        co_return;
    }
    self->hub_.reopen();
    if (again) {
        self->publish();
    } else {
        spawn(self->home_, [self] { return fill_board(self); });
    }
}

WAYBILL_DECL asio::awaitable<void> engine_base::read_store(bool again) {
    const store_contents found = co_await ledger_.open();
    scheduler_.clear();
    due_.clear();
    pauses_known_ = false;
    for (const hold& known : holds_.list()) {
        end_hold(known.which);
    }
    for (const hold& one : found.holds) {
        set_hold(one);
    }
    bandwidth_.set_stored(found.limits);
    try {
        bandwidth_.apply_all(*parts_.transport);
    } catch (const error&) {
        // A transport that cannot limit must not lock the app out of its queue.
    }
    last_parked_.reset();
    clock_.open_at(found.time);
    if (!found.moved_aside.empty()) {
        board_.note_moved_aside(found.moved_aside);
    }
    for (const queued_job& head : found.lane_heads) {
        scheduler_.refill({head.lane, head.origin}, {{head.seq, turn_of(head)}}, true);
    }
    if (again) {
        board_.clear();
        co_await list_everything();
    }
}

WAYBILL_DECL asio::awaitable<job_seq> engine_base::require(job_id id) {
    co_await open();
    std::vector<job_id> asked{id};
    const std::vector<std::optional<job_seq>> found = co_await parts_.store->find(std::move(asked));
    if (!found.front()) {
        throw error(errc::unknown_job, printable_excerpt(id.str(), 128));
    }
    co_return *found.front();
}

WAYBILL_DECL asio::awaitable<loaded_job> engine_base::load(job_seq seq) {
    std::optional<loaded_job> whole = co_await parts_.store->load(seq);
    if (!whole) {
        throw error(errc::unknown_job);
    }
    co_return std::move(*whole);
}

/// Requires a record that can be trusted. Throws `errc::record_damaged` for another one, which is a failed job from
/// then on.
WAYBILL_DECL asio::awaitable<loaded_job> engine_base::load_sound(job_seq seq) {
    loaded_job whole = co_await load(seq);
    if (!is_sound(whole, parts_.protocols)) {
        const std::string id = printable_excerpt(whole.job.spec.id.str(), 128);
        co_await quarantine(std::move(whole));
        publish();
        throw error(errc::record_damaged, id);
    }
    co_return whole;
}

WAYBILL_DECL asio::awaitable<void> engine_base::change(loaded_job whole, job_change next) {
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

/// Keeps a record that cannot be trusted as a failed job, until the app removes it. Its content is not used: it is
/// counted by what the store finds.
WAYBILL_DECL asio::awaitable<void> engine_base::quarantine(loaded_job whole) {
    co_await ledger_.quarantine(whole.job.seq);
    whole.damaged = true;
    show(snapshot_of(whole));
    scheduler_.leave(whole.job.seq);
    ends_.notify(whole.job.seq);
}

/// On a full disk it is done another time.
WAYBILL_DECL asio::awaitable<void> engine_base::quarantine_if_possible(loaded_job whole) {
    try {
        co_await quarantine(std::move(whole));
    } catch (const error& e) {
        if (e.code() != errc::store_full) {
            throw;
        }
    }
}

WAYBILL_DECL void engine_base::on_committed(const job_snapshot& now) {
    life_.committed();
    show(now, board::place::beyond);
}

WAYBILL_DECL void engine_base::on_leftover() {
    cleaner_->wake();
}

WAYBILL_DECL void engine_base::on_placed(const job_record& job) {
    place(job.seq, job.spec, job.state);
}

}  // namespace waybill::detail
