// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/entropy.hpp>
#include <waybill/random.hpp>

namespace waybill {

// Not std::random_device: if that is a processor's instruction, it takes several times as long. Nothing is drawn ahead,
// because a forked process would return the same numbers.
WAYBILL_DECL std::uint64_t real_random::next() {
    std::uint64_t value = 0;
    fill({&value, 1});
    return value;
}

WAYBILL_DECL void real_random::fill(std::span<std::uint64_t> all) {
    detail::fill_from_system(all);
}

}  // namespace waybill
