// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/acceptance.hpp>
#include <waybill/engine/engine_base.hpp>
#include <waybill/model/gate.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/pause_options.hpp>
#include <waybill/transport/bandwidth_limits.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waybill::detail {

/// The app's operations.
class commands : public engine_base {
public:
    asio::awaitable<std::vector<job_id>> enqueue(std::vector<job> jobs);
    asio::awaitable<void> cancel(job_id id);
    asio::awaitable<void> retry(job_id id);
    asio::awaitable<void> resolve(job_id id, resolution what);
    asio::awaitable<void> remove(job_id id);
    asio::awaitable<void> pause_job(job_id id, pause_options how);
    asio::awaitable<void> resume_job(job_id id);
    /// Throws `errc::invalid_option` for a text that is not a timetable. Empty: as the options say again.
    asio::awaitable<void> limit(limit_scope what, std::string rates);
    asio::awaitable<std::vector<bandwidth_limit>> limits();
    asio::awaitable<void> pause_all(selection which, pause_options how);
    asio::awaitable<void> resume_all(selection which);
    /// Waits until it is settled, or final with `until_final`.
    asio::awaitable<job_snapshot> wait(job_id id, bool until_final);
    asio::awaitable<job_snapshot> find(job_id id);
    asio::awaitable<std::vector<closed_gate>> explain(job_id id);
    asio::awaitable<std::vector<job_snapshot>> list(std::optional<job_seq> after, std::size_t most);

protected:
    commands(strand home, engine_parts parts, options options);

private:
    asio::awaitable<std::vector<added_job>> add(const std::vector<job>& jobs,
                                                std::shared_ptr<std::vector<new_job>>& made);
    asio::awaitable<void> show_known(job_seq seq);
    void make_known(const loaded_job& accepted);
    asio::awaitable<void> commit_hold(selection which, job_pause pause);
    asio::awaitable<void> interrupt_running(selection which);
    asio::awaitable<void> require_unfinished(job_id id);
    asio::awaitable<void> store_limit(limit_scope what, std::string rates);
    asio::awaitable<void> explain_queue(const loaded_job& whole, std::vector<closed_gate>& closed);
    void explain_wait(const loaded_job& whole, std::vector<closed_gate>& closed) const;

    acceptance acceptance_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/accept/enqueue.ipp>
#include <waybill/engine/commands.ipp>
#include <waybill/engine/limiting.ipp>
#include <waybill/engine/pausing.ipp>
#include <waybill/engine/show/explain.ipp>
#include <waybill/engine/show/queries.ipp>
#endif
