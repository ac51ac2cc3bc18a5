// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/commands.hpp>
#include <waybill/engine/show/snapshot_of.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

// How a job is accepted.
namespace waybill::detail {

WAYBILL_DECL asio::awaitable<std::vector<job_id>> commands::enqueue(std::vector<job> jobs) {
    check_jobs(jobs, parts_.protocols);
    co_await open();
    std::shared_ptr<std::vector<new_job>> made;
    const std::vector<added_job> added = co_await add(jobs, made);
    std::vector<job_id> ids;
    ids.reserve(added.size());
    std::vector<job_seq> known_already;
    for (std::size_t i = 0; i < added.size(); ++i) {
        new_job& one = (*made)[i];
        ids.push_back(one.job.spec.id);
        if (added[i].existed) {
            known_already.push_back(added[i].seq);
            continue;
        }
        one.job.seq = added[i].seq;
        make_known({std::move(one.job), std::move(one.items), {}});
    }
    alarm_->wake();
    for (const job_seq seq : known_already) {
        co_await show_known(seq);
    }
    publish();  // before the caller is notified: it must find its jobs in the newest snapshot
    co_return ids;
}

/// Commits the jobs, and gives their records. Not canceled once the commit has begun: what the store has accepted is
/// made known, or it would wait for the next start.
WAYBILL_DECL asio::awaitable<std::vector<added_job>> commands::add(const std::vector<job>& jobs,
                                                                   std::shared_ptr<std::vector<new_job>>& made) {
    for (;;) {
        const std::vector<std::optional<job_seq>> known = co_await acceptance_.known_before(jobs);
        std::vector<new_job> records = co_await acceptance_.pin(jobs, known, clock_.lived());
        made = std::make_shared<std::vector<new_job>>(std::move(records));
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        try {
            co_return co_await ledger_.add(made);
        } catch (const error& e) {
            if (e.code() != errc::unknown_job) {  // else one was known a moment ago, and has been deleted since
                throw;
            }
        }
    }
}

// Its lane may have been read from the store after the commit and before its result arrived here: then the job is known
// already, may have been started, and must not be started twice.
WAYBILL_DECL void commands::make_known(const loaded_job& accepted) {
    const job_seq seq = accepted.job.seq;
    const std::shared_ptr<const job_snapshot> shown = board_.find(seq);
    if (!shown) {
        show(snapshot_of(accepted), board::place::asked);
    }
    if (!shown || is_open(shown->status)) {
        scheduler_.push({accepted.job.spec.lane, accepted.job.spec.origin}, seq, {clock_.steady_now()});
    }
}

/// Shows a job of an earlier run that is not listed. Nothing depends on it: if the store fails here, the job is
/// accepted nevertheless.
WAYBILL_DECL asio::awaitable<void> commands::show_known(job_seq seq) {
    if (board_.find(seq)) {
        co_return;
    }
    std::optional<loaded_job> known;
    try {
        known = co_await parts_.store->load(seq);
    } catch (const error&) {
        // The operation that needs the store more reports the error.
    }
    if (known && !board_.find(seq)) {
        show(snapshot_of(*known), board::place::asked);
    }
}

}  // namespace waybill::detail
