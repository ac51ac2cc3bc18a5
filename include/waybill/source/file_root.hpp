// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/unique_fd.hpp>
#include <waybill/error.hpp>

#include <cerrno>
#include <cstdlib>
#include <linux/openat2.h>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace waybill {
namespace detail {

inline constexpr int source_flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

/// Follows no link anywhere in `path`, and never leaves `folder`. -1 and errno when it cannot be opened.
[[nodiscard]] inline int open_beneath(int folder, const std::string& path) noexcept {
    struct open_how how {};
    how.flags = source_flags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
}

/// The same for kernels and sandboxes without openat2: folder by folder.
[[nodiscard]] inline int open_beneath_stepwise(int folder, const std::string& path) {
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
            return ::openat(in, part.c_str(), source_flags);
        }
        unique_fd next(::openat(in, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!next) {
            return -1;
        }
        inner = std::move(next);
        at = slash + 1;
    }
}

}  // namespace detail

/// The folder that files must lie in to be uploaded. Held open from the beginning, so that nothing
/// that is renamed into its place is taken for it.
///
/// @par Thread safety
///   Safe: it does not change.
class file_root {
public:
    /// Files may lie anywhere.
    file_root() = default;

    /// @param folder files may lie in it and below. If it cannot be opened, no file can.
    explicit file_root(const std::string& folder) : asked_(folder) {
        if (folder.empty()) {
            return;
        }
        const std::unique_ptr<char, decltype(&std::free)> real(::realpath(folder.c_str(), nullptr), &std::free);
        if (real) {
            path_ = std::string(real.get()) == "/" ? "" : real.get();
            fd_ = detail::unique_fd(::open(real.get(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        }
    }

    [[nodiscard]] bool anywhere() const noexcept { return asked_.empty(); }

    /// Opens `path`, which is absolute and without links. -1 and errno when it cannot be opened.
    /// Throws `errc::source_outside`.
    [[nodiscard]] detail::unique_fd open(const std::string& path) const {
        if (anywhere()) {
            return detail::unique_fd(::open(path.c_str(), detail::source_flags));
        }
        const std::string prefix = path_ + "/";
        if (!fd_ || path.compare(0, prefix.size(), prefix) != 0) {
            throw error(errc::source_outside, path + " is not in " + asked_);
        }
        const std::string inside = path.substr(prefix.size());
        detail::unique_fd fd(detail::open_beneath(fd_.get(), inside));
        if (!fd && (errno == ENOSYS || errno == EPERM)) {
            fd = detail::unique_fd(detail::open_beneath_stepwise(fd_.get(), inside));
        }
        if (!fd && errno == EXDEV) {
            throw error(errc::source_outside, path + " is not in " + asked_);
        }
        return fd;
    }

private:
    std::string asked_;
    std::string path_;
    detail::unique_fd fd_;
};

}  // namespace waybill
