// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/random.hpp>

#include <random>

namespace waybill {

WAYBILL_DECL std::uint64_t real_random::next() {
    // Not a member: <random> is one of the dearest headers to compile.
    thread_local std::random_device device;
    return static_cast<std::uint64_t>(device()) << 32 | device();
}

}  // namespace waybill
