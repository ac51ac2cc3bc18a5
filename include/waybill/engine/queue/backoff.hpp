// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/retry_policy.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

namespace waybill::detail {

/// The server's requested delay, respected up to the policy's cap and prolonged by up to a tenth, so that clients with
/// the same delay do not come back together.
[[nodiscard]] inline std::chrono::milliseconds retry_after_delay(const retry_policy& policy,
                                                                 std::chrono::seconds retry_after, double random) {
    using std::chrono::milliseconds;
    // Compared in seconds: a protocol may give any number of them, more than milliseconds can hold.
    const bool too_long = retry_after > std::chrono::floor<std::chrono::seconds>(policy.retry_after_cap);
    const milliseconds asked = too_long ? policy.retry_after_cap : milliseconds(retry_after);
    return asked + milliseconds(static_cast<milliseconds::rep>(static_cast<double>(asked.count()) * random / 10));
}

/// How long to wait after a number of failed attempts: a random time up to an exponentially growing limit ("full
/// jitter"), so that clients that failed together do not come back together.
///
/// @param failures failed attempts in a row, from 1.
/// @param random uniform in [0, 1).
/// @param retry_after the server's requested delay.
[[nodiscard]] inline std::chrono::milliseconds backoff_delay(const retry_policy& policy, int failures, double random,
                                                             std::optional<std::chrono::seconds> retry_after) {
    using std::chrono::milliseconds;
    const double limit = std::min(static_cast<double>(policy.cap.count()),
                                  static_cast<double>(policy.base.count()) * std::exp2(std::clamp(failures, 0, 40)));
    const milliseconds jittered(static_cast<milliseconds::rep>(limit * random));
    const milliseconds delay = std::max(jittered, policy.floor);
    return retry_after ? std::max(delay, retry_after_delay(policy, *retry_after, random)) : delay;
}

}  // namespace waybill::detail
