// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/queue/scheduler.hpp>
#include <waybill/engine/run/attempt.hpp>
#include <waybill/engine/run/attempt_end.hpp>
#include <waybill/engine/run/outcome.hpp>
#include <waybill/engine/run/run_environment.hpp>
#include <waybill/model/record.hpp>

#include <asio/cancellation_signal.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace waybill::detail {

/// One attempt at a job, from load to end: whether the host may be contacted, what is known of an earlier request, the
/// pipeline, and the job's next state.
///
/// @par Thread safety
///   On the uploader's strand.
class runner : public std::enable_shared_from_this<runner> {
public:
    enum class wish : std::uint8_t { none, cancel, stop };

    /// `with` must live as long as it runs.
    runner(job_seq seq, const run_environment& with) : seq_(seq), with_(with) {}
    runner(const runner&) = delete;
    runner& operator=(const runner&) = delete;

    /// Completes when the attempt's end is committed. Throws only failures that say nothing about the job: the store
    /// failed, or memory is exhausted. To be spawned with `signal`.
    asio::awaitable<void> run();
    [[nodiscard]] const std::shared_ptr<asio::cancellation_signal>& signal() const noexcept { return signal_; }

    /// Ends the attempt; `why` determines the job's next state. It may be over when this returns.
    void interrupt(wish why);
    /// The same, but a request that must not be repeated and may have arrived is seen to its end first: to cut it would
    /// leave its outcome unknown.
    void interrupt_between_requests(wish why);
    [[nodiscard]] bool interrupted() const noexcept { return asked_ != wish::none; }

    /// Null until the job is loaded.
    [[nodiscard]] const std::shared_ptr<attempt>& job() const noexcept { return job_; }

private:
    // From load to end.
    [[nodiscard]] std::shared_ptr<attempt> make_attempt(loaded_job whole);
    void interrupt_if_settled();
    asio::awaitable<void> fail_damaged(loaded_job whole);
    asio::awaitable<void> carry(std::shared_ptr<attempt> job);
    asio::awaitable<bool> begin(attempt& job);
    asio::awaitable<attempt_end> run_protocol(attempt& job);
    asio::awaitable<attempt_end> recognize_files(attempt& job);
    [[nodiscard]] job_state after(const attempt& job, const attempt_end& end) const;
    asio::awaitable<void> commit_end(attempt& job, job_state next);
    [[nodiscard]] outcome decide() const;

    // A request that may have arrived.
    asio::awaitable<bool> ask_backend(attempt& job, diagnostics why);
    static asio::awaitable<void> complete_doubtful(attempt& job);
    [[nodiscard]] bool has_verifier(const job_record& job) const;
    [[nodiscard]] bool can_probe(const job_record& job) const;
    [[nodiscard]] outcome::doubt doubt_about(const job_record& job, bool may_probe = true) const;

    // The job's host.
    [[nodiscard]] scheduler::time_point ready_at(const job_record& job);
    [[nodiscard]] job_turn turn_when(scheduler::time_point ready, const job_record& job) const;
    [[nodiscard]] credentials_mark credentials_of(const job_record& job) const;
    void report_host(const attempt& job, const attempt_end& end);
    void report_success(const attempt& job, bool refused_some);

    job_seq seq_;
    const run_environment& with_;
    std::shared_ptr<asio::cancellation_signal> signal_ = std::make_shared<asio::cancellation_signal>();
    wish asked_ = wish::none;
    wish deferred_ = wish::none;  // asked for, until nothing is in doubt
    std::shared_ptr<attempt> job_;
    std::string origin_;  // its target's origin
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/run/runner.ipp>
#include <waybill/engine/run/runner_doubt.ipp>
#include <waybill/engine/run/runner_host.ipp>
#endif
