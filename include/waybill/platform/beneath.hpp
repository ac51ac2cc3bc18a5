// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/unique_fd.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <linux/openat2.h>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Files that lie in a folder, and nowhere outside it. A failure is -1 or none, with errno.
namespace waybill::detail {

/// Names a file without opening it: opening a FIFO for reading would release its writer, and a device may act.
inline constexpr int handle_flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
/// `O_NONBLOCK`, because opening would otherwise wait for a lease that another process holds.
inline constexpr int source_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
/// The same, but fails for a link at the end of the path.
inline constexpr int unlinked_source_flags = source_flags | O_NOFOLLOW;

/// Follows no link anywhere in `path`, and never resolves outside `folder`; a link at its end is opened as such with
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

[[nodiscard]] inline unique_fd open_path(const std::string& path, int flags) noexcept {
    return unique_fd(::open(path.c_str(), flags));
}

/// For opening files in it, and only for that. Fails for a link.
[[nodiscard]] inline unique_fd open_folder(const std::string& path) noexcept {
    return open_path(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

}  // namespace waybill::detail
