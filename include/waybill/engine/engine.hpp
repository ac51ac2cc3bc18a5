// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/commands.hpp>

#include <chrono>
#include <exception>

namespace waybill::detail {

/// Accepts jobs, runs their pipelines, commits the results, and only then shows them: the loop that decides what is
/// next, and when to wake up for it.
class engine final : public commands {
public:
    engine(strand home, engine_parts parts, options options);

    /// Delivers jobs until `stop`, until canceled, or until the store fails for good.
    asio::awaitable<void> run();
    /// Interrupts all transfers, brings everything to disk, ends all feeds. Not cancellable.
    asio::awaitable<void> stop();

private:
    using time_point = scheduler::time_point;
    static constexpr std::chrono::hours purge_interval{1};

    asio::awaitable<void> open_to_run();
    asio::awaitable<std::exception_ptr> deliver_until_it_ends();
    asio::awaitable<void> deliver();
    [[nodiscard]] time_point next_wakeup() const;
    void show_rest();
    asio::awaitable<void> refill_lanes();
    asio::awaitable<void> find_pauses();
    asio::awaitable<void> resume_due();
    asio::awaitable<void> end_holds();
    asio::awaitable<void> purge_old();
    void ended(job_seq seq, const std::exception_ptr& thrown);

    // When the store fails.
    asio::awaitable<void> quiesce();
    [[nodiscard]] bool lose_store(const std::exception_ptr& thrown);
    asio::awaitable<std::exception_ptr> reopen();

    condition delivery_ended_;
    time_point next_look_{};
    time_point next_flush_{};
    time_point next_purge_{};
    bool rest_shown_ = false;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/engine.ipp>
#include <waybill/engine/housekeeping.ipp>
#endif
