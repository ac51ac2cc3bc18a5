// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/file.hpp>
#include <waybill/platform/unique_fd.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

// Files that only this user can access. No link is followed, and nothing blocks. A failure is in the result, its cause
// in errno.
namespace waybill::detail {

/// Fails when it exists.
[[nodiscard]] inline unique_fd create_private(const std::string& path) noexcept {
    return unique_fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
}

[[nodiscard]] inline unique_fd open_or_create_private(const std::string& path) noexcept {
    return unique_fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
}

[[nodiscard]] inline unique_fd open_to_write(const std::string& path) noexcept {
    return unique_fd(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
}

[[nodiscard]] inline unique_fd open_to_read(const std::string& path) noexcept {
    return unique_fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
}

/// True also if it existed.
[[nodiscard]] inline bool make_private_directory(const std::string& path) noexcept {
    return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
}

/// Removes other users' permissions.
[[nodiscard]] inline bool keep_from_others(const unique_fd& fd) noexcept {
    return ::fchmod(fd.get(), 0600) == 0;
}

[[nodiscard]] inline bool is_own(const file_facts& file) noexcept {
    return file.owner == ::geteuid();
}

[[nodiscard]] inline bool is_of_root(const file_facts& file) noexcept {
    return file.owner == 0;
}

/// Not a lock on a database itself: POSIX locks vanish when any descriptor of that file is closed. flock on a separate
/// file is released by the kernel as soon as the owner dies.
[[nodiscard]] inline bool lock_alone(const unique_fd& fd) noexcept {
    return ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0;
}

[[nodiscard]] inline std::string own_process_id() {
    return std::to_string(::getpid());
}

/// As far as it can be written.
inline void replace_content(const unique_fd& fd, std::string_view text) noexcept {
    if (::ftruncate(fd.get(), 0) == 0) {
        [[maybe_unused]] const ssize_t written = ::pwrite(fd.get(), text.data(), text.size(), 0);
    }
}

/// Makes directory entries durable: a new or renamed file is not safe before its directory is.
[[nodiscard]] inline bool sync_entries(const std::string& directory) noexcept {
    const unique_fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return fd && ::fsync(fd.get()) == 0;
}

[[nodiscard]] inline bool is_on_network(const std::string& path) noexcept {
    constexpr std::array<std::uint32_t, 4> remote = {0x6969U, 0x517BU, 0xFF534D42U, 0xFE534D42U};  // NFS, SMB
    struct statfs found {};
    if (::statfs(path.c_str(), &found) != 0) {
        return false;
    }
    for (const std::uint32_t magic : remote) {
        if (static_cast<std::uint32_t>(found.f_type) == magic) {
            return true;
        }
    }
    return false;
}

}  // namespace waybill::detail
