// SPDX-License-Identifier: BSL-1.0
#include "soak/server.hpp"

#include <waybill/detail/asio_compat.hpp>

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace waybill::soak {
namespace {

using asio::ip::tcp;

/// A header's value as a number; 0 when it is missing.
std::size_t number_after(const std::string& head, std::string name) {
    std::string lower = head;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto at = lower.find("\r\n" + name + ":");
    return at == std::string::npos ? 0 : std::strtoull(head.c_str() + at + name.size() + 3, nullptr, 10);
}

/// What is wrong with the next request.
enum class mood { none, hang_up, cut, no_answer, busy, broken, refuse };

mood next_mood(std::mt19937_64& random) {
    switch (random() % 200) {
        case 0:
        case 1: return mood::hang_up;
        case 2:
        case 3: return mood::cut;
        case 4: return mood::no_answer;
        case 5: return mood::busy;
        case 6: return mood::broken;
        case 7: return mood::refuse;
        default: return mood::none;
    }
}

std::string answer_of(mood how) {
    switch (how) {
        case mood::busy: return "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
        case mood::broken: return "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n";
        case mood::refuse: return "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n";
        default: return "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
    }
}

/// False when the connection is to be closed.
asio::awaitable<bool> serve_one(tcp::socket& socket, std::string& buffer, mood how) {
    const auto [failed, end] =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), "\r\n\r\n", detail::nothrow());
    if (failed || how == mood::hang_up) {
        co_return false;
    }
    const std::string head = buffer.substr(0, end);
    buffer.erase(0, end);
    const std::size_t length = number_after(head, "content-length");
    if (head.find("100-continue") != std::string::npos) {
        const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        co_await asio::async_write(socket, asio::buffer(go_on), detail::nothrow());
    }
    const std::size_t wanted = how == mood::cut ? length / 2 : length;
    if (buffer.size() < wanted) {
        const auto [broken, more] = co_await asio::async_read(
            socket, asio::dynamic_buffer(buffer), asio::transfer_exactly(wanted - buffer.size()), detail::nothrow());
        if (broken) {
            co_return false;
        }
    }
    if (how == mood::cut || how == mood::no_answer) {
        co_return false;
    }
    buffer.erase(0, length);
    const std::string answer = answer_of(how);
    const auto [unsent, sent] = co_await asio::async_write(socket, asio::buffer(answer), detail::nothrow());
    co_return !unsent;
}

asio::awaitable<void> serve(tcp::socket socket, std::shared_ptr<std::mt19937_64> random) {
    std::string buffer;
    for (bool more = true; more;) {
        const mood how = next_mood(*random);
        more = co_await serve_one(socket, buffer, how);
    }
    std::error_code ignored;
    socket.set_option(asio::socket_base::linger(true, 0), ignored);  // no socket stays behind in TIME_WAIT
}

asio::awaitable<void> accept_all(tcp::acceptor acceptor, std::shared_ptr<std::mt19937_64> random) {
    for (;;) {
        auto [failed, socket] = co_await acceptor.async_accept(detail::nothrow());
        if (!failed) {
            asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), random), asio::detached);
        }
    }
}

}  // namespace

server::server(std::uint64_t seed) {
    asio::io_context context(1);
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::any(), 0));
    port_ = acceptor.local_endpoint().port();
    context.notify_fork(asio::io_context::fork_prepare);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        context.notify_fork(asio::io_context::fork_child);
        asio::co_spawn(context, accept_all(std::move(acceptor), std::make_shared<std::mt19937_64>(seed)),
                       asio::detached);
        context.run();
        ::_exit(0);
    }
    context.notify_fork(asio::io_context::fork_parent);
}

server::~server() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

}  // namespace waybill::soak
