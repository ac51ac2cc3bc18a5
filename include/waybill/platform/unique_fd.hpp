// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace waybill::detail {

/// A file descriptor that is closed at the end of its scope.
class unique_fd {
public:
    unique_fd() = default;
    explicit unique_fd(int fd) noexcept : fd_(fd) {}
    unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    unique_fd& operator=(unique_fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~unique_fd() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    [[nodiscard]] int get() const noexcept { return fd_; }
    /// Releases ownership: the caller closes it.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

/// A duplicate of the descriptor; none, and errno, when the process has no free descriptor.
[[nodiscard]] inline unique_fd duplicate_of(int fd) noexcept {
    return unique_fd(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

}  // namespace waybill::detail
