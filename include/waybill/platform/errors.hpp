// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

// What the system's error numbers mean.
namespace waybill::detail {

[[nodiscard]] inline std::string errno_text(int number) {
    return std::generic_category().message(number);
}

/// There is no space, or this user's quota is exceeded.
[[nodiscard]] constexpr bool is_want_of_space(int number) noexcept {
    return number == ENOSPC || number == EDQUOT;
}

/// Errors caused by a disk, a network share, the server of a file system or this process, not by the file: they end
/// when it is mounted, connected or unlocked, or when other files are closed.
[[nodiscard]] constexpr bool is_out_of_reach(int number) noexcept {
    switch (number) {
        case EIO:
        case ENXIO:
        case ENODEV:
        case ENOMEDIUM:
        case EMEDIUMTYPE:
        case EREMOTEIO:
        case ENOTCONN:
        case ESTALE:
        case ENOLINK:
        case ECOMM:
        case EPROTO:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case ENETDOWN:
        case ENETUNREACH:
        case ENETRESET:
        case ECONNABORTED:
        case ECONNREFUSED:
        case ECONNRESET:
        case ESHUTDOWN:
        case ETIMEDOUT:
        case ENOKEY:
        case EKEYEXPIRED:
        case EMFILE:
        case ENFILE:
        case ENOMEM: return true;
        default: return false;
    }
}

}  // namespace waybill::detail
