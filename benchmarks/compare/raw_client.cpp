// SPDX-License-Identifier: BSL-1.0
//
// The kernel's limit: one connection, `read` and `send`, and not a thought more.
#include "compare/order.hpp"

#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

using waybill::bench::give_up;

int connect_to(const std::string& host, std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    ::inet_pton(AF_INET, host.c_str(), &at.sin_addr);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
        give_up("cannot connect");
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

void send_all(int fd, const char* from, std::size_t count) {
    while (count > 0) {
        const ssize_t sent = ::send(fd, from, count, MSG_NOSIGNAL);
        if (sent <= 0) {
            give_up("cannot send");
        }
        from += sent;
        count -= static_cast<std::size_t>(sent);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const waybill::bench::upload_order order(argc, argv);
    const std::string rest = order.url.substr(std::strlen("http://"));
    const std::string host = rest.substr(0, rest.find(':'));
    const auto port = static_cast<std::uint16_t>(std::stoul(rest.substr(rest.find(':') + 1)));
    const int to = connect_to(host, port);
    std::vector<char> room(1 << 20);
    for (const std::string& file : order.files) {
        const int from = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
        const std::string target = order.target(file);
        const std::string head = "PUT " + target.substr(target.find('/', std::strlen("http://"))) +
                                 " HTTP/1.1\r\nHost: " + host +
                                 "\r\nContent-Length: " + std::to_string(std::filesystem::file_size(file)) + "\r\n\r\n";
        std::memcpy(room.data(), head.data(), head.size());
        std::size_t filled = head.size();
        for (;;) {
            const ssize_t got = ::read(from, room.data() + filled, room.size() - filled);
            if (got < 0) {
                give_up("cannot read " + file);
            }
            filled += static_cast<std::size_t>(got);
            if (got == 0 || filled == room.size()) {
                send_all(to, room.data(), filled);
                filled = 0;
            }
            if (got == 0) {
                break;
            }
        }
        ::close(from);
        char answer[4096];
        const ssize_t got = ::recv(to, answer, sizeof answer, 0);
        if (got < 12 || answer[9] != '2') {
            give_up(file + " was not accepted");
        }
    }
}
