// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/detail/unique_fd.hpp>
#include <waybill/detail/worker.hpp>
#include <waybill/error.hpp>
#include <waybill/source/file_root.hpp>
#include <waybill/source/source_opener.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace waybill {
namespace detail {

[[nodiscard]] inline file_identity identity_of(const struct stat& s) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    return {s.st_dev, s.st_ino, static_cast<std::uint64_t>(s.st_size), s.st_mtim.tv_sec * second + s.st_mtim.tv_nsec,
            s.st_ctim.tv_sec * second + s.st_ctim.tv_nsec};
}

[[nodiscard]] inline errc open_error(int number) noexcept {
    switch (number) {
        case ENOENT:
        case ENOTDIR: return errc::source_missing;
        case ELOOP:
        case ENXIO:
        case ENODEV: return errc::source_not_regular;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case EIO:
        case ESTALE:
        case EINTR: return errc::source_read_failed;
        default: return errc::source_unreadable;
    }
}

/// Opens a regular file and nothing else. `O_NONBLOCK` because opening a FIFO would otherwise
/// wait for a writer; `O_NOFOLLOW` because links were resolved when the file was accepted.
[[nodiscard]] inline std::pair<unique_fd, file_identity> open_regular(const std::string& path, const file_root& root) {
    unique_fd fd = root.open(path);
    if (!fd) {
        throw error(open_error(errno), path);
    }
    struct stat s {};
    if (::fstat(fd.get(), &s) != 0) {
        throw error(errc::source_read_failed, path);
    }
    if (!S_ISREG(s.st_mode)) {
        throw error(errc::source_not_regular, path);
    }
    return {std::move(fd), identity_of(s)};
}

}  // namespace detail

/// A file, or a range of it, exactly as it was when its job was accepted.
///
/// The identity is compared when the file is opened, and after each read, before its bytes are
/// handed out: a file that changes meanwhile ends the transfer with `errc::file_changed`, and never
/// mixes two versions. The file is read with `pread`, never
/// mapped: a mapped file that is truncated kills the process.
class file_source final : public body_source {
public:
    file_source(const std::string& path, const file_identity& pinned, std::uint64_t offset, std::uint64_t size,
                const file_root& root = {})
        : path_(path), pinned_(pinned), offset_(offset), size_(size) {
        auto [fd, found] = detail::open_regular(path_, root);
        if (found != pinned_) {
            throw error(errc::file_changed, path_);
        }
        fd_ = std::move(fd);
        constexpr std::uint64_t read_ahead = 128 << 10;  // the kernel's own, unasked
        if (size_ > read_ahead) {
            ::posix_fadvise(fd_.get(), static_cast<off_t>(offset_), static_cast<off_t>(size_), POSIX_FADV_SEQUENTIAL);
        }
    }

    [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }

    void read(std::uint64_t offset, std::span<char> out) override {
        std::uint64_t at = offset_ + offset;
        while (!out.empty()) {
            const ssize_t got = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(at));
            if (got > 0) {
                at += static_cast<std::uint64_t>(got);
                out = out.subspan(static_cast<std::size_t>(got));
            } else if (got == 0) {
                throw error(errc::file_changed, path_ + " is shorter than it was");
            } else if (errno != EINTR) {
                throw error(errc::source_read_failed, path_ + " (" + std::generic_category().message(errno) + ")");
            }
        }
        verify();
    }

private:
    void verify() const {
        struct stat s {};
        if (::fstat(fd_.get(), &s) != 0) {
            throw error(errc::source_read_failed, path_);
        }
        if (detail::identity_of(s) != pinned_) {
            throw error(errc::file_changed, path_);
        }
    }

    std::string path_;
    file_identity pinned_;
    std::uint64_t offset_;
    std::uint64_t size_;
    detail::unique_fd fd_;
};

/// Items from the file system and from memory.
class file_opener final : public source_opener {
public:
    /// @param home the strand all calls are made on; a thread of its own looks at many files meanwhile,
    ///   because a slow disk must not hold up the network.
    /// @param root the folder all files must lie in.
    explicit file_opener(const detail::strand& home, file_root root = {}) : root_(std::move(root)), worker_(home) {}

    asio::awaitable<std::vector<pinned_file>> pin(std::vector<std::string> paths) override;

    [[nodiscard]] std::unique_ptr<body_source> open(const item_spec& item) override {
        if (item.kind == source_kind::bytes) {
            return std::make_unique<bytes_source>(item.data);
        }
        return std::make_unique<file_source>(item.path, item.identity, item.offset, item.size, root_);
    }

    /// Links are followed here, once, while the user looks; never again afterwards.
    [[nodiscard]] static pinned_file pin_one(const std::string& path, const file_root& root = {}) {
        const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
        if (!resolved) {
            throw error(detail::open_error(errno), path);
        }
        std::string absolute(resolved.get());
        const file_identity identity = detail::open_regular(absolute, root).second;
        return {std::move(absolute), identity};
    }

private:
    file_root root_;
    detail::worker worker_;  // last: its thread uses the root
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/source/impl/file_source.ipp>
#endif
