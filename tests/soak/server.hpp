// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <sys/types.h>

namespace waybill::soak {

/// A server in a process of its own, which remembers nothing: out of a hundred requests it refuses some, drops some in
/// mid-body or without an answer, and answers the others with 201.
class server {
public:
    /// Forks: call it before there are threads.
    explicit server(std::uint64_t seed);
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server();

    /// It listens on all of 127/8.
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
};

}  // namespace waybill::soak
