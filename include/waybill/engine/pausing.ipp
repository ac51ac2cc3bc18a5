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
    next.to.pause = {clock_.now() + how.lasting(), how.lasting(), how.why()};
    if (how.lasting() == std::chrono::milliseconds(0)) {
        next.to.pause.until = {};
    }
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

}  // namespace waybill::detail
