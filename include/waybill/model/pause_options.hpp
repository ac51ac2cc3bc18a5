// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <string>
#include <utility>

namespace waybill {

/// How jobs are paused. Default: until `async_resume`, without a word.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: unsafe.
class pause_options {
public:
    /// They go on by themselves after this time, also when the uploader was restarted in between. The clock of the
    /// machine may be put right meanwhile: it never lasts longer than it was meant to when it was said.
    pause_options& lasting(std::chrono::milliseconds time) {
        lasting_ = time;
        return *this;
    }
    /// For people, in the words of the app: shown in snapshots. At most 1,024 bytes, without control characters.
    pause_options& why(std::string text) {
        why_ = std::move(text);
        return *this;
    }

    /// Jobs that are running are delivered first; by default their transfers are interrupted. Concerns a pause of many
    /// jobs only.
    pause_options& drain(bool does = true) noexcept {
        drain_ = does;
        return *this;
    }

    /// Zero: until it is resumed.
    [[nodiscard]] std::chrono::milliseconds lasting() const noexcept { return lasting_; }
    [[nodiscard]] const std::string& why() const noexcept { return why_; }
    [[nodiscard]] bool drains() const noexcept { return drain_; }

private:
    std::chrono::milliseconds lasting_{0};
    std::string why_;
    bool drain_ = false;
};

}  // namespace waybill
