// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/erased.hpp>
#include <waybill/engine/engine_base.hpp>
#include <waybill/engine/run/cleaner.hpp>
#include <waybill/engine/show/filler.hpp>
#include <waybill/engine/show/snapshot_of.hpp>

#include <utility>
#include <vector>

// The snapshots that the app sees.
namespace waybill::detail {

WAYBILL_DECL void engine_base::show(job_snapshot view, board::place wanted) {
    const bool terminal = view.terminal();
    board_incomplete_ = !board_.show(std::move(view), wanted) || board_incomplete_;
    if (terminal && board_incomplete_ && !filling_ && life_.is_open()) {
        spawn(home_, [self = shared_from_this()] { return fill_board(self); });
    }
    publish_soon();
}

WAYBILL_DECL void engine_base::publish() {
    publish_scheduled_ = false;
    hub_.publish(board_.take(cleaner_->busy(), running_.empty() && scheduler_.all_closed()));
}

// Changes of one turn of the loop are published together.
WAYBILL_DECL void engine_base::publish_soon() {
    if (!publish_scheduled_) {
        publish_scheduled_ = true;
        post(home_, [weak = weak_from_this()] {
            const auto self = weak.lock();
            // While everything is listed again, the published snapshot stays unchanged.
            if (self && self->publish_scheduled_ && !self->life_.is(phase::opening)) {
                self->publish();
            }
        });
    }
}

/// Lists the store's jobs: parked, open and finished ones, as far as there is room. Page by page, so that a large queue
/// does not hold up the first upload; the first page of each is published together, so that the first snapshot is not
/// empty.
WAYBILL_DECL asio::awaitable<void> engine_base::fill_board(std::shared_ptr<engine_base> self) {
    self->filling_ = true;
    std::exception_ptr thrown;
    try {
        co_await self->list_everything();
    } catch (const std::exception&) {
        thrown = std::current_exception();
    }
    self->filling_ = false;
    if (!thrown || !self->life_.is_open()) {
        co_return;
    }
    // Readers that wait for the first snapshot would wait forever.
    if (!self->parts_.store->failed()) {
        self->publish_soon();
    } else if (self->life_.delivering()) {
        self->alarm_->wake();  // `run` reopens the store, and everything is listed then
    } else {
        self->hub_.close(thrown);
    }
}

WAYBILL_DECL asio::awaitable<void> engine_base::list_everything() {
    board_incomplete_ = false;
    filler lists(*parts_.store, board_);
    while (life_.is_readable()) {
        const std::vector<loaded_job> damaged = co_await lists.next_pages();
        for (const loaded_job& one : damaged) {
            co_await quarantine_if_possible(one);  // nobody would come upon it
            if (!board_.find(one.job.seq)) {
                show(snapshot_of(one));
            }
        }
        board_incomplete_ = board_incomplete_ || lists.ran_out_of_room();
        if (lists.done()) {
            break;
        }
        publish_soon();
    }
    publish_soon();
}

}  // namespace waybill::detail
