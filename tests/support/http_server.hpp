// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/certificates.hpp"
#include "support/http_exchange.hpp"
#include "support/http_record.hpp"
#include "support/http_script.hpp"
#include "support/http_wire.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace waybill::test {

struct http_server_options {
    std::optional<server_identity> tls;  ///< none: plain
    /// Refuse a client without a certificate, which no authority of this server's has signed.
    bool wants_client_certificate = false;
    /// SO_RCVBUF of each connection: how much a stalled server still takes; 0: the system's own.
    int receive_buffer = 0;
    /// Listen on every address of this machine, not on 127.0.0.1 alone.
    bool all_addresses = false;
};

/// A server that takes little ahead of what its scripts read.
[[nodiscard]] inline http_server_options reads_little() {
    http_server_options how;
    how.receive_buffer = 64 << 10;
    return how;
}
/// A body longer than all buffers between the client and such a server can hold: the client cannot
/// be done with it before the server reads. (A socket takes at most 4 MiB, libcurl 2 MiB more.)
inline constexpr std::size_t beyond_buffers = 8 << 20;

/// An HTTP/1.1 server on 127.0.0.1 that misbehaves as it is told, and remembers what it got.
///
/// Scripts are used up one by one, in the order in which requests come; requests without one get
/// the default answer: the whole body is read, then PUT gets 201 and everything else 200.
///
/// @par Thread safety
///   All member functions may be called from any thread.
class http_server {
public:
    explicit http_server(http_server_options how = {});
    ~http_server();
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// `path` on this server.
    [[nodiscard]] std::string url(const std::string& path = "/", const std::string& host = "127.0.0.1") const;

    /// The next request without a script of its own meets this one.
    void next(const script& what);
    /// The same for several, in order.
    void next(const std::vector<script>& all);
    /// What requests without a script get.
    void otherwise(request_handler what);
    /// The same, step by step: what plays for every request that has no script of its own.
    void always(script what);
    [[nodiscard]] std::size_t scripts_left() const;

    /// What came so far, and waiting for more. Requests count from 1.
    [[nodiscard]] const http_log& log() const noexcept { return log_; }
    [[nodiscard]] http_log::requests requests() const { return log_.all(); }
    /// Waits until the server is done with a request.
    [[nodiscard]] received_request finished(std::size_t request) const;
    /// Waits until a request's head is there.
    [[nodiscard]] received_request begun(std::size_t request) const;
    /// Waits until `bytes` of a request's body were taken.
    void wait_for_body(std::size_t request, std::uint64_t bytes) const;

private:
    void accept_all();
    void serve(int fd, int connection);
    bool serve_one(http_wire& wire, int connection, int on_connection);
    [[nodiscard]] std::optional<script> take_script(bool at_accept, exchange* with);
    void answer_otherwise(exchange& with);

    latch_fd stop_;
    http_log log_;
    bool lingers_;  ///< a client that is refused hears of it before its connection is reset
    std::shared_ptr<SSL_CTX> tls_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::deque<script> scripts_;
    std::optional<script> always_;
    std::mutex handling_;  // held while the handler runs: its calls never overlap
    request_handler otherwise_;
    std::vector<std::thread> connections_;
    std::thread acceptor_;
};

}  // namespace waybill::test
