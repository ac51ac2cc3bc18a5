// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/tus/rules.hpp>
#include <waybill/testing/memory_store.hpp>

#include "simulation/server_model.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>

namespace waybill::simulation {

/// The invariants, looked at after every single turn of the loop.
class checker {
public:
    checker(std::map<std::string, posted_job>& jobs, const file_history& files, server_model& server,
            const testing::memory_disk& disk)
        : jobs_(jobs), files_(files), server_(server), disk_(disk) {}

    /// A process began: its snapshots count from the beginning.
    void process_began();
    /// What is on the disk now.
    void look_at_disk();
    /// Whether what was accepted is there, whole.
    void look_for_jobs() const;
    /// Whether what was to be cleaned up was, or could not be until it was older than `since`.
    void look_at_leftovers(std::chrono::system_clock::time_point since);
    void look_at(const snapshot& seen);
    /// After a host was away since `begun`, and files were unreachable: the others' jobs have not waited for it, and it
    /// was left alone.
    void look_after_outage(const outage& away, const std::set<std::string>& unreachable,
                           std::chrono::steady_clock::time_point begun, std::chrono::milliseconds max_age) const;
    /// After everything healed and came to rest.
    void look_at_end(const snapshot& seen) const;

    std::chrono::steady_clock::time_point present{};
    std::chrono::milliseconds max_age{0};

    [[nodiscard]] std::uint64_t trace() const noexcept { return trace_; }
    [[nodiscard]] std::uint64_t completed() const;

private:
    using point = std::tuple<int, int, status>;  // epoch, attempt, status

    void look_at_job(const loaded_job& whole);
    void look_at_change(const point& from, const loaded_job& to, posted_job& asked) const;
    void look_at_failure(const loaded_job& whole, const posted_job& asked) const;
    void look_at_source(const loaded_job& whole) const;
    void look_at_newer_fields(const loaded_job& whole) const;
    static void look_at_doubt(const loaded_job& whole, const posted_job& asked);
    void look_at_parts(const detail::tus_state& known, const std::string& id) const;
    void look_at_checkpoints(const loaded_job& whole) const;
    void look_at_delivery(const loaded_job& whole) const;
    static void look_at_digest(const std::string& receipt, const std::string& content, const posted_job& asked);
    void look_at_picture(const job_snapshot& shown);
    void look_at_progress(const job_snapshot& shown);
    void mix(std::uint64_t value) noexcept { trace_ = (trace_ ^ value) * 0x100000001B3U; }

    std::map<std::string, posted_job>& jobs_;
    const file_history& files_;
    server_model& server_;
    const testing::memory_disk& disk_;
    std::map<std::int64_t, leftover> leftovers_;        // as they were seen last
    std::map<std::string, std::set<point>> committed_;  // every state the disk ever had
    std::map<std::string, point> last_;
    std::map<std::string, std::pair<int, std::vector<file_identity>>> accepted_;  // of each job's epoch, its files
    std::map<std::string, std::pair<point, std::uint64_t>> sent_;
    std::set<std::shared_ptr<const job_snapshot>> shown_;  // the pictures of the last snapshot
    std::uint64_t version_ = 0;
    std::uint64_t trace_ = 0xCBF29CE484222325U;
};

}  // namespace waybill::simulation
