// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/erased.hpp>
#include <waybill/detail/in_parallel.hpp>
#include <waybill/engine/engine.hpp>
#include <waybill/engine/run/cleaner.hpp>
#include <waybill/engine/show/snapshot_of.hpp>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

// The runs: starting and interrupting them, and their reports.
namespace waybill::detail {

WAYBILL_DECL void engine::start(job_seq seq) {
    const auto run = std::make_shared<runner>(seq, environment_);
    running_.emplace(seq, run);
    spawn(
        home_, [self = shared_from_this(), run] { return run->run(); }, run->signal(),
        [self = shared_from_this(), run, seq](const std::exception_ptr& thrown) { self->ended(seq, thrown); });
}

WAYBILL_DECL void engine::ended(job_seq seq, const std::exception_ptr& thrown) {
    running_.erase(seq);
    if (is_want_of_memory(thrown)) {
        scheduler_.wait(seq, {parts_.clock->steady_now() + options_.retry.base});  // as after a crash: from the disk
    } else if (thrown && !fatal_) {
        fatal_ = thrown;
    }
    ends_.notify(seq);
    run_ended_.notify_all();
    alarm_->wake();
}

WAYBILL_DECL void engine::on_committed(const job_snapshot& now) {
    life_.committed();
    show(now, board::place::beyond);
}

WAYBILL_DECL void engine::on_leftover() {
    cleaner_->wake();
}

WAYBILL_DECL void engine::on_placed(const job_record& job) {
    place(job.seq, job.spec, job.state);
}

using flush_queue = std::vector<std::shared_ptr<attempt>>;

[[nodiscard]] inline asio::awaitable<bool> flush_next(std::shared_ptr<flush_queue> left) {
    if (left->empty()) {
        co_return false;
    }
    const std::shared_ptr<attempt> next = std::move(left->back());
    left->pop_back();
    if (next->dirty()) {
        co_await next->flush();
    }
    co_return true;
}

/// Handed to the store together, so that one sync makes the deferred results of all running jobs durable.
WAYBILL_DECL asio::awaitable<void> engine::flush_running() {
    const auto dirty = std::make_shared<flush_queue>();
    for (const auto& [seq, run] : running_) {
        if (run->job() && run->job()->dirty()) {
            dirty->push_back(run->job());
        }
    }
    if (!dirty->empty()) {
        std::function<asio::awaitable<bool>()> step = [dirty] { return flush_next(dirty); };
        co_await in_parallel(home_, shared_from_this(), dirty->size(), std::move(step));
    }
}

WAYBILL_DECL void engine::interrupt(job_seq seq, runner::wish why) {
    if (const auto found = running_.find(seq); found != running_.end()) {
        const std::shared_ptr<runner> run = found->second;  // it may end immediately
        run->interrupt(why);
    }
}

WAYBILL_DECL asio::awaitable<void> engine::interrupt_all() {
    std::vector<job_seq> all;
    for (const auto& [seq, run] : running_) {
        all.push_back(seq);
    }
    for (const job_seq seq : all) {
        if (running_.contains(seq) && !running_[seq]->interrupted()) {
            interrupt(seq, runner::wish::stop);
        }
    }
    while (!running_.empty()) {
        co_await run_ended_.wait_uncancellable();
    }
}

/// Keeps a record that cannot be trusted as a failed job, until the app removes it. Its content is not used: it is
/// counted by what the store finds.
WAYBILL_DECL asio::awaitable<void> engine::quarantine(loaded_job whole) {
    co_await ledger_.quarantine(whole.job.seq);
    whole.damaged = true;
    show(snapshot_of(whole));
    scheduler_.leave(whole.job.seq);
    ends_.notify(whole.job.seq);
}

/// On a full disk it is done another time.
WAYBILL_DECL asio::awaitable<void> engine::quarantine_if_possible(loaded_job whole) {
    try {
        co_await quarantine(std::move(whole));
    } catch (const error& e) {
        if (e.code() != errc::store_full) {
            throw;
        }
    }
}

}  // namespace waybill::detail
