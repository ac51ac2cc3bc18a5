// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/unique_fd.hpp>

#include <cstdint>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#if defined(__linux__)
#include <linux/sockios.h>
#endif

// Sockets, and how many of the bytes written to a TCP socket the kernel still holds. libcurl counts a byte as sent when
// the kernel has accepted it, and the kernel accepts megabytes.
namespace waybill::detail {

/// Not inherited by programs that are started. None, and errno, on failure.
[[nodiscard]] inline unique_fd private_socket(int family, int type, int protocol) noexcept {
    return unique_fd(::socket(family, type | SOCK_CLOEXEC, protocol));
}

/// Bytes that the other side's kernel has not acknowledged; 0 where the system does not say.
[[nodiscard]] inline std::uint64_t unacknowledged(int fd) noexcept {
#if defined(SIOCOUTQ)
    int bytes = 0;
    if (fd >= 0 && ::ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0) {
        return static_cast<std::uint64_t>(bytes);
    }
#else
    static_cast<void>(fd);
#endif
    return 0;
}

#if defined(__linux__)
/// TCP_ESTABLISHED and its like; 0: not known.
[[nodiscard]] inline int state_of_connection(int fd) noexcept {
    tcp_info info{};
    socklen_t size = sizeof(info);
    return fd >= 0 && ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_state : 0;
}
#endif

/// True when the connection is closed in both directions: unacknowledged bytes never will be acknowledged.
[[nodiscard]] inline bool is_dead(int fd) noexcept {
#if defined(__linux__)
    return state_of_connection(fd) == TCP_CLOSE;
#else
    static_cast<void>(fd);
    return false;
#endif
}

/// False when one of both sides is known to have closed.
[[nodiscard]] inline bool is_open(int fd) noexcept {
#if defined(__linux__)
    const int state = state_of_connection(fd);
    return state == TCP_ESTABLISHED || state == 0;
#else
    static_cast<void>(fd);
    return true;
#endif
}

/// Limits the kernel's send queue to what keeps the link busy. Optional: failure is ignored.
inline void keep_queue_short(int fd) noexcept {
#if defined(TCP_NOTSENT_LOWAT)
    constexpr int most = 128 << 10;
    static_cast<void>(::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof(most)));
#else
    static_cast<void>(fd);
#endif
}

}  // namespace waybill::detail
