// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/leftover.hpp>
#include <waybill/model/record.hpp>
#include <waybill/store/store.hpp>

#include <chrono>

namespace waybill::detail {

/// Turns all of a job's checkpoints into work for the clean-up.
inline void abandon_uploads(job_change& change, const loaded_job& whole, std::chrono::system_clock::time_point now) {
    change.drop_checkpoints = true;
    change.checkpoints.clear();
    for (const checkpoint& c : whole.checkpoints) {
        change.leftovers.push_back(
            leftover_of(whole.job, c, std::chrono::time_point_cast<std::chrono::milliseconds>(now)));
    }
}

}  // namespace waybill::detail
