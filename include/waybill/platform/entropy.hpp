// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

#include <unistd.h>

namespace waybill::detail {

/// Unpredictable numbers. Throws `std::system_error`.
inline void fill_from_system(std::span<std::uint64_t> all) {
    constexpr std::size_t most = 256 / sizeof(std::uint64_t);  // getentropy returns no more in one call
    while (!all.empty()) {
        const auto now = all.first(std::min(all.size(), most));
        if (::getentropy(now.data(), now.size_bytes()) != 0) {
            throw std::system_error(errno, std::generic_category(), "getentropy");
        }
        all = all.subspan(now.size());
    }
}

}  // namespace waybill::detail
