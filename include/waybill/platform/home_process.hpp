// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <unistd.h>

namespace waybill::detail {

/// The process something was made in. A forked child inherits it without its threads, and shares its files and
/// connections with the parent: it may neither use it nor destroy it.
class home_process {
public:
    /// True in a forked child.
    [[nodiscard]] bool left() const noexcept { return ::getpid() != pid_; }

private:
    pid_t pid_ = ::getpid();
};

/// Never destroys it. It stays reachable, so it is not reported as a leak.
inline void leave_alone(std::shared_ptr<void> what) {
    static auto* const lock = new std::mutex;
    static auto* const left = new std::vector<std::shared_ptr<void>>;
    const std::lock_guard held(*lock);
    left->push_back(std::move(what));
}

}  // namespace waybill::detail
