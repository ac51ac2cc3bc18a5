// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/socket.hpp>
#include <waybill/platform/unique_fd.hpp>

#include <cstdint>

namespace waybill::detail {

/// A response that came before the server's machine had acknowledged the request's last byte. Its connection is kept
/// open until it is known whether the rest was received (docs/decisions/0010).
class early_response_watch {
public:
    early_response_watch() = default;

    /// The response came over `fd`. `refuses`: it says that the server accepts no more. `over_tls`: the last bytes
    /// libcurl sends may be what makes the server close its side.
    void note(int fd, bool refuses, bool over_tls) noexcept {
        connection_ = duplicate_of(fd);
        came_ = true;
        over_tls_ = over_tls;
        refused_ = refuses || !connection_;
        look();
    }
    [[nodiscard]] bool came() const noexcept { return came_; }
    [[nodiscard]] bool refused() const noexcept { return refused_; }

    /// Asks the kernel. Returns how many bytes wait.
    std::uint64_t look() noexcept {
        const std::uint64_t waiting = unacknowledged(connection_.get());
        // A server that closes its side accepts no more, though its machine may continue to acknowledge. If it closes
        // when it has everything, the close acknowledges everything.
        refused_ = refused_ || (came_ && (is_dead(connection_.get()) || (waiting > 0 && !is_open(connection_.get()))));
        return waiting;
    }
    /// The rest is still being sent.
    [[nodiscard]] bool in_flight() noexcept { return look() > 0 && !refused_; }
    /// The server's machine has the rest, and the server had not refused before.
    [[nodiscard]] bool took_all() noexcept {
        return came_ && look() == 0 && !refused_ && (over_tls_ || is_open(connection_.get()));
    }

private:
    unique_fd connection_;
    bool came_ = false;
    bool over_tls_ = false;
    bool refused_ = false;
};

}  // namespace waybill::detail
