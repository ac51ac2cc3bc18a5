// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

namespace waybill::detail {

/// What an attempt tells the retry policy: how far it came, and whether its host is there. Pure.
class attempt_report {
public:
    /// The server confirmed something new during this attempt.
    [[nodiscard]] bool progressed() const noexcept { return progressed_; }
    /// How many bytes of items that was.
    [[nodiscard]] std::uint64_t gained() const noexcept { return gained_; }
    /// How many more connections took before they broke, of uploads whose server can be asked what it has.
    [[nodiscard]] std::uint64_t unacknowledged() const noexcept { return unacknowledged_; }
    /// A request has come to an end: something was heard of the host, or nothing where something should have been.
    [[nodiscard]] bool contacted() const noexcept { return contacted_; }
    /// The host answered one of them, or took so much of a body that it is there.
    [[nodiscard]] bool host_responded() const noexcept { return host_responded_; }

    void progress() noexcept { progressed_ = true; }
    void contact(bool responded) noexcept {
        contacted_ = true;
        host_responded_ = host_responded_ || responded;
    }
    void cut_after(std::uint64_t bytes) noexcept { unacknowledged_ += bytes; }

    /// The server has `now` bytes of an item, where it was known to have `before`. True when some of them are new:
    /// bytes that it has lost and gets again are no progress.
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
    std::map<std::size_t, std::uint64_t> reached_;  // how far items had come of which the server has lost bytes
    std::uint64_t gained_ = 0;
    std::uint64_t unacknowledged_ = 0;
    bool progressed_ = false;
    bool contacted_ = false;
    bool host_responded_ = false;
};

}  // namespace waybill::detail
