// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/clock.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/detail/event.hpp>

#include <algorithm>
#include <chrono>
#include <list>
#include <memory>
#include <optional>

namespace waybill::testing {

/// A clock that stands still until it is advanced: days of backoff pass in a microsecond.
///
/// @par Thread safety
///   Used on one strand.
class manual_clock final : public clock {
public:
    using duration = std::chrono::steady_clock::duration;
    using steady_time = std::chrono::steady_clock::time_point;
    using system_time = std::chrono::system_clock::time_point;

    /// Begins at 2030-01-01 00:00:00 UTC.
    manual_clock() = default;

    [[nodiscard]] steady_time steady_now() const noexcept override { return steady_; }
    [[nodiscard]] system_time system_now() const noexcept override { return system_; }
    [[nodiscard]] std::unique_ptr<alarm> make_alarm(const asio::any_io_executor& executor) override;

    /// Advances time; alarms that are due complete.
    void advance(duration by) {
        steady_ += by;
        system_ += std::chrono::duration_cast<system_time::duration>(by);
        for (manual_alarm* one : waiting_) {
            one->go_off_if_due();
        }
    }

    /// Advances time to the next alarm; false when none is set.
    bool advance_to_next() {
        const auto next = next_deadline();
        if (!next) {
            return false;
        }
        advance(std::max(*next - steady_, duration(0)));
        return true;
    }

    /// The deadline of the next alarm.
    [[nodiscard]] std::optional<steady_time> next_deadline() const {
        std::optional<steady_time> next;
        for (const manual_alarm* one : waiting_) {
            if (one->deadline() != steady_time::max() && (!next || one->deadline() < *next)) {
                next = one->deadline();
            }
        }
        return next;
    }

    /// Sets the wall clock as a user or a time server does: steady time does not notice.
    void jump(system_time::duration by) { system_ += by; }

private:
    class manual_alarm final : public alarm {
    public:
        manual_alarm(const asio::any_io_executor& executor, std::list<manual_alarm*>& waiting, const manual_clock& time)
            : woken_(executor), waiting_(waiting), time_(time), place_(waiting_.insert(waiting_.end(), this)) {}
        manual_alarm(const manual_alarm&) = delete;
        manual_alarm& operator=(const manual_alarm&) = delete;
        ~manual_alarm() override { waiting_.erase(place_); }

        asio::awaitable<void> wait_until(steady_time deadline) override;
        void wake() override { woken_.set(); }

        [[nodiscard]] steady_time deadline() const noexcept { return deadline_; }
        void go_off_if_due() {
            if (deadline_ <= time_.steady_now()) {
                woken_.set();
            }
        }

    private:
        // Also when the wait is canceled: the next one must not complete immediately because of it.
        struct rearm {
            manual_alarm& self;
            explicit rearm(manual_alarm& a) : self(a) {}
            rearm(const rearm&) = delete;
            rearm& operator=(const rearm&) = delete;
            ~rearm() {
                self.deadline_ = steady_time::max();
                self.woken_.clear();
            }
        };

        detail::event woken_;
        std::list<manual_alarm*>& waiting_;
        const manual_clock& time_;
        std::list<manual_alarm*>::iterator place_;
        steady_time deadline_ = steady_time::max();
    };

    steady_time steady_{std::chrono::hours(1)};
    system_time system_{std::chrono::seconds(1'893'456'000)};
    std::list<manual_alarm*> waiting_;
};

}  // namespace waybill::testing

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/testing/manual_clock.ipp>
#endif
