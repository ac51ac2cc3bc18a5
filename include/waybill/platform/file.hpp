// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/unique_fd.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

// Files, as the system sees them. A failure is in the result, its cause in errno.
namespace waybill::detail {

/// A file's metadata.
struct file_facts {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified = 0;  ///< in nanoseconds since 1970
    std::int64_t changed = 0;
    std::uint64_t names = 0;
    std::uint64_t owner = 0;
    bool regular = false;
    bool directory = false;
    bool others_may_write = false;
    bool others_may_act = false;  ///< read, write or execute it
};

[[nodiscard]] inline file_facts facts_in(const struct stat& s) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    file_facts facts;
    facts.device = s.st_dev;
    facts.inode = s.st_ino;
    facts.size = static_cast<std::uint64_t>(s.st_size);
    facts.modified = s.st_mtim.tv_sec * second + s.st_mtim.tv_nsec;
    facts.changed = s.st_ctim.tv_sec * second + s.st_ctim.tv_nsec;
    facts.names = s.st_nlink;
    facts.owner = s.st_uid;
    facts.regular = S_ISREG(s.st_mode);
    facts.directory = S_ISDIR(s.st_mode);
    facts.others_may_write = (s.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    facts.others_may_act = (s.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    return facts;
}

[[nodiscard]] inline std::optional<file_facts> facts_of(const unique_fd& fd) noexcept {
    struct stat found {};
    return ::fstat(fd.get(), &found) == 0 ? std::optional(facts_in(found)) : std::nullopt;
}

/// Follows a link at the end of the path.
[[nodiscard]] inline std::optional<file_facts> facts_of(const std::string& path) noexcept {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? std::optional(facts_in(found)) : std::nullopt;
}

[[nodiscard]] inline bool exists(const std::string& path) noexcept {
    return ::access(path.c_str(), F_OK) == 0;
}

/// How many bytes were read from `offset`, which may be fewer than fit; 0 at the end; -1.
[[nodiscard]] inline std::ptrdiff_t read_at(const unique_fd& fd, std::uint64_t offset, std::span<char> out) noexcept {
    std::ptrdiff_t got = -1;
    do {
        got = ::pread(fd.get(), out.data(), out.size(), static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    return got;
}

/// All of it will be read, from its beginning on.
inline void expect_reading(const unique_fd& fd, std::uint64_t offset, std::uint64_t size) noexcept {
    ::posix_fadvise(fd.get(), static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_SEQUENTIAL);
}

/// Opens the same file that `handle` refers to, even if its name has been reused.
[[nodiscard]] inline unique_fd open_again(const unique_fd& handle, int flags) {
    return unique_fd(::open(("/proc/self/fd/" + std::to_string(handle.get())).c_str(), flags));
}

/// False where there is no /proc.
[[nodiscard]] inline bool can_open_again() noexcept {
    return ::access("/proc/self/fd", F_OK) == 0;
}

/// Absolute, and without links.
[[nodiscard]] inline std::optional<std::string> real_path(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> found(::realpath(path.c_str(), nullptr), &std::free);
    return found ? std::optional<std::string>(found.get()) : std::nullopt;
}

}  // namespace waybill::detail
