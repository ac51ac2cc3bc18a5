// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/beneath.hpp>
#include <waybill/platform/errors.hpp>
#include <waybill/platform/file.hpp>
#include <waybill/source/opened_file.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <system_error>

namespace waybill::detail {

[[nodiscard]] inline file_identity identity_of(const file_facts& file) noexcept {
    return {file.device, file.inode, file.size, file.modified, file.changed};
}

WAYBILL_DECL errc open_error(int number) noexcept {
    if (is_out_of_reach(number)) {
        return errc::source_unavailable;
    }
    switch (number) {
        case ENOENT:
        case ENOTDIR: return errc::source_missing;
        case ELOOP: return errc::source_not_regular;
        case EINTR:
        case EAGAIN:  // another process holds a lease on it
        case EBUSY:
        case EUCLEAN:
        case EBADMSG: return errc::source_read_failed;
        default: return errc::source_unreadable;
    }
}

WAYBILL_DECL errc read_error(int number) noexcept {
    return is_out_of_reach(number) ? errc::source_unavailable : errc::source_read_failed;
}

/// The same file that `handle` refers to, even if its name has been reused.
[[nodiscard]] inline unique_fd open_named_by(const unique_fd& handle, const file_facts& found, const std::string& path,
                                             const file_root& root) {
    unique_fd fd = open_again(handle, source_flags);
    if (fd || errno != ENOENT || can_open_again()) {
        return fd;
    }
    fd = root.open(path, unlinked_source_flags);  // by its name, once more
    const std::optional<file_facts> again = fd ? facts_of(fd) : std::nullopt;
    if (fd && (!again || again->device != found.device || again->inode != found.inode)) {
        errno = ENOENT;
        return {};
    }
    return fd;
}

WAYBILL_DECL opened_file open_regular(const std::string& path, const file_root& root) {
    const unique_fd handle = root.open(path);
    if (!handle) {
        throw failed(open_error(errno), errno, path);
    }
    const std::optional<file_facts> found = facts_of(handle);
    if (!found) {
        throw failed(read_error(errno), errno, path);
    }
    if (!found->regular) {
        throw error(errc::source_not_regular, path);
    }
    opened_file opened{path, open_named_by(handle, *found, path, root), identity_of(*found), found->names != 0};
    if (!opened.fd) {
        throw failed(open_error(errno), errno, path);
    }
    return opened;
}

/// Its directory is missing, or is an empty one on another device: where a disk is usually mounted.
[[nodiscard]] inline bool is_not_mounted(const std::string& path, const file_identity& accepted) {
    const std::string directory = path.substr(0, std::max<std::size_t>(path.find_last_of('/'), 1));
    const std::optional<file_facts> found = facts_of(directory);
    if (!found) {
        return errno == ENOENT || is_out_of_reach(errno);
    }
    std::error_code unknown;
    return found->device != accepted.device && std::filesystem::is_empty(directory, unknown) && !unknown;
}

WAYBILL_DECL opened_file open_accepted(const std::string& path, const file_identity& accepted, const file_root& root) {
    try {
        return open_regular(path, root);
    } catch (const error& e) {
        if (e.code() != errc::source_missing || !is_not_mounted(path, accepted)) {
            throw;
        }
    }
    throw error(errc::source_unavailable, path + " (its directory is not there, or nothing is mounted there)");
}

WAYBILL_DECL file_identity look_again(const opened_file& file) {
    const std::optional<file_facts> found = facts_of(file.fd);
    if (!found) {
        throw failed(read_error(errno), errno, file.path);
    }
    if (file.named && found->names == 0) {
        throw error(errc::file_changed, file.path + " was removed or replaced");
    }
    return identity_of(*found);
}

/// A file has more bytes than its size says, or fewer: it is being written to, or its size was never true.
[[nodiscard]] inline error other_size(const opened_file& file, bool more) {
    if (look_again(file) != file.identity) {
        return error(errc::file_changed, file.path + (more ? " is longer than it was" : " is shorter than it was"));
    }
    return error(errc::source_size_wrong, file.path + (more ? " yields more" : " yields less"));
}

WAYBILL_DECL void read_all(const opened_file& file, std::uint64_t offset, std::span<char> out) {
    while (!out.empty()) {
        const std::ptrdiff_t got = read_at(file.fd, offset, out);
        if (got < 0) {
            throw failed(read_error(errno), errno, file.path);
        }
        if (got == 0) {
            throw other_size(file, false);
        }
        offset += static_cast<std::uint64_t>(got);
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

WAYBILL_DECL void require_end(const opened_file& file, std::uint64_t end) {
    char beyond = 0;
    const std::ptrdiff_t got = read_at(file.fd, end, std::span<char>(&beyond, 1));
    if (got < 0) {
        throw failed(read_error(errno), errno, file.path);
    }
    if (got > 0) {
        throw other_size(file, true);
    }
}

}  // namespace waybill::detail
