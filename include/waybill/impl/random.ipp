// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/random.hpp>

#include <cerrno>
#include <system_error>

#include <unistd.h>

namespace waybill {

// Not std::random_device: where that is a processor's instruction, it takes several times as long. Nothing is drawn
// ahead, or a forked process would hand out the same numbers.
WAYBILL_DECL std::uint64_t real_random::next() {
    std::uint64_t value = 0;
    if (getentropy(&value, sizeof value) != 0) {
        throw std::system_error(errno, std::generic_category(), "getentropy");
    }
    return value;
}

}  // namespace waybill
