// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/status.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace waybill {

/// Sums over all jobs of the store, also those a snapshot does not list.
struct totals {
    struct row {
        std::uint64_t jobs = 0;
        std::uint64_t bytes = 0;
    };
    std::array<row, status_count> by_status{};

    [[nodiscard]] row& operator[](status s) noexcept { return by_status[static_cast<std::size_t>(s)]; }
    [[nodiscard]] const row& operator[](status s) const noexcept { return by_status[static_cast<std::size_t>(s)]; }

    [[nodiscard]] std::uint64_t jobs() const noexcept {
        std::uint64_t sum = 0;
        for (const row& r : by_status) {
            sum += r.jobs;
        }
        return sum;
    }
    /// Jobs that were started, including finished ones.
    [[nodiscard]] std::uint64_t started() const noexcept { return jobs() - (*this)[status::pending].jobs; }
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        std::uint64_t sum = 0;
        for (const row& r : by_status) {
            sum += r.bytes;
        }
        return sum;
    }
    /// Jobs that are completed, failed or canceled.
    [[nodiscard]] std::uint64_t finished() const noexcept {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < status_count; ++i) {
            sum += is_terminal(static_cast<status>(i)) ? by_status[i].jobs : 0;
        }
        return sum;
    }
    /// Number of jobs that are neither finished nor parked.
    [[nodiscard]] std::uint64_t open() const noexcept {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < status_count; ++i) {
            sum += is_open(static_cast<status>(i)) ? by_status[i].jobs : 0;
        }
        return sum;
    }
};

}  // namespace waybill
