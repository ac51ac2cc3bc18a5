// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace waybill::detail {

/// The state of all jobs from which the next snapshot is taken.
///
/// Lists up to a number of jobs, so that a queue of a million does not fill the memory. When it
/// is full, a new job takes the place of the one that finished longest ago, or is only counted.
class board {
public:
    /// What an unlisted job may do when the list is full of unfinished jobs.
    enum class place : std::uint8_t {
        spare,   ///< it is only counted
        asked,   ///< it takes the place of the job that waits its turn and was accepted first
        beyond,  ///< it is listed in addition, until the next one finishes: it is running
    };

    explicit board(std::size_t capacity) : capacity_(capacity) {}

    /// Shows a job's new state. False when a job is not listed because there is no room: this one, or the one it
    /// displaced.
    bool show(job_snapshot next, place wanted = place::spare) {
        const job_seq seq = next.seq;
        const std::shared_ptr<const job_snapshot>* known = jobs_.find(seq);
        const bool room = known != nullptr || make_room();
        if (!room && wanted == place::spare) {
            return false;
        }
        const bool displaces = !room && wanted == place::asked && !queued_.empty();
        if (displaces) {
            remove(queued_.begin()->second);
        }
        if (known != nullptr) {
            uncount(**known);
        } else {
            detail::add_id(ids_, next.id(), seq);
        }
        if (next.terminal()) {
            finished_.emplace(next.finished, seq);
        } else if (is_queued(next)) {
            queued_.emplace(next.status, seq);
        }
        if (next.status != status::completed) {
            sent_listed_ += next.sent;
        }
        jobs_.set(seq, std::make_shared<const job_snapshot>(std::move(next)));
        return !displaces;
    }

    void remove(job_seq seq) {
        if (const auto* known = jobs_.find(seq)) {
            const std::shared_ptr<const job_snapshot> kept = *known;
            uncount(*kept);
            detail::remove_id(ids_, kept->id(), seq);
            jobs_.remove(seq);
        }
    }

    /// Shows nothing; the versions continue.
    void clear() {
        jobs_.clear();
        ids_.clear();
        finished_.clear();
        queued_.clear();
        sent_listed_ = 0;
    }

    [[nodiscard]] std::shared_ptr<const job_snapshot> find(job_seq seq) const {
        const auto* known = jobs_.find(seq);
        return known == nullptr ? nullptr : *known;
    }

    [[nodiscard]] bool full() const noexcept { return jobs_.size() >= capacity_; }

    void set_totals(const totals& all) { totals_ = all; }
    void count_new(status as, std::uint64_t bytes) {
        totals_[as].jobs += 1;
        totals_[as].bytes += bytes;
    }
    void count_gone(status was, std::uint64_t bytes) {
        totals_[was].jobs -= 1;
        totals_[was].bytes -= bytes;
    }
    /// Adds differences, which may be negative: all sums wrap around.
    void correct(const totals& by) {
        for (std::size_t i = 0; i < status_count; ++i) {
            totals_.by_status[i].jobs += by.by_status[i].jobs;
            totals_.by_status[i].bytes += by.by_status[i].bytes;
        }
    }
    [[nodiscard]] const totals& overall() const noexcept { return totals_; }

    /// The damaged store was moved there.
    void note_moved_aside(std::string where) { moved_aside_ = std::make_shared<const std::string>(std::move(where)); }

    void set_holds(std::vector<hold> all) { holds_ = std::make_shared<const std::vector<hold>>(std::move(all)); }

    /// A snapshot of the listed state, with the next version.
    [[nodiscard]] std::shared_ptr<const snapshot> take(bool cleaning = false, bool all_held = false) {
        return std::make_shared<const snapshot>(++version_, jobs_.share(), ids_.share(), totals_,
                                                totals_[status::completed].bytes + sent_listed_, cleaning, moved_aside_,
                                                holds_, all_held);
    }

private:
    // Jobs that had to be shown may have exceeded the capacity: their room is given back here.
    bool make_room() {
        while (full()) {
            if (finished_.empty()) {
                return false;
            }
            remove(finished_.begin()->second);
        }
        return true;
    }

    [[nodiscard]] static bool is_queued(const job_snapshot& job) noexcept {
        return job.status == status::pending || job.status == status::waiting;
    }

    void uncount(const job_snapshot& old) noexcept {
        finished_.erase({old.finished, old.seq});
        queued_.erase({old.status, old.seq});
        if (old.status != status::completed) {
            sent_listed_ -= old.sent;
        }
    }

    std::size_t capacity_;
    std::uint64_t version_ = 0;
    snapshot::job_map::builder jobs_;
    detail::id_index::builder ids_;
    std::set<std::pair<unix_millis, job_seq>> finished_;  // by when they finished
    std::set<std::pair<status, job_seq>> queued_;         // untried ones first, in the order of acceptance
    totals totals_;
    std::uint64_t sent_listed_ = 0;
    std::shared_ptr<const std::string> moved_aside_;
    std::shared_ptr<const std::vector<hold>> holds_;
};

}  // namespace waybill::detail
