// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace waybill::test {

/// Thrown inside the server: the client has closed or reset the connection.
struct peer_gone {};
/// Thrown inside the server: the test is over.
struct server_stopping {};

/// A file descriptor that becomes readable once and stays so: something threads can wait for
/// together with a socket.
class latch_fd {
public:
    latch_fd();
    ~latch_fd();
    latch_fd(const latch_fd&) = delete;
    latch_fd& operator=(const latch_fd&) = delete;

    void set() noexcept;
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

/// The server's end of one connection, plain or TLS. Every call blocks, and every wait also ends,
/// with `server_stopping`, when the server stops. Reads exactly what is asked for, nothing ahead:
/// what was not read is still in the kernel.
class http_wire {
public:
    /// Takes `fd` over.
    /// @param stop a descriptor that becomes readable when the server stops.
    /// @param tls null: plain.
    http_wire(int fd, int stop, SSL_CTX* tls);
    ~http_wire();
    http_wire(const http_wire&) = delete;
    http_wire& operator=(const http_wire&) = delete;

    /// The TLS handshake, if there is to be one and it is not done yet.
    void secure();

    /// Waits for bytes of the client; false when it closed the connection instead.
    bool wait_for_bytes();
    /// What is there, without taking it; at least one byte.
    std::size_t peek(std::span<char> out);
    /// What is there, at least one byte.
    std::size_t read(std::span<char> out);
    void read_exactly(std::span<char> out);
    /// Before `secure`, in the clear.
    void write(std::string_view bytes);

    /// Waits until the client closes or resets; reads nothing.
    void wait_for_end();
    /// Waits until `fd` is readable, or the client has gone.
    void wait_for(int fd);
    /// Lets time pass, unless the client goes: how fast a slow server is, never how long a test waits.
    void pause(std::chrono::milliseconds duration);

    /// No more bytes will follow; reading goes on.
    void finish_sending();
    /// Reads and forgets until the client closes.
    void discard_until_end();
    /// close(2): the kernel resets the connection when there are bytes nobody read.
    void close();
    /// Closes without the TLS close alert.
    void drop();
    void reset();
    [[nodiscard]] bool open() const noexcept { return fd_ >= 0; }

    /// Bytes of the client that wait in the kernel, unread.
    [[nodiscard]] std::size_t unread() const;
    /// Bytes the kernel has received on this connection, read or not: what the client really sent.
    [[nodiscard]] std::uint64_t received() const;
    [[nodiscard]] std::uint16_t client_port() const noexcept { return client_port_; }

private:
    enum class awaited { readable, writable, end };

    // False: the time is over.
    bool wait(awaited what, int other = -1, std::optional<std::chrono::milliseconds> most = std::nullopt);
    template <class Attempt>
    std::size_t repeat(Attempt attempt, awaited what);
    void wait_for_tls(int result);

    int fd_;
    int stop_;
    SSL_CTX* context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> tls_{nullptr, &SSL_free};
    std::uint16_t client_port_ = 0;
};

}  // namespace waybill::test
