// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/model/record.hpp>
#include <waybill/model/status.hpp>
#include <waybill/store/store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Applies a change to a job, for all stores.
namespace waybill::detail {

/// Throws `errc::not_allowed` for a change that the table of statuses forbids.
inline void require_possible(const job_change& change) {
    if (change.from != change.to.status && !can_become(change.from, change.to.status)) {
        throw error(errc::not_allowed,
                    std::string(to_string(change.from)) + " to " + std::string(to_string(change.to.status)));
    }
}

/// The size of the whole job when its items are pinned again.
[[nodiscard]] inline std::uint64_t size_after(const job_change& change, const loaded_job& whole) {
    std::uint64_t size = whole.job.spec.size;
    for (std::size_t i = 0; i < change.repinned.size(); ++i) {
        size += change.repinned[i].size - whole.items[i].spec.size;
    }
    return size;
}

inline void apply(const job_change& change, loaded_job& whole) {
    whole.job.state = change.to;
    whole.job.spec.size = size_after(change, whole);
    for (std::size_t i = 0; i < change.repinned.size(); ++i) {
        whole.items[i].spec = change.repinned[i];
    }
    for (const auto& [index, state] : change.items) {
        whole.items.at(index).state = state;
    }
    std::vector<checkpoint>& reached = whole.checkpoints;
    if (change.drop_checkpoints) {
        reached.clear();
    }
    const auto remove = [&reached](std::size_t item) {
        std::erase_if(reached, [item](const checkpoint& old) { return old.item == item; });
    };
    std::for_each(change.dropped.begin(), change.dropped.end(), remove);
    for (const checkpoint& c : change.checkpoints) {
        remove(c.item);
        reached.push_back(c);
    }
}

}  // namespace waybill::detail
