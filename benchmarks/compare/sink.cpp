// SPDX-License-Identifier: BSL-1.0
//
// An HTTP/1.1 server that throws everything away, as fast as the kernel can: plain bodies are never
// copied to user space. One thread, so that it takes as little from the client as possible.
//   compare_sink [certificate.pem key.pem]      prints "port N"
// GET /stats answers what it took: requests with a body, and their bytes.
#include "compare/wire.hpp"

#include <openssl/ssl.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

std::uint64_t requests = 0;
std::uint64_t bytes = 0;

/// One client: reads a head, discards a body, answers, again and again.
class connection {
public:
    connection(int fd, SSL_CTX* tls) : fd_(fd), tls_(tls != nullptr ? SSL_new(tls) : nullptr, &SSL_free) {
        if (tls_) {
            SSL_set_fd(tls_.get(), fd);
            SSL_set_accept_state(tls_.get());
        }
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { ::close(fd_); }

    /// Takes what is there; false when the client has gone.
    bool serve(std::vector<char>& room) {
        for (int turns = 0; turns < 16; ++turns) {  // then it is another client's turn
            const bool discards = left_ > 0 && !tls_;
            const std::size_t most = left_ > 0 ? std::min<std::uint64_t>(left_, room.size()) : 16 << 10;
            const ssize_t got = receive(room.data(), most, discards);
            if (got <= 0) {
                return got < 0;
            }
            const auto count = static_cast<std::size_t>(got);
            if (left_ > 0) {
                left_ -= count;
                bytes += count;
                if (left_ == 0) {
                    answer("201 Created", "");
                }
            } else {
                head_.append(room.data(), count);
                if (!take_heads()) {
                    return false;
                }
            }
        }
        return true;
    }
    /// TLS may hold bytes that the kernel knows nothing of.
    [[nodiscard]] bool has_more() const { return tls_ && SSL_pending(tls_.get()) > 0; }

private:
    /// Bytes; 0: the end; -1: nothing for now.
    ssize_t receive(char* to, std::size_t most, bool discard) {
        if (tls_) {
            const int got = SSL_read(tls_.get(), to, static_cast<int>(most));
            if (got > 0) {
                return got;
            }
            const int why = SSL_get_error(tls_.get(), got);
            return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
        }
        const ssize_t got = ::recv(fd_, to, most, discard ? MSG_TRUNC : 0);
        return got < 0 && errno != EAGAIN ? 0 : got;
    }

    void answer(const char* status, const std::string& body) {
        say("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
            body);
    }
    void say(const std::string& text) {  // short enough for any socket's buffer
        if (tls_) {
            SSL_write(tls_.get(), text.data(), static_cast<int>(text.size()));
        } else if (::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
            left_ = 0;
        }
    }

    bool take_heads() {
        for (auto end = head_.find("\r\n\r\n"); end != std::string::npos; end = head_.find("\r\n\r\n")) {
            const std::string_view head(head_.data(), end + 2);
            if (head.substr(0, 11) == "GET /stats ") {
                answer("200 OK", std::to_string(requests) + " " + std::to_string(bytes) + "\n");
                head_.erase(0, end + 4);
                continue;
            }
            const auto length = waybill::bench::content_length(head);
            if (!length) {
                return false;  // it may be chunked, which nobody here sends
            }
            if (waybill::bench::expects_continue(head)) {
                say("HTTP/1.1 100 Continue\r\n\r\n");
            }
            head_.erase(0, end + 4);
            ++requests;
            const std::uint64_t here = std::min<std::uint64_t>(*length, head_.size());
            head_.erase(0, here);
            bytes += here;
            left_ = *length - here;
            if (left_ > 0) {
                return true;
            }
            answer("201 Created", "");
        }
        return head_.size() < 64 << 10;
    }

    int fd_;
    std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
    std::string head_;
    std::uint64_t left_ = 0;
};

int listen_somewhere() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_ANY);
    socklen_t length = sizeof at;
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&at), length) != 0 || ::listen(fd, 512) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length) != 0) {
        std::perror("compare_sink");
        std::exit(1);
    }
    std::printf("port %u\n", ntohs(at.sin_port));
    std::fflush(stdout);
    return fd;
}

}  // namespace

int main(int argc, char** argv) {
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls(nullptr, &SSL_CTX_free);
    if (argc == 3) {
        tls.reset(SSL_CTX_new(TLS_server_method()));
        SSL_CTX_set_mode(tls.get(), SSL_MODE_AUTO_RETRY);
        if (SSL_CTX_use_certificate_chain_file(tls.get(), argv[1]) != 1 ||
            SSL_CTX_use_PrivateKey_file(tls.get(), argv[2], SSL_FILETYPE_PEM) != 1) {
            std::fprintf(stderr, "compare_sink: cannot use %s\n", argv[1]);
            return 1;
        }
    }
    const int listener = listen_somewhere();
    const int poll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.fd = listener;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, listener, &wanted);
    std::unordered_map<int, std::unique_ptr<connection>> all;
    std::vector<char> room(4 << 20);
    std::vector<epoll_event> ready(64);
    for (;;) {
        const int count = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), -1);
        for (int i = 0; i < count; ++i) {
            const int fd = ready[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener) {
                const int client = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (client >= 0) {
                    const int on = 1;
                    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    wanted.data.fd = client;
                    ::epoll_ctl(poll, EPOLL_CTL_ADD, client, &wanted);
                    all.emplace(client, std::make_unique<connection>(client, tls.get()));
                }
                continue;
            }
            bool alive = true;
            do {
                alive = all.at(fd)->serve(room);
            } while (alive && all.at(fd)->has_more());
            if (!alive) {
                all.erase(fd);
            }
        }
    }
}
