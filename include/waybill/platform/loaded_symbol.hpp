// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <dlfcn.h>

namespace waybill::detail {

/// A function of a library that is loaded; null when there is none of this name.
template <class Function>
[[nodiscard]] Function loaded_symbol(const char* name) noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): dlsym requires it
    return reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
}

}  // namespace waybill::detail
