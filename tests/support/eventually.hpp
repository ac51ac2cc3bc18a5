// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace waybill::test {

/// Waits for something that nobody tells of, such as a file of another process: looks again and
/// again. Throws `std::runtime_error` that names `what` when it does not become true.
inline void eventually(const std::string& what, const std::function<bool()>& holds,
                       std::chrono::milliseconds most = std::chrono::seconds(30)) {
    const auto until = std::chrono::steady_clock::now() + most;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) {
            throw std::runtime_error("waited in vain for " + what);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));  // between two looks
    }
}

}  // namespace waybill::test
