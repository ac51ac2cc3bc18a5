// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/commands.hpp>
#include <waybill/engine/pause.hpp>
#include <waybill/engine/queue/held_job.hpp>

#include <utility>

// How a job is paused, and goes on.
namespace waybill::detail {

WAYBILL_DECL asio::awaitable<void> commands::pause_job(job_id id, pause_options how) {
    check_pause(how);
    const job_seq seq = co_await require(id);
    const held_job held(scheduler_, *alarm_, seq);
    while (const auto run = running_.find(seq)) {
        const awaited_ends::watch end(ends_, seq);
        if (!run->interrupted()) {
            run->interrupt_between_requests(runner::wish::stop);
            publish_soon();
        }
        co_await end.reached();
    }
    loaded_job whole = co_await load_sound(seq);
    const status was = whole.job.state.status;
    if (was != status::paused && !can_become(was, status::paused)) {
        throw error(errc::not_allowed, id.str() + " is " + std::string(to_string(was)));
    }
    job_change next;
    next.to = whole.job.state;
    next.to.status = status::paused;
    next.to.pause = pause_of(how, clock_.now());
    co_await change(std::move(whole), std::move(next));
    ends_.notify(seq);  // whoever waits until it settles
}

WAYBILL_DECL asio::awaitable<void> commands::resume_job(job_id id) {
    const job_seq seq = co_await require(id);
    const held_job held(scheduler_, *alarm_, seq);
    loaded_job whole = co_await load_sound(seq);
    if (is_open(whole.job.state.status)) {
        co_return;
    }
    if (whole.job.state.status != status::paused) {
        throw error(errc::not_allowed, id.str() + " is " + std::string(to_string(whole.job.state.status)));
    }
    job_change next;
    next.to = resumed(whole.job.state);
    co_await change(std::move(whole), std::move(next));
}

/// They are not started from the moment of the call, so that none begins while the hold is being committed. It is shown
/// once it is committed.
WAYBILL_DECL asio::awaitable<void> commands::pause_all(selection which, pause_options how) {
    check_pause(how);
    check_selection(which);
    co_await open();
    co_await until_rules_are_free();
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await commit_hold(which, pause_of(how, clock_.now()));
    if (!how.drains()) {
        co_await interrupt_running(std::move(which));
    }
}

WAYBILL_DECL asio::awaitable<void> commands::commit_hold(selection which, job_pause pause) {
    const changing_rules mark(*this);
    const hold wanted{which, std::move(pause)};
    close(which, true);
    try {
        co_await ledger_.put(wanted);
    } catch (...) {
        close(which, holds_.find(which).has_value());
        throw;
    }
    set_hold(wanted);
    publish();
}

/// Completes when what runs now has stopped. Not what is started later: the hold may have been ended by then.
WAYBILL_DECL asio::awaitable<void> commands::interrupt_running(selection which) {
    const std::vector<std::pair<job_seq, std::shared_ptr<runner>>> runs =
        which.is_all() ? running_.list() : running_.list(scheduler_.running_in(*which.lane_name()));
    for (const auto& [seq, run] : runs) {
        if (!run->interrupted()) {
            run->interrupt_between_requests(runner::wish::stop);
        }
    }
    publish_soon();
    for (const auto& [seq, run] : runs) {
        for (;;) {
            const awaited_ends::watch end(ends_, seq);
            if (running_.find(seq) != run) {
                break;
            }
            co_await end.reached();
        }
    }
}

WAYBILL_DECL asio::awaitable<void> commands::resume_all(selection which) {
    check_selection(which);
    co_await open();
    co_await until_rules_are_free();
    const changing_rules mark(*this);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await ledger_.remove(which);
    end_hold(which);
    publish();
}

}  // namespace waybill::detail
