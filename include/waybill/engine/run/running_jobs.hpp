// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/condition.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/run/run_environment.hpp>
#include <waybill/engine/run/runner.hpp>

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace waybill::detail {

/// The jobs that are being run. `owner` keeps what they work with alive.
///
/// @par Thread safety
///   On the uploader's strand.
class running_jobs {
public:
    running_jobs(const strand& home, const run_environment& environment)
        : home_(home), environment_(environment), ended_(home) {}
    running_jobs(const running_jobs&) = delete;
    running_jobs& operator=(const running_jobs&) = delete;

    /// Called when a run has ended, with what it threw.
    std::function<void(job_seq seq, const std::exception_ptr& thrown)> on_ended;

    void start(job_seq seq, const std::shared_ptr<void>& owner);
    [[nodiscard]] bool empty() const noexcept { return runs_.empty(); }
    [[nodiscard]] bool contains(job_seq seq) const { return runs_.contains(seq); }
    /// Null when it is not running.
    [[nodiscard]] std::shared_ptr<runner> find(job_seq seq) const;

    [[nodiscard]] std::vector<std::pair<job_seq, std::shared_ptr<runner>>> list() const {
        return {runs_.begin(), runs_.end()};
    }
    /// This one, if it is running.
    [[nodiscard]] std::vector<std::pair<job_seq, std::shared_ptr<runner>>> list(std::optional<job_seq> only) const;

    void interrupt(job_seq seq, runner::wish why);
    /// Completes when all have ended. Not cancellable.
    asio::awaitable<void> interrupt_all();
    /// Makes the deferred results of all durable, by one sync.
    asio::awaitable<void> flush(std::shared_ptr<void> owner);

    /// Calls `use` with each job that is loaded.
    template <class Use>
    void for_each_loaded(const Use& use) const {
        for (const auto& [seq, run] : runs_) {
            if (run->job()) {
                use(*run->job());
            }
        }
    }

private:
    strand home_;
    const run_environment& environment_;
    condition ended_;
    std::map<job_seq, std::shared_ptr<runner>> runs_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/run/running_jobs.ipp>
#endif
