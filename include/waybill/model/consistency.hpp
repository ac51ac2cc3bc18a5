// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/checkpoint.hpp>
#include <waybill/model/record.hpp>
#include <waybill/model/status.hpp>

#include <cstddef>
#include <cstdint>

// What holds of every state that is committed, whatever led to it. Asserted, not checked: a stored record that breaks a
// rule was damaged, and is found out by its checksum.
namespace waybill::detail {

/// @param items how many the job has.
[[nodiscard]] inline bool is_consistent(const job_state& s, std::size_t items) noexcept {
    const bool counts = s.epoch >= 1 && s.attempt >= 0 && s.failures >= 0 && s.failures <= s.attempt &&
                        s.early_cuts >= 0 && s.troubles >= 0;
    // A paused job keeps what it waited for.
    const bool reason = s.status == status::paused || (s.status == status::waiting) == (s.reason != wait_reason::none);
    const bool pause = s.status == status::paused || s.pause == job_pause();
    // An intent is of an attempt that was begun, and of what the job has. What has ended is in doubt no more.
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
