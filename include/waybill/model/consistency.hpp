// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/checkpoint.hpp>
#include <waybill/model/record.hpp>
#include <waybill/model/status.hpp>

#include <cstddef>
#include <cstdint>

// Invariants of every state that is committed. Asserted, not checked: a stored record that violates one was damaged,
// and its checksum detects that.
namespace waybill::detail {

/// @param items how many the job has.
[[nodiscard]] inline bool is_consistent(const job_state& s, std::size_t items) noexcept {
    const bool counts = s.epoch >= 1 && s.attempt >= 0 && s.failures >= 0 && s.failures <= s.attempt &&
                        s.early_cuts >= 0 && s.troubles >= 0;
    // A paused job keeps what it waited for.
    const bool reason = s.status == status::paused || (s.status == status::waiting) == (s.reason != wait_reason::none);
    const bool pause = s.status == status::paused || s.pause == job_pause();
    // An intent belongs to an attempt that was started and to an item the job has. A finished job is never in doubt.
    const std::size_t about = s.intent.item();
    const bool intent = !s.intent.stands() || (!is_terminal(s.status) && s.intent.attempt() <= s.attempt &&
                                               (about < items || about == checkpoint::whole_job));
    const bool error = s.status == status::completed         ? !s.error
                       : s.status == status::unknown_outcome ? s.error.code == errc::outcome_unknown
                                                             : true;
    return counts && reason && pause && intent && error;
}

/// @param size of the item.
[[nodiscard]] inline bool is_consistent(const item_state& s, std::uint64_t size) noexcept {
    return s.status == item_status::completed ? s.confirmed == size : s.confirmed <= size;
}

}  // namespace waybill::detail
