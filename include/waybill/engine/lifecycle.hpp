// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace waybill::detail {

/// The engine's lifecycle: may the store be used, must it be opened, may jobs be delivered. Pure: events are arguments.
///
///     closed ─► opening ─► open ─► lost ─► closed        (reopened by the next operation that needs it)
///       ▲          │         │
///       └──────────┘         └───► closed                (it failed, and no run delivers)
///     closed, open, lost ─► stopping ─► stopped
///
/// A stop that is requested while the store is being opened waits until that has ended.
class lifecycle {
public:
    /// `lost`: the store has failed; nothing works before it is reopened.
    enum class phase : std::uint8_t { closed, opening, open, lost, stopping, stopped };

    /// What an operation that needs the open store has to do.
    enum class need : std::uint8_t {
        nothing,   ///< it is open
        to_open,   ///< begin to open it, and wait for a change
        to_wait,   ///< for a change: another operation opens it
        to_leave,  ///< it will not be opened any more
    };

    [[nodiscard]] phase now() const noexcept { return phase_; }
    [[nodiscard]] bool is(phase which) const noexcept { return phase_ == which; }
    [[nodiscard]] bool is_open() const noexcept { return phase_ == phase::open; }
    /// Records are read: it is open, or just being opened.
    [[nodiscard]] bool is_readable() const noexcept { return phase_ == phase::open || phase_ == phase::opening; }
    [[nodiscard]] bool delivering() const noexcept { return delivering_; }
    [[nodiscard]] bool stop_asked() const noexcept { return stop_asked_; }
    /// The store was open before: opening it reads everything again.
    [[nodiscard]] bool opened_before() const noexcept { return opened_before_; }

    // Opening.

    [[nodiscard]] need needs() const noexcept {
        switch (phase_) {
            case phase::open: return need::nothing;
            case phase::closed: return need::to_open;
            case phase::opening:
            case phase::lost: return need::to_wait;
            default: return need::to_leave;
        }
    }
    void begin_opening() noexcept { phase_ = phase::opening; }
    void opened() noexcept {
        phase_ = phase::open;
        opened_before_ = true;
    }
    void failed_to_open() noexcept { phase_ = phase::closed; }

    // Losing the store.

    /// An operation finds that the store has failed: a delivering run reopens it, otherwise the next operation that
    /// needs it does. True for the first one that finds out.
    bool find_failed() noexcept {
        if (phase_ != phase::open) {
            return false;
        }
        phase_ = delivering_ ? phase::lost : phase::closed;
        return true;
    }
    /// The store has failed during delivery. False when that no longer matters: the engine is being stopped.
    bool lose() noexcept {
        const bool matters = phase_ == phase::open || phase_ == phase::lost;
        phase_ = matters ? phase::lost : phase_;
        return matters;
    }
    /// No lost state is in use any more. False when nothing was lost, or the engine is being stopped meanwhile.
    bool close_lost() noexcept {
        const bool was_lost = phase_ == phase::lost;
        phase_ = was_lost ? phase::closed : phase_;
        return was_lost;
    }
    /// Whether to open it once more; not when the disk fails again and again, without a commit of a job in between.
    [[nodiscard]] bool may_reopen() noexcept {
        constexpr int most_in_a_row = 3;
        return ++reopened_ <= most_in_a_row;
    }
    void committed() noexcept { reopened_ = 0; }

    // Delivering.

    void begin_delivering() noexcept {
        delivering_ = true;
        reopened_ = 0;
    }
    void end_delivering() noexcept { delivering_ = false; }

    // Stopping.

    void ask_to_stop() noexcept { stop_asked_ = true; }
    /// It cannot be stopped before this has ended.
    [[nodiscard]] bool stop_must_wait() const noexcept { return phase_ == phase::opening || phase_ == phase::stopping; }
    /// True when there is a store to close.
    [[nodiscard]] bool begin_stopping() noexcept {
        const bool opened = phase_ == phase::open || phase_ == phase::lost;
        phase_ = phase::stopping;
        return opened;
    }
    void stopped() noexcept { phase_ = phase::stopped; }

private:
    phase phase_ = phase::closed;
    bool delivering_ = false;
    bool stop_asked_ = false;
    bool opened_before_ = false;
    int reopened_ = 0;  // in a row, without a commit of a job in between
};

}  // namespace waybill::detail
