// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/random.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <unistd.h>

namespace waybill {

// Not std::random_device: where that is a processor's instruction, it takes several times as long. Nothing is drawn
// ahead, or a forked process would hand out the same numbers.
WAYBILL_DECL std::uint64_t real_random::next() {
    std::uint64_t value = 0;
    fill({&value, 1});
    return value;
}

WAYBILL_DECL void real_random::fill(std::span<std::uint64_t> all) {
    constexpr std::size_t most = 256 / sizeof(std::uint64_t);  // getentropy gives no more at once
    while (!all.empty()) {
        const auto now = all.first(std::min(all.size(), most));
        if (getentropy(now.data(), now.size_bytes()) != 0) {
            throw std::system_error(errno, std::generic_category(), "getentropy");
        }
        all = all.subspan(now.size());
    }
}

}  // namespace waybill
