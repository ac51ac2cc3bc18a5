// SPDX-License-Identifier: BSL-1.0
#include "support/http_wire.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <linux/tcp.h>
#include <system_error>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace waybill::test {

latch_fd::latch_fd() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
}

latch_fd::~latch_fd() {
    ::close(fd_);
}

void latch_fd::set() noexcept {
    const std::uint64_t one = 1;
    // It can only fail because it is set already.
    [[maybe_unused]] const ssize_t ignored = ::write(fd_, &one, sizeof one);
}

http_wire::http_wire(int fd, int stop, SSL_CTX* tls) : fd_(fd), stop_(stop), context_(tls) {
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&peer), &length) == 0) {
        client_port_ = ntohs(peer.sin_port);
    }
}

http_wire::~http_wire() {
    drop();
}

bool http_wire::wait(awaited what, int other, std::optional<std::chrono::milliseconds> most) {
    if (fd_ < 0) {
        throw peer_gone();
    }
    short events = POLLRDHUP;
    if (what != awaited::end) {
        events = what == awaited::readable ? POLLIN : POLLOUT;
    }
    const auto until = std::chrono::steady_clock::now() + most.value_or(std::chrono::milliseconds(0));
    for (;;) {
        std::array<pollfd, 3> all{pollfd{fd_, events, 0}, pollfd{stop_, POLLIN, 0}, pollfd{other, POLLIN, 0}};
        int left = -1;
        if (most) {
            const auto now = std::chrono::steady_clock::now();
            left = static_cast<int>(
                std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(until - now).count(), 0));
        }
        const int ready = ::poll(all.data(), all.size(), left);
        if (ready < 0 && errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "poll");
        }
        if (all[1].revents != 0) {
            throw server_stopping();
        }
        if (ready > 0 && (all[2].revents != 0 || all[0].revents != 0)) {
            return true;
        }
        if (ready == 0) {
            return false;
        }
    }
}

void http_wire::wait_for_tls(int result) {
    switch (SSL_get_error(tls_.get(), result)) {
        case SSL_ERROR_WANT_READ: wait(awaited::readable); return;
        case SSL_ERROR_WANT_WRITE: wait(awaited::writable); return;
        default: ERR_clear_error(); throw peer_gone();
    }
}

void http_wire::secure() {
    if (context_ == nullptr || tls_) {
        return;
    }
    tls_.reset(SSL_new(context_));
    SSL_set_fd(tls_.get(), fd_);
    for (int result = SSL_accept(tls_.get()); result != 1; result = SSL_accept(tls_.get())) {
        wait_for_tls(result);
    }
}

template <class Attempt>
std::size_t http_wire::repeat(Attempt attempt, awaited what) {
    for (;;) {
        if (fd_ < 0) {
            throw peer_gone();
        }
        const ssize_t count = attempt();
        if (count > 0) {
            return static_cast<std::size_t>(count);
        }
        if (tls_) {
            wait_for_tls(static_cast<int>(count));
        } else if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
            wait(what);
        } else {
            throw peer_gone();
        }
    }
}

bool http_wire::wait_for_bytes() {
    try {
        char first = 0;
        return peek({&first, 1}) > 0;
    } catch (const peer_gone&) {
        return false;
    }
}

std::size_t http_wire::peek(std::span<char> out) {
    return repeat(
        [&]() -> ssize_t {
            return tls_ ? SSL_peek(tls_.get(), out.data(), static_cast<int>(out.size()))
                        : ::recv(fd_, out.data(), out.size(), MSG_PEEK);
        },
        awaited::readable);
}

std::size_t http_wire::read(std::span<char> out) {
    return repeat(
        [&]() -> ssize_t {
            return tls_ ? SSL_read(tls_.get(), out.data(), static_cast<int>(out.size()))
                        : ::recv(fd_, out.data(), out.size(), 0);
        },
        awaited::readable);
}

void http_wire::read_exactly(std::span<char> out) {
    while (!out.empty()) {
        out = out.subspan(read(out));
    }
}

void http_wire::write(std::string_view bytes) {
    while (!bytes.empty()) {
        bytes.remove_prefix(repeat(
            [&]() -> ssize_t {
                // The same piece again after a wait, as SSL_write demands.
                const std::size_t piece = std::min<std::size_t>(bytes.size(), 16 << 10);
                return tls_ ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(piece))
                            : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            },
            awaited::writable));
    }
}

void http_wire::wait_for_end() {
    wait(awaited::end);
}

void http_wire::wait_for(int fd) {
    wait(awaited::end, fd);
}

void http_wire::pause(std::chrono::milliseconds duration) {
    if (wait(awaited::end, -1, duration)) {
        throw peer_gone();
    }
}

void http_wire::finish_sending() {
    if (tls_) {
        SSL_shutdown(tls_.get());
        ERR_clear_error();
    }
    ::shutdown(fd_, SHUT_WR);
}

void http_wire::discard_until_end() {
    std::array<char, 16384> rest;
    for (;;) {
        const ssize_t count = ::recv(fd_, rest.data(), rest.size(), 0);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
            return;
        }
        if (count < 0) {
            wait(awaited::readable);
        }
        // No faster than a client looks up: one that has sent everything by then is right to be content.
        pause(std::chrono::milliseconds(1));
    }
}

void http_wire::close() {
    if (fd_ >= 0 && tls_) {
        SSL_shutdown(tls_.get());
        ERR_clear_error();
    }
    drop();
}

void http_wire::drop() {
    if (fd_ >= 0) {
        ::close(fd_);
        fd_ = -1;
    }
}

void http_wire::reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    drop();
}

std::size_t http_wire::unread() const {
    int count = 0;
    ::ioctl(fd_, FIONREAD, &count);
    return static_cast<std::size_t>(std::max(count, 0));
}

std::uint64_t http_wire::received() const {
    tcp_info info{};
    socklen_t size = sizeof info;
    ::getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_bytes_received;
}

}  // namespace waybill::test
