// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <string_view>

namespace waybill::detail {

/// A byte that a terminal or a header line may not be given.
[[nodiscard]] inline bool has_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

}  // namespace waybill::detail
