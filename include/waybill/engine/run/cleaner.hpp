// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/condition.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/engine_parts.hpp>
#include <waybill/engine/ledger.hpp>
#include <waybill/model/leftover.hpp>
#include <waybill/options.hpp>

#include <asio/cancellation_signal.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace waybill::detail {

/// Cleans up what servers still have of abandoned uploads: canceled jobs, expired or useless upload resources. In the
/// background, one after the other, durable like everything else; abandoned in turn when the server has not responded
/// for as long as a job may live.
///
/// @par Thread safety
///   On the uploader's strand.
class cleaner {
public:
    cleaner(const strand& home, const engine_parts& parts, ledger& ledger, const options& options);

    cleaner(const cleaner&) = delete;
    cleaner& operator=(const cleaner&) = delete;
    ~cleaner();

    /// Called when `busy` may have changed.
    std::function<void()> on_changed;

    /// There may be work to do now. Also false while it waits to retry.
    [[nodiscard]] bool busy() const noexcept { return busy_; }
    /// Starts. `owner` is kept alive meanwhile.
    void start(std::shared_ptr<void> owner);
    /// There may be new work.
    void wake();
    /// Interrupts the work and waits for its end.
    asio::awaitable<void> stop();

private:
    asio::awaitable<void> work();
    asio::awaitable<std::chrono::steady_clock::time_point> work_until_nothing_is_due();
    asio::awaitable<void> clean(leftover what);
    void set_busy(bool now);
    [[nodiscard]] retry_policy patience() const;
    [[nodiscard]] bool too_old(const leftover& what) const;

    strand home_;
    const engine_parts& parts_;
    ledger& ledger_;
    const options& options_;
    std::unique_ptr<alarm> alarm_;
    condition ended_;
    std::shared_ptr<asio::cancellation_signal> running_;
    bool busy_ = false;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/run/cleaner.ipp>
#endif
