// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

namespace waybill::detail {

/// An attempt's report for the retry policy: its progress, and whether its host responded. Pure.
class attempt_report {
public:
    /// The server confirmed something new during this attempt.
    [[nodiscard]] bool progressed() const noexcept { return progressed_; }
    /// How many bytes of items that was.
    [[nodiscard]] std::uint64_t gained() const noexcept { return gained_; }
    /// Bytes sent on connections that were then lost, of uploads whose offset the server can be asked for.
    [[nodiscard]] std::uint64_t unacknowledged() const noexcept { return unacknowledged_; }
    /// A request has ended: the host responded, or should have responded and did not.
    [[nodiscard]] bool contacted() const noexcept { return contacted_; }
    /// The host responded to one of them, or accepted so much of a body that it must be up.
    [[nodiscard]] bool host_responded() const noexcept { return host_responded_; }

    void progress() noexcept { progressed_ = true; }
    void contact(bool responded) noexcept {
        contacted_ = true;
        host_responded_ = host_responded_ || responded;
    }
    void cut_after(std::uint64_t bytes) noexcept { unacknowledged_ += bytes; }

    /// The server has `now` bytes of an item, where it was known to have `before`. True when some of them are new:
    /// bytes that it lost and gets again are no progress.
    bool confirm(std::size_t item, std::uint64_t before, std::uint64_t now) {
        std::uint64_t best = before;
        if (now < best) {
            reached_.try_emplace(item, best);
        }
        if (const auto earlier = reached_.find(item); earlier != reached_.end()) {
            best = earlier->second;
            earlier->second = std::max(best, now);
        }
        if (now <= best) {
            return false;
        }
        progressed_ = true;
        gained_ += now - best;
        return true;
    }

private:
    std::map<std::size_t, std::uint64_t> reached_;  // the highest offsets of items of which the server has lost bytes
    std::uint64_t gained_ = 0;
    std::uint64_t unacknowledged_ = 0;
    bool progressed_ = false;
    bool contacted_ = false;
    bool host_responded_ = false;
};

}  // namespace waybill::detail
