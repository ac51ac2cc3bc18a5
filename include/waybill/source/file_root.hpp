// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/platform/unique_fd.hpp>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <linux/openat2.h>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace waybill {
namespace detail {

/// To name a file without opening it: a FIFO that is opened for reading lets its writer go on, and a device may act.
inline constexpr int handle_flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
/// `O_NONBLOCK` because a lease that somebody holds would otherwise be waited for.
inline constexpr int source_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

/// Follows no link anywhere in `path`, and never leaves `folder`; a link at its end is opened as such with
/// `handle_flags`. -1 and errno when it cannot be opened.
[[nodiscard]] inline int open_beneath(int folder, const std::string& path, int flags) noexcept {
    struct open_how how {};
    how.flags = static_cast<std::uint64_t>(flags);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
}

/// The same for kernels and sandboxes without openat2: folder by folder.
[[nodiscard]] inline int open_beneath_stepwise(int folder, const std::string& path, int flags) {
    unique_fd inner;
    for (std::size_t at = 0;;) {
        const int in = inner ? inner.get() : folder;
        const std::size_t slash = path.find('/', at);
        const std::string part = path.substr(at, slash - at);
        if (part.empty() || part == "..") {
            errno = EXDEV;
            return -1;
        }
        if (slash == std::string::npos) {
            return ::openat(in, part.c_str(), flags);
        }
        unique_fd next(::openat(in, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!next) {
            return -1;
        }
        inner = std::move(next);
        at = slash + 1;
    }
}

/// Errors that speak of a disk, a network share, the server of a file system or this process, not of the file: over
/// when it is mounted, connected or unlocked, or when others have closed something.
[[nodiscard]] constexpr bool is_out_of_reach(int number) noexcept {
    switch (number) {
        case EIO:
        case ENXIO:
        case ENODEV:
        case ENOMEDIUM:
        case EMEDIUMTYPE:
        case EREMOTEIO:
        case ENOTCONN:
        case ESTALE:
        case ENOLINK:
        case ECOMM:
        case EPROTO:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case ENETDOWN:
        case ENETUNREACH:
        case ENETRESET:
        case ECONNABORTED:
        case ECONNREFUSED:
        case ECONNRESET:
        case ESHUTDOWN:
        case ETIMEDOUT:
        case ENOKEY:
        case EKEYEXPIRED:
        case EMFILE:
        case ENFILE:
        case ENOMEM: return true;
        default: return false;
    }
}

}  // namespace detail

/// The folder that files must lie in to be uploaded. Held open from the beginning, so that nothing
/// that is renamed into its place is taken for it. It is looked for again only while the disk it is on is not there.
///
/// @par Thread safety
///   Safe: it does not change.
class file_root {
public:
    /// Files may lie anywhere.
    file_root() = default;

    /// @param name of a folder: files may lie in it and below.
    explicit file_root(const std::string& name) : asked_(name), held_(look_up(name)) {}

    [[nodiscard]] bool anywhere() const noexcept { return asked_.empty(); }

    /// Opens `path`, which is absolute and without links, with `detail::handle_flags` or what else is asked for. -1 and
    /// errno when it cannot be opened. Throws `errc::source_outside`, and `errc::source_unavailable` while the folder
    /// itself cannot be reached.
    [[nodiscard]] detail::unique_fd open(const std::string& path, int flags = detail::handle_flags) const {
        if (anywhere()) {
            return detail::unique_fd(::open(path.c_str(), flags));
        }
        if (!held_.fd) {
            return open_in(look_up(asked_), path, flags);
        }
        detail::unique_fd fd = open_in(held_, path, flags);
        if (!fd && detail::is_out_of_reach(errno)) {
            fd = open_in(look_up(asked_), path, flags);  // its disk may have been mounted again
        }
        return fd;
    }

private:
    struct folder {
        std::string path;
        detail::unique_fd fd;
    };

    [[nodiscard]] static folder look_up(const std::string& asked) {
        if (asked.empty()) {
            return {};
        }
        std::error_code ignored;
        std::string path =
            std::filesystem::weakly_canonical(std::filesystem::absolute(asked, ignored), ignored).string();
        while (path.ends_with('/')) {
            path.pop_back();
        }
        detail::unique_fd fd(::open(path.empty() ? "/" : path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        return {std::move(path), std::move(fd)};
    }

    [[nodiscard]] detail::unique_fd open_in(const folder& in, const std::string& path, int flags) const {
        const std::string prefix = in.path + "/";
        if (path.compare(0, prefix.size(), prefix) != 0) {
            throw error(errc::source_outside, path + " is not in " + asked_);
        }
        if (!in.fd) {
            throw error(errc::source_unavailable, path + ", because of " + asked_);
        }
        const std::string inside = path.substr(prefix.size());
        detail::unique_fd fd(detail::open_beneath(in.fd.get(), inside, flags));
        if (!fd && (errno == ENOSYS || errno == EPERM)) {
            fd = detail::unique_fd(detail::open_beneath_stepwise(in.fd.get(), inside, flags));
        }
        if (!fd && errno == EXDEV) {
            throw error(errc::source_outside, path + " is not in " + asked_);
        }
        return fd;
    }

    std::string asked_;
    folder held_;
};

}  // namespace waybill
