// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/testing/memory_store.hpp>

#include "simulation/server_model.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace waybill::simulation {

/// The invariants, looked at after every single turn of the loop.
class checker {
public:
    checker(const std::map<std::string, posted_job>& jobs, const file_history& files, const server_model& server,
            const testing::memory_disk& disk)
        : jobs_(jobs), files_(files), server_(server), disk_(disk) {}

    /// A process began: its snapshots count from the beginning.
    void process_began();
    /// What is on the disk now.
    void look_at_disk();
    /// Whether what was accepted is there, whole.
    void look_for_jobs() const;
    void look_at(const snapshot& seen);
    /// After everything healed and came to rest.
    void look_at_end(const snapshot& seen) const;

    [[nodiscard]] std::uint64_t trace() const noexcept { return trace_; }
    [[nodiscard]] std::uint64_t completed() const;

private:
    using point = std::tuple<int, int, status>;  // epoch, attempt, status

    void look_at_job(const loaded_job& whole);
    void look_at_delivery(const loaded_job& whole) const;
    void look_at_progress(const job_snapshot& shown);
    void mix(std::uint64_t value) noexcept { trace_ = (trace_ ^ value) * 0x100000001B3U; }

    const std::map<std::string, posted_job>& jobs_;
    const file_history& files_;
    const server_model& server_;
    const testing::memory_disk& disk_;
    std::map<std::string, std::set<point>> committed_;  // every state the disk ever had
    std::map<std::string, point> last_;
    std::map<std::string, std::pair<point, std::uint64_t>> sent_;
    std::uint64_t version_ = 0;
    std::uint64_t trace_ = 0xCBF29CE484222325U;
};

}  // namespace waybill::simulation
