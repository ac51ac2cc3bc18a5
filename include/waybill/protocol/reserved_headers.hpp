// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/http/header.hpp>

#include <algorithm>
#include <array>
#include <string_view>

// Headers that belong to protocols of the library: a job must not have them. The list does not depend on which
// protocols a program has, so that a job accepted by a program without one of them is not rejected by a program with
// it.
namespace waybill::detail {

inline constexpr std::string_view signature_headers = "X-Amz-";

[[nodiscard]] inline bool belongs_to_protocol(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 3> beginnings = {"Upload-", "Tus-", signature_headers};
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [name](std::string_view begin) { return begins_ignoring_case(name, begin); });
}

/// The signature of a job's URL may demand it of the job: then its protocol is asked (`protocol::takes_header`).
[[nodiscard]] inline bool may_be_demanded(std::string_view name) noexcept {
    return begins_ignoring_case(name, signature_headers);
}

}  // namespace waybill::detail
