// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/unique_fd.hpp>

#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace waybill::detail {

/// A file next to the store that occupies space, to be released when the disk is full: the outcome of jobs that were
/// accepted before can then still be stored.
class space_reserve {
public:
    static constexpr off_t size = 256 << 10;

    explicit space_reserve(std::string path) : path_(std::move(path)) {}

    /// True when the space is held; tries to get it otherwise.
    bool take() noexcept {
        if (held_) {
            return true;
        }
        const unique_fd fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
        held_ = fd && ::posix_fallocate(fd.get(), 0, size) == 0;
        if (fd && !held_) {
            static_cast<void>(::ftruncate(fd.get(), 0) == 0);  // half of it is of no use
        }
        return held_;
    }

    void give() noexcept {
        held_ = false;
        const unique_fd fd(::open(path_.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
        static_cast<void>(fd && ::ftruncate(fd.get(), 0) == 0);
    }

private:
    std::string path_;
    bool held_ = false;
};

}  // namespace waybill::detail
