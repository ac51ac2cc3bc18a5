// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/random.hpp>

#include <cstdint>

namespace waybill::testing {

/// The same seed gives the same numbers, on every machine: splitmix64.
class seeded_random final : public random_source {
public:
    explicit seeded_random(std::uint64_t seed) : state_(seed) {}

    [[nodiscard]] std::uint64_t next() override {
        std::uint64_t x = state_ += 0x9E3779B97F4A7C15U;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
        return x ^ (x >> 31);
    }

    /// Uniform in [0, bound).
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    /// True with the given probability.
    [[nodiscard]] bool chance(double probability) { return unit() < probability; }

private:
    std::uint64_t state_;
};

}  // namespace waybill::testing
