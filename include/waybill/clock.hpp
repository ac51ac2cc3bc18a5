// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>

#include <chrono>
#include <memory>

namespace waybill {

/// An alarm to sleep on until a time, which can be woken early. One waiter at a time; used on the uploader's strand
/// only.
class alarm {
public:
    virtual ~alarm() = default;

    /// Completes at `deadline`, after `wake`, or throws `operation_aborted` when canceled. If `wake` was called since
    /// the last wait, it completes immediately.
    virtual asio::awaitable<void> wait_until(std::chrono::steady_clock::time_point deadline) = 0;
    virtual void wake() = 0;
};

/// Time as the engine sees it. Replace it to test a workflow without waiting.
///
/// Deadlines inside one process use the steady clock, which neither users nor time servers change; only times that must
/// survive a restart are kept as wall-clock time.
class clock {
public:
    virtual ~clock() = default;
    [[nodiscard]] virtual std::chrono::steady_clock::time_point steady_now() const noexcept = 0;
    [[nodiscard]] virtual std::chrono::system_clock::time_point system_now() const noexcept = 0;
    [[nodiscard]] virtual std::unique_ptr<alarm> make_alarm(const asio::any_io_executor& executor) = 0;
};

/// The operating system's clocks.
class real_clock final : public clock {
public:
    [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const noexcept override {
        return std::chrono::steady_clock::now();
    }
    [[nodiscard]] std::chrono::system_clock::time_point system_now() const noexcept override {
        return std::chrono::system_clock::now();
    }
    [[nodiscard]] std::unique_ptr<alarm> make_alarm(const asio::any_io_executor& executor) override;
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/clock.ipp>
#endif
