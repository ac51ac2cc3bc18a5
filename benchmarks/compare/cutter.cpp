// SPDX-License-Identifier: BSL-1.0
//
// A network that breaks: forwards to a port of this machine, and resets each connection after it has
// carried so many bytes to the server. Prints "port N".
//   compare_cutter UPSTREAM_PORT BYTES COUNT_FILE
// The file holds how many bytes clients have sent so far.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

std::atomic<std::uint64_t> sent = 0;

sockaddr_in address(in_addr_t host, std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(host);
    at.sin_port = htons(port);
    return at;
}

/// Carries bytes one way; false when `most` were carried.
bool carry(int from, int to, std::uint64_t most, int count_file) {
    char room[16 << 10];
    for (std::uint64_t carried = 0; carried < most;) {
        const ssize_t got = ::recv(from, room, sizeof room, 0);
        if (got <= 0) {
            ::shutdown(to, SHUT_WR);
            return true;
        }
        carried += static_cast<std::uint64_t>(got);
        if (count_file >= 0) {
            const std::string text = std::to_string(sent += static_cast<std::uint64_t>(got)) + "\n";
            static_cast<void>(::pwrite(count_file, text.data(), text.size(), 0));
        }
        if (::send(to, room, static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) {
            return true;
        }
    }
    return false;
}

void serve(int client, std::uint16_t port, std::uint64_t most, int count_file) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in at = address(INADDR_LOOPBACK, port);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) {
        std::thread answers([&] { carry(server, client, UINT64_MAX, -1); });
        if (!carry(client, server, most, count_file)) {
            const linger reset{1, 0};
            ::setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            ::shutdown(server, SHUT_RDWR);
        }
        answers.join();
    }
    ::close(server);
    ::close(client);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: compare_cutter UPSTREAM_PORT BYTES COUNT_FILE\n");
        return 2;
    }
    const auto upstream = static_cast<std::uint16_t>(std::atoi(argv[1]));
    const std::uint64_t most = std::stoull(argv[2]);
    const int count_file = ::open(argv[3], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at = address(INADDR_ANY, 0);
    socklen_t length = sizeof at;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&at), length) != 0 || ::listen(listener, 64) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &length) != 0) {
        std::perror("compare_cutter");
        return 1;
    }
    std::printf("port %u\n", ntohs(at.sin_port));
    std::fflush(stdout);
    for (;;) {
        const int client = ::accept(listener, nullptr, nullptr);
        if (client >= 0) {
            std::thread(serve, client, upstream, most, count_file).detach();
        }
    }
}
