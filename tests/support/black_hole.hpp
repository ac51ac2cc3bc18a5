// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace waybill::test {

/// A port of 127.0.0.1 that answers nobody: its queue of connections is full and nobody accepts
/// them, so the kernel drops every further SYN, as a dead host or a firewall would.
class black_hole {
public:
    black_hole() : listener_(open_socket()) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof at;
        if (::bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || ::listen(listener_, 0) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &length) != 0) {
            throw std::system_error(errno, std::generic_category(), "no port on 127.0.0.1");
        }
        port_ = ntohs(at.sin_port);
        while (queue_.size() < 16) {
            const int fd = open_socket();
            queue_.push_back(fd);
            pollfd connected{fd, POLLOUT, 0};
            // On loopback a connection stands at once, or its SYN was dropped.
            if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 &&
                ::poll(&connected, 1, 200) == 0) {
                return;
            }
        }
        throw std::runtime_error("this kernel does not drop connections to a full queue");
    }
    black_hole(const black_hole&) = delete;
    black_hole& operator=(const black_hole&) = delete;
    ~black_hole() {
        for (const int fd : queue_) {
            ::close(fd);
        }
        ::close(listener_);
    }

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

private:
    static int open_socket() { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

    int listener_;
    std::uint16_t port_ = 0;
    std::vector<int> queue_;
};

}  // namespace waybill::test
