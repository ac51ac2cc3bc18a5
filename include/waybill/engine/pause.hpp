// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/admission.hpp>
#include <waybill/model/hold.hpp>
#include <waybill/model/pause_options.hpp>
#include <waybill/model/record.hpp>

#include <chrono>
#include <cstddef>

namespace waybill::detail {

inline void check_pause(const pause_options& how) {
    constexpr std::size_t most_words = 1024;
    if (how.lasting() < std::chrono::milliseconds(0) || how.lasting() > longest_pause) {
        throw error(errc::invalid_setting, "pause: it lasts a negative time, or longer than ten years");
    }
    if (how.why().size() > most_words || has_control(how.why())) {
        throw error(errc::invalid_setting, "pause: the reason is longer than 1024 bytes, or has control characters");
    }
}

[[nodiscard]] inline job_pause pause_of(const pause_options& how, unix_millis now) {
    constexpr std::chrono::milliseconds nothing(0);
    return {how.lasting() == nothing ? unix_millis() : now + how.lasting(), how.lasting(), how.why()};
}

inline void check_selection(const selection& which) {
    if (!which.is_all()) {
        check_lane(*which.lane_name());
    }
}

/// It has its old place again, and waits for what it waited for.
[[nodiscard]] inline job_state resumed(job_state state) {
    state.status = state.reason == wait_reason::none ? status::pending : status::waiting;
    state.pause = {};
    return state;
}

}  // namespace waybill::detail
