// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/queue/backoff.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

namespace waybill::test {
namespace {

using namespace detail;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double almost_one = 1.0 - 0x1.0p-53;

TEST_CASE("a backoff is random between its floor and a limit that doubles up to a cap", "[engine][backoff]") {
    const retry_policy policy;
    for (int failures = 1; failures <= 100; ++failures) {
        const double limit = std::min(300'000.0, 1'000.0 * std::pow(2.0, failures));
        for (int step = 0; step <= 100; ++step) {
            const double random = std::min(step / 100.0, almost_one);
            const auto delay = backoff_delay(policy, failures, random, std::nullopt);
            INFO(failures << " failures, random " << random);
            CHECK(delay >= policy.floor);
            CHECK(delay <= policy.cap);
            CHECK(std::abs(static_cast<double>(delay.count()) - std::max(200.0, limit * random)) <= 1.0);
        }
    }
}

TEST_CASE("the least a backoff waits is its floor, and the most its cap", "[engine][backoff]") {
    const retry_policy policy;
    CHECK(backoff_delay(policy, 1, 0.0, std::nullopt) == milliseconds(200));
    CHECK(backoff_delay(policy, 12, 0.0, std::nullopt) == milliseconds(200));
    CHECK(backoff_delay(policy, 1, 0.5, std::nullopt) == milliseconds(1'000));
    CHECK(backoff_delay(policy, 12, 0.5, std::nullopt) == milliseconds(150'000));
    CHECK(backoff_delay(policy, std::numeric_limits<int>::max(), almost_one, std::nullopt) <= policy.cap);
    CHECK(backoff_delay(policy, std::numeric_limits<int>::max(), almost_one, std::nullopt) >
          policy.cap - milliseconds(2));
    CHECK(backoff_delay(policy, -5, 0.5, std::nullopt) == milliseconds(500));
}

TEST_CASE("two clients that failed together do not come back together", "[engine][backoff]") {
    const retry_policy policy;
    CHECK(backoff_delay(policy, 5, 0.3, std::nullopt) != backoff_delay(policy, 5, 0.6, std::nullopt));
    CHECK(backoff_delay(policy, 5, 0.3, seconds(600)) != backoff_delay(policy, 5, 0.6, seconds(600)));
}

TEST_CASE("Retry-After is waited for, and a little longer", "[engine][backoff]") {
    const retry_policy policy;
    for (int step = 0; step <= 100; ++step) {
        const double random = std::min(step / 100.0, almost_one);
        for (const int asked : {1, 30, 600, 86'400}) {
            const auto delay = backoff_delay(policy, 1, random, seconds(asked));
            CHECK(delay >= seconds(asked));
            // The jitter of the first failure goes up to 2 s, that of Retry-After up to a tenth.
            CHECK(delay <= std::max<milliseconds>(milliseconds(2'000), milliseconds(asked * 1'100)));
        }
    }
    CHECK(backoff_delay(policy, 1, 0.5, seconds(100)) == milliseconds(105'000));
}

TEST_CASE("Retry-After shortens nothing", "[engine][backoff]") {
    const retry_policy policy;
    CHECK(backoff_delay(policy, 12, 0.5, seconds(1)) == milliseconds(150'000));
    CHECK(backoff_delay(policy, 1, 0.0, seconds(0)) == milliseconds(200));
    CHECK(backoff_delay(policy, 1, 0.5, seconds(-100)) == milliseconds(1'000));
}

TEST_CASE("Retry-After is obeyed up to its cap", "[engine][backoff]") {
    retry_policy policy;
    CHECK(backoff_delay(policy, 1, 0.0, seconds(86'400 * 365)) == milliseconds(86'400'000));
    CHECK(backoff_delay(policy, 1, almost_one, seconds(86'400 * 365)) <= milliseconds(86'400'000 / 10 * 11));
    CHECK(backoff_delay(policy, 1, 0.0, seconds::max()) == milliseconds(86'400'000));
    CHECK(backoff_delay(policy, 1, 0.0, seconds::min()) == milliseconds(200));
    policy.retry_after_cap = milliseconds(1'500);
    CHECK(backoff_delay(policy, 1, 0.0, seconds(1)) == milliseconds(1'000));
    CHECK(backoff_delay(policy, 1, 0.0, seconds(2)) == milliseconds(1'500));
}

TEST_CASE("a policy of the app's own is followed", "[engine][backoff]") {
    retry_policy policy;
    policy.base = milliseconds(10);
    policy.cap = milliseconds(50);
    policy.floor = milliseconds(0);
    CHECK(backoff_delay(policy, 1, 0.5, std::nullopt) == milliseconds(10));
    CHECK(backoff_delay(policy, 2, 0.5, std::nullopt) == milliseconds(20));
    CHECK(backoff_delay(policy, 9, 0.5, std::nullopt) == milliseconds(25));
    CHECK(backoff_delay(policy, 9, 0.0, std::nullopt) == milliseconds(0));
}

}  // namespace
}  // namespace waybill::test
