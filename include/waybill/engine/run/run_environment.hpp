// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/engine/engine_parts.hpp>
#include <waybill/engine/ledger.hpp>
#include <waybill/engine/queue/host_health.hpp>
#include <waybill/engine/queue/scheduler.hpp>
#include <waybill/engine/store_clock.hpp>
#include <waybill/model/record.hpp>
#include <waybill/model/snapshot.hpp>
#include <waybill/options.hpp>

namespace waybill::detail {

/// Starts runs, and receives their reports.
///
/// @par Thread safety
///   On the uploader's strand.
class run_observer {
public:
    run_observer() = default;
    run_observer(const run_observer&) = delete;
    run_observer& operator=(const run_observer&) = delete;
    virtual ~run_observer() = default;

    /// Whether jobs are to be delivered: the store is open, and the uploader is not being stopped.
    [[nodiscard]] virtual bool delivers() const noexcept = 0;
    /// A commit of a running job is done.
    virtual void on_committed(const job_snapshot& now) = 0;
    /// A leftover was recorded.
    virtual void on_leftover() = 0;
    /// A run has ended: the job's new state.
    virtual void on_placed(const job_record& job) = 0;
    /// The record cannot be trusted: keeps it as a failed job.
    virtual asio::awaitable<void> quarantine(loaded_job whole) = 0;
};

/// What all runs of an engine share.
struct run_environment {
    const strand& home;
    const engine_parts& parts;
    const waybill::options& options;
    const store_clock& clock;
    detail::ledger& ledger;
    scheduler& queue;
    host_health& hosts;
    run_observer& observer;
};

}  // namespace waybill::detail
