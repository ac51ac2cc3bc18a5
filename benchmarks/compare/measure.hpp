// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace waybill::bench {

/// What one run of a program cost.
struct cost {
    double wall = 0;                     ///< seconds
    double cpu = 0;                      ///< seconds, user and system
    std::uint64_t peak = 0;              ///< bytes of memory at most
    std::uint64_t sleeps = 0;            ///< times it gave the processor back of its own will
    std::optional<std::uint64_t> calls;  ///< system calls; counted in a run of its own
    std::optional<std::uint64_t> sent;   ///< bytes that left, where they are counted
};

using arguments = std::vector<std::string>;

/// Runs a program to its end. Throws with its name when it fails.
cost run_measured(const arguments& argv);

/// Runs it under strace and returns the number of its system calls; nothing without strace.
std::optional<std::uint64_t> count_calls(const arguments& argv);

/// The median of each figure; of `calls` the first there is.
cost median_of(const std::vector<cost>& runs);

}  // namespace waybill::bench
