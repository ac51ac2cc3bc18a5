// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/detail/spawn_on.hpp>
#include <waybill/feed.hpp>
#include <waybill/fwd.hpp>
#include <waybill/model/gate.hpp>
#include <waybill/model/hold.hpp>
#include <waybill/model/ids.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/pause_options.hpp>
#include <waybill/model/snapshot.hpp>
#include <waybill/options.hpp>
#include <waybill/transport/bandwidth_limits.hpp>

#include <asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::detail {

/// @cond
#if !defined(WAYBILL_HEADER_ONLY)
extern template asio::awaitable<void> await_on(const strand&, task_of<void>, asio::use_awaitable_t<>);
extern template asio::awaitable<job_id> await_on(const strand&, task_of<job_id>, asio::use_awaitable_t<>);
extern template asio::awaitable<std::vector<job_id>> await_on(const strand&, task_of<std::vector<job_id>>,
                                                              asio::use_awaitable_t<>);
extern template asio::awaitable<job_snapshot> await_on(const strand&, task_of<job_snapshot>, asio::use_awaitable_t<>);
extern template asio::awaitable<std::vector<job_snapshot>> await_on(const strand&, task_of<std::vector<job_snapshot>>,
                                                                    asio::use_awaitable_t<>);
extern template asio::awaitable<std::vector<bandwidth_limit>> await_on(const strand&,
                                                                       task_of<std::vector<bandwidth_limit>>,
                                                                       asio::use_awaitable_t<>);
extern template task task_into(std::vector<bandwidth_limit>&, task_of<std::vector<bandwidth_limit>>);
extern template asio::awaitable<std::vector<closed_gate>> await_on(const strand&, task_of<std::vector<closed_gate>>,
                                                                   asio::use_awaitable_t<>);
extern template task task_into(std::vector<closed_gate>&, task_of<std::vector<closed_gate>>);
extern template task task_into(job_id&, task_of<job_id>);
extern template task task_into(std::vector<job_id>&, task_of<std::vector<job_id>>);
extern template task task_into(job_snapshot&, task_of<job_snapshot>);
extern template task task_into(std::vector<job_snapshot>&, task_of<std::vector<job_snapshot>>);
#endif
/// @endcond

/// The operations of an uploader, independent of their default token.
class uploader_base {
public:
    uploader_base(const uploader_base&) = delete;
    uploader_base& operator=(const uploader_base&) = delete;

    /// Subscribes to snapshots.
    [[nodiscard]] feed snapshots() const;

    /// The newest snapshot, without waiting and without locking: for render loops. Null only after a move.
    [[nodiscard]] std::shared_ptr<const snapshot> latest() const noexcept;

    /// False once it has been moved from: then every operation throws `errc::stopped` immediately.
    [[nodiscard]] bool valid() const noexcept { return engine_ != nullptr; }

protected:
    uploader_base(const asio::any_io_executor& executor, options how);
    ~uploader_base();

    uploader_base(uploader_base&&) noexcept = default;
    uploader_base& operator=(uploader_base&& other) noexcept {
        uploader_base replaced(std::move(other));
        std::swap(home_, replaced.home_);
        std::swap(engine_, replaced.engine_);
        return *this;
    }

    // The operations as coroutines for the strand. They are not part of the templates below, so that a program that
    // uses them does not compile the engine.
    [[nodiscard]] task_of<void> run() const;
    [[nodiscard]] task_of<job_id> enqueue(job what) const;
    [[nodiscard]] task_of<std::vector<job_id>> enqueue(std::vector<job> jobs) const;
    [[nodiscard]] task_of<void> cancel(job_id id) const;
    [[nodiscard]] task_of<void> retry(job_id id) const;
    [[nodiscard]] task_of<void> resolve(job_id id, resolution what) const;
    [[nodiscard]] task_of<void> remove(job_id id) const;
    [[nodiscard]] task_of<void> pause_job(job_id id, pause_options how) const;
    [[nodiscard]] task_of<void> resume_job(job_id id) const;
    [[nodiscard]] task_of<void> limit(limit_scope what, std::string rates) const;
    [[nodiscard]] task_of<std::vector<bandwidth_limit>> limits() const;
    [[nodiscard]] task_of<void> pause_all(selection which, pause_options how) const;
    [[nodiscard]] task_of<void> resume_all(selection which) const;
    [[nodiscard]] task_of<job_snapshot> wait(job_id id, bool until_final) const;
    [[nodiscard]] task_of<job_snapshot> find(job_id id) const;
    [[nodiscard]] task_of<std::vector<closed_gate>> explain(job_id id) const;
    [[nodiscard]] task_of<std::vector<job_snapshot>> list(std::optional<job_seq> after, std::size_t most) const;
    [[nodiscard]] task_of<void> stop() const;
    /// Throws `errc::forked` in a child of the process that it belongs to.
    [[nodiscard]] const std::shared_ptr<detail::engine>& own_engine() const;

    strand home_;
    std::shared_ptr<detail::engine> engine_;
};

}  // namespace waybill::detail
