// SPDX-License-Identifier: BSL-1.0
#include "support/http_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace waybill::test {
namespace {

std::shared_ptr<SSL_CTX> make_context(const server_identity& identity, bool wants_client_certificate) {
    std::shared_ptr<SSL_CTX> made(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    const bool usable = made &&
                        SSL_CTX_use_certificate_chain_file(made.get(), identity.certificate_file.c_str()) == 1 &&
                        SSL_CTX_use_PrivateKey_file(made.get(), identity.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
    if (!usable) {
        throw std::runtime_error("the certificate " + identity.certificate_file + " cannot be used");
    }
    // A client that hangs up without a TLS alert is everyday life here, not an error.
    SSL_CTX_set_options(made.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(made.get(), SSL_MODE_ENABLE_PARTIAL_WRITE);
    if (wants_client_certificate) {
        SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    return made;
}

int listen_somewhere(const http_server_options& how) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (how.receive_buffer > 0) {
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &how.receive_buffer, sizeof how.receive_buffer);
    }
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(how.all_addresses ? INADDR_ANY : INADDR_LOOPBACK);
    if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || ::listen(fd, 512) != 0) {
        throw std::system_error(errno, std::generic_category(), "no port on 127.0.0.1");
    }
    return fd;
}

std::uint16_t port_of(int fd) {
    sockaddr_in at{};
    socklen_t length = sizeof at;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length);
    return ntohs(at.sin_port);
}

}  // namespace

http_server::http_server(http_server_options how)
    : lingers_(how.wants_client_certificate),
      tls_(how.tls ? make_context(*how.tls, how.wants_client_certificate) : nullptr), listener_(listen_somewhere(how)),
      port_(port_of(listener_)),
      otherwise_([](const received_request& r) { return reply(r.method == "PUT" ? 201 : 200); }),
      acceptor_([this] { accept_all(); }) {}

http_server::~http_server() {
    stop_.set();
    acceptor_.join();  // from here on nobody adds connections
    for (std::thread& t : connections_) {
        t.join();
    }
    ::close(listener_);
}

std::string http_server::url(const std::string& path, const std::string& host) const {
    return (tls_ ? "https://" : "http://") + host + ":" + std::to_string(port_) + path;
}

void http_server::next(const script& what) {
    const std::lock_guard lock(mutex_);
    scripts_.push_back(what);
}

void http_server::next(const std::vector<script>& all) {
    for (const script& s : all) {
        next(s);
    }
}

void http_server::otherwise(request_handler what) {
    const std::lock_guard lock(handling_);
    otherwise_ = std::move(what);
}

void http_server::always(script what) {
    const std::lock_guard lock(mutex_);
    always_ = std::move(what);
}

std::size_t http_server::scripts_left() const {
    const std::lock_guard lock(mutex_);
    return scripts_.size();
}

received_request http_server::finished(std::size_t request) const {
    log_.wait_until("the end of request " + std::to_string(request),
                    [&](const http_log::requests& all) { return all.size() >= request && all[request - 1].over; });
    return log_.all().at(request - 1);
}

received_request http_server::begun(std::size_t request) const {
    log_.wait_until("the head of request " + std::to_string(request), [&](const http_log::requests& all) {
        return all.size() >= request && all[request - 1].well_formed;
    });
    return log_.all().at(request - 1);
}

void http_server::wait_for_body(std::size_t request, std::uint64_t bytes) const {
    const std::string what = std::to_string(bytes) + " body bytes of request " + std::to_string(request);
    log_.wait_until(what, [&](const http_log::requests& all) {
        return all.size() >= request && all[request - 1].body_bytes >= bytes;
    });
}

void http_server::accept_all() {
    std::array<pollfd, 2> both{pollfd{listener_, POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
    int count = 0;
    for (;;) {
        ::poll(both.data(), both.size(), -1);
        if (both[1].revents != 0) {
            return;
        }
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0) {
            connections_.emplace_back([this, fd, number = ++count] { serve(fd, number); });
        }
    }
}

void http_server::serve(int fd, int connection) {
    const int at_once = 1;  // small answers must not wait for the client's acknowledgements
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    http_wire wire(fd, stop_.get(), tls_.get());
    log_.connection_accepted();
    try {
        for (int n = 1; serve_one(wire, connection, n); ++n) {
        }
        if (wire.open()) {
            wire.finish_sending();
            wire.discard_until_end();
        }
    } catch (const peer_gone&) {
    } catch (const server_stopping&) {
    }
    try {
        if (lingers_ && wire.open()) {
            wire.finish_sending();
            wire.discard_until_end();
        }
    } catch (const peer_gone&) {
    } catch (const server_stopping&) {
    }
    log_.connection_ended(wire.open() ? wire.received() : 0);
}

bool http_server::serve_one(http_wire& wire, int connection, int on_connection) {
    std::optional<script> mine;
    if (on_connection == 1) {
        mine = take_script(true, nullptr);
    }
    if (!mine) {
        wire.secure();
        if (!wire.wait_for_bytes()) {
            return false;
        }
    }
    exchange x(wire, log_, connection, on_connection);
    if (!mine) {
        mine = take_script(false, &x);
    }
    if (!mine) {
        const std::lock_guard lock(mutex_);
        mine = always_;
    }
    if (mine) {
        mine->play(x);
    }
    if (wire.open() && !x.answered()) {
        answer_otherwise(x);
    }
    if (wire.open()) {
        x.read_body();  // what an early answer left
    }
    return wire.open() && !x.last();
}

// The script this request meets. One with a condition is asked with the head, so the head is read
// only if such a script comes first.
std::optional<script> http_server::take_script(bool at_accept, exchange* with) {
    std::unique_lock lock(mutex_);
    if (scripts_.empty() || (at_accept && !scripts_.front().begins_at_accept())) {
        return std::nullopt;
    }
    auto found = scripts_.begin();
    if (found->conditional()) {
        lock.unlock();
        with->read_head();
        const received_request seen = with->seen();
        lock.lock();
        found = std::find_if(scripts_.begin(), scripts_.end(), [&](const script& s) { return s.applies_to(seen); });
        if (found == scripts_.end()) {
            return std::nullopt;
        }
    }
    script taken = std::move(*found);
    scripts_.erase(found);
    return taken;
}

void http_server::answer_otherwise(exchange& with) {
    with.read_body();
    const received_request seen = with.seen();
    reply what;
    {
        const std::lock_guard lock(handling_);
        what = otherwise_(seen);
    }
    with.answer(what);
}

}  // namespace waybill::test
