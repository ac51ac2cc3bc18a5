// SPDX-License-Identifier: BSL-1.0
#pragma once

// Properties of standard output.

#include <algorithm>
#include <cstddef>

#include <sys/ioctl.h>
#include <unistd.h>

namespace cli {

struct screen {
    std::size_t rows;
    std::size_t columns;
};

inline bool is_terminal() {
    return ::isatty(STDOUT_FILENO) != 0;
}

/// Asked each time: a window may change.
inline screen screen_now() {
    winsize size{};
    ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    return {size.ws_row == 0 ? 24U : std::max<std::size_t>(size.ws_row, 2), size.ws_col == 0 ? 80U : size.ws_col};
}

}  // namespace cli
