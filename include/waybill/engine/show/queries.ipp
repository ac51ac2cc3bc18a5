// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/commands.hpp>
#include <waybill/engine/show/snapshot_of.hpp>

#include <utility>
#include <vector>

// The app's questions.
namespace waybill::detail {

WAYBILL_DECL asio::awaitable<job_snapshot> commands::find(job_id id) {
    const job_seq seq = co_await require(std::move(id));
    if (const auto shown = board_.find(seq)) {
        co_return *shown;
    }
    co_return snapshot_of(co_await load(seq));
}

WAYBILL_DECL asio::awaitable<std::vector<job_snapshot>> commands::list(std::optional<job_seq> after, std::size_t most) {
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
        result.push_back(shown ? *shown : snapshot_of(whole));
    }
    co_return result;
}

WAYBILL_DECL asio::awaitable<job_snapshot> commands::wait(job_id id, bool until_final) {
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
