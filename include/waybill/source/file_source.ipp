// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/source/file_source.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <system_error>

namespace waybill {
namespace detail {

WAYBILL_DECL errc open_error(int number) noexcept {
    if (is_out_of_reach(number)) {
        return errc::source_unavailable;
    }
    switch (number) {
        case ENOENT:
        case ENOTDIR: return errc::source_missing;
        case ELOOP: return errc::source_not_regular;
        case EINTR:
        case EAGAIN:  // somebody holds a lease on it
        case EBUSY:
        case EUCLEAN:
        case EBADMSG: return errc::source_read_failed;
        default: return errc::source_unreadable;
    }
}

WAYBILL_DECL errc read_error(int number) noexcept {
    return is_out_of_reach(number) ? errc::source_unavailable : errc::source_read_failed;
}

/// The path says all about a file that is missing; of what may pass the system's own words help.
[[nodiscard]] inline error failed(errc code, int number, const std::string& path) {
    const bool passes = code == errc::source_unavailable || code == errc::source_read_failed;
    return error(code, passes ? path + " (" + std::generic_category().message(number) + ")" : path);
}

/// The very file that `handle` names, whatever has its name by now.
[[nodiscard]] inline unique_fd open_named_by(const unique_fd& handle, const struct stat& found, const std::string& path,
                                             const file_root& root) {
    unique_fd fd(::open(("/proc/self/fd/" + std::to_string(handle.get())).c_str(), source_flags));
    if (fd || errno != ENOENT || ::access("/proc/self/fd", F_OK) == 0) {
        return fd;
    }
    fd = root.open(path, source_flags | O_NOFOLLOW);  // no /proc here: by its name, once more
    struct stat again {};
    if (fd && (::fstat(fd.get(), &again) != 0 || again.st_dev != found.st_dev || again.st_ino != found.st_ino)) {
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
    struct stat found {};
    if (::fstat(handle.get(), &found) != 0) {
        throw failed(read_error(errno), errno, path);
    }
    if (!S_ISREG(found.st_mode)) {
        throw error(errc::source_not_regular, path);
    }
    opened_file opened{path, open_named_by(handle, found, path, root), identity_of(found), found.st_nlink != 0};
    if (!opened.fd) {
        throw failed(open_error(errno), errno, path);
    }
    return opened;
}

/// Its directory is not there, or is an empty one on another device: where a disk is usually mounted.
[[nodiscard]] inline bool is_not_mounted(const std::string& path, const file_identity& accepted) {
    const std::string directory = path.substr(0, std::max<std::size_t>(path.find_last_of('/'), 1));
    struct stat found {};
    if (::stat(directory.c_str(), &found) != 0) {
        return errno == ENOENT || is_out_of_reach(errno);
    }
    std::error_code unknown;
    return found.st_dev != accepted.device && std::filesystem::is_empty(directory, unknown) && !unknown;
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
    struct stat now {};
    if (::fstat(file.fd.get(), &now) != 0) {
        throw failed(read_error(errno), errno, file.path);
    }
    if (file.named && now.st_nlink == 0) {
        throw error(errc::file_changed, file.path + " was removed or replaced");
    }
    return identity_of(now);
}

/// A file has more bytes than its size says, or fewer: it is being written to, or never had as many.
[[nodiscard]] inline error other_size(const opened_file& file, bool more) {
    if (look_again(file) != file.identity) {
        return error(errc::file_changed, file.path + (more ? " is longer than it was" : " is shorter than it was"));
    }
    return error(errc::source_size_wrong, file.path + (more ? " gives more" : " gives less"));
}

WAYBILL_DECL void read_all(const opened_file& file, std::uint64_t offset, std::span<char> out) {
    while (!out.empty()) {
        const ssize_t got = ::pread(file.fd.get(), out.data(), out.size(), static_cast<off_t>(offset));
        if (got > 0) {
            offset += static_cast<std::uint64_t>(got);
            out = out.subspan(static_cast<std::size_t>(got));
        } else if (got == 0) {
            throw other_size(file, false);
        } else if (errno != EINTR) {
            throw failed(read_error(errno), errno, file.path);
        }
    }
}

WAYBILL_DECL void require_end(const opened_file& file, std::uint64_t end) {
    char beyond = 0;
    ssize_t got = -1;
    do {
        got = ::pread(file.fd.get(), &beyond, 1, static_cast<off_t>(end));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        throw failed(read_error(errno), errno, file.path);
    }
    if (got > 0) {
        throw other_size(file, true);
    }
}

/// A look at the content of an open file, a piece at a time.
class content_look {
public:
    content_look(opened_file file, fingerprint_scope scope, std::uint64_t offset, std::uint64_t size)
        : file_(std::move(file)), reads_(scope, offset, size) {}

    /// True when there is more.
    bool read_some(std::uint64_t most) {
        return reads_.read_some(most, [this](std::uint64_t at, std::span<char> out) { read_all(file_, at, out); });
    }
    /// The file was not touched from its opening until now.
    [[nodiscard]] bool undisturbed() const { return look_again(file_) == file_.identity; }
    [[nodiscard]] const opened_file& file() const noexcept { return file_; }
    [[nodiscard]] opened_file take_file() && { return std::move(file_); }
    [[nodiscard]] file_fingerprint value() const { return reads_.value(); }

private:
    opened_file file_;
    fingerprinter reads_;
};

/// Pins one file after the other. Many files of one job lie in one directory: it is resolved once.
class pinning {
public:
    pinning(std::vector<wanted_file> files, const file_root& root) : files_(std::move(files)), root_(root) {
        pinned_.reserve(files_.size());
    }

    /// Goes on for a while; false when all files are pinned. With `only_small` until the first file that takes more
    /// than one read.
    bool go_on(bool only_small = false) {
        while (pinned_.size() < files_.size()) {
            const wanted_file& wanted = files_[pinned_.size()];
            try {
                if (!look_ && begin(wanted)) {
                    continue;
                }
                if (only_small || look_->read_some(most_at_once)) {
                    return true;
                }
                end(wanted, look_->file(), look_->value());
            } catch (const error& e) {
                if (e.code() != errc::file_changed || disturbed_ == most_disturbed) {
                    throw;
                }
                ++disturbed_;
            }
            look_.reset();
        }
        return false;
    }

    [[nodiscard]] std::vector<pinned_file> take() && { return std::move(pinned_); }

    static constexpr std::uint64_t most_at_once = 16 << 20;

private:
    /// True when there is nothing more to look at: it is pinned, or was written to meanwhile.
    bool begin(const wanted_file& wanted) {
        opened_file file = find(wanted.path);
        const std::uint64_t size = file.identity.size;
        const std::uint64_t offset = std::min(wanted.offset, size);
        const std::uint64_t length = std::min(wanted.length.value_or(size), size - offset);
        // What never stands still is not looked at: it will have changed when it is sent.
        const fingerprint_scope scope = disturbed_ < most_disturbed ? wanted.scope : fingerprint_scope::none;
        const bool ends = !wanted.length && !wanted.append_only;
        if (scope != fingerprint_scope::none && sampling().is_whole(length)) {
            const std::string bytes = read_small(file, offset, length, ends);
            const auto read = [&](std::uint64_t at, std::span<char> out) {
                bytes.copy(out.data(), out.size(), static_cast<std::size_t>(at));
            };
            end(wanted, file, fingerprint_of(scope, 0, length, read));
            return true;
        }
        if (disturbed_ < most_disturbed) {
            require_true_size(file, offset + length, ends);
        }
        if (scope == fingerprint_scope::none) {
            end(wanted, file, {});
            return true;
        }
        look_.emplace(std::move(file), scope, offset, length);
        return false;
    }

    void end(const wanted_file& wanted, const opened_file& file, file_fingerprint content) {
        if (!wanted.append_only && disturbed_ < most_disturbed && look_again(file) != file.identity) {
            ++disturbed_;
            return;
        }
        disturbed_ = 0;
        pinned_.push_back({file.path, file.identity, std::move(content)});
    }

    static void require_true_size(const opened_file& file, std::uint64_t end, bool ends) {
        char last = 0;
        if (end > 0) {
            read_all(file, end - 1, std::span<char>(&last, 1));
        }
        if (ends) {
            require_end(file, end);
        }
    }

    /// All of a small item, and by the same read that there is no more where there should be none.
    [[nodiscard]] static std::string read_small(const opened_file& file, std::uint64_t offset, std::uint64_t length,
                                                bool ends) {
        std::string bytes(static_cast<std::size_t>(length) + 1, '\0');
        const ssize_t got = ::pread(file.fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        const bool short_read = got < 0 || static_cast<std::uint64_t>(got) < length;
        if (short_read) {
            read_all(file, offset, std::span<char>(bytes).first(static_cast<std::size_t>(length)));
        }
        if (ends && (short_read || static_cast<std::uint64_t>(got) > length)) {
            require_end(file, offset + length);
        }
        return bytes;
    }

    [[nodiscard]] opened_file find(const std::string& path) {
        const auto name = path.find_last_of('/') + 1;
        resolve(name == 0 ? "." : path.substr(0, name));
        if (!resolved_.empty()) {
            try {
                return open_regular(resolved_ + path.substr(name), root_);
            } catch (const error&) {
                // A link, or nothing that can be pinned: the long way tells.
            }
        }
        const std::optional<std::string> absolute = real_path(path);
        if (!absolute) {
            throw failed(open_error(errno), errno, path);
        }
        return open_regular(*absolute, root_);
    }

    [[nodiscard]] static std::optional<std::string> real_path(const std::string& path) {
        const std::unique_ptr<char, decltype(&std::free)> found(::realpath(path.c_str(), nullptr), &std::free);
        return found ? std::optional<std::string>(found.get()) : std::nullopt;
    }

    void resolve(const std::string& directory) {
        if (directory == directory_) {
            return;
        }
        directory_ = directory;
        resolved_ = real_path(directory).value_or("");
        if (!resolved_.empty() && resolved_.back() != '/') {
            resolved_ += '/';
        }
    }

    static constexpr int most_disturbed = 2;

    std::vector<wanted_file> files_;
    const file_root& root_;
    std::vector<pinned_file> pinned_;
    std::optional<content_look> look_;
    int disturbed_ = 0;  // times that the present file was written to while it was looked at
    std::string directory_;
    std::string resolved_;  // ends in '/'; empty: it cannot be
};

/// Looks at one accepted item after the other.
class recognizing {
public:
    recognizing(std::vector<item_spec> items, std::vector<bool> begun, const file_root& root)
        : items_(std::move(items)), begun_(std::move(begun)), root_(root) {}

    /// Goes on for a while; false when all items are looked at.
    bool go_on() {
        for (; found_.size() < items_.size(); look_.reset()) {
            const item_spec& item = items_[found_.size()];
            try {
                if (look_on(item)) {
                    return true;
                }
            } catch (const error&) {
                leave(item);
            }
        }
        return false;
    }

    [[nodiscard]] std::vector<recognition> take() && { return std::move(found_); }

private:
    /// True when there is more to read of it.
    bool look_on(const item_spec& item) {
        if (!look_ && !begin(item)) {
            leave(item);
            return false;
        }
        if (look_->read_some(pinning::most_at_once)) {
            return true;
        }
        if (!look_->undisturbed()) {
            leave(item);
            return false;
        }
        const file_identity& now = look_->file().identity;
        if (!whole_ && look_->value() != item.content) {
            found_.push_back({errc::file_changed, item.identity, item.content, true});
            return false;
        }
        const bool certain =
            !whole_ && (item.content.scope == fingerprint_scope::whole || !may_hide_edit(item.identity, now));
        if (whole_ || certain || !begun_[found_.size()]) {
            found_.push_back({{}, now, look_->value(), certain});
            return false;
        }
        whole_ = true;
        look_.emplace(std::move(*look_).take_file(), fingerprint_scope::whole, item.offset, item.size);
        return true;
    }

    /// False when there is nothing to look at.
    bool begin(const item_spec& item) {
        whole_ = false;
        opened_file file = open_accepted(item.path, item.identity, root_);
        if (item.append_only || compare(item.identity, file.identity, false) != likeness::alike) {
            return false;
        }
        look_.emplace(std::move(file), item.content.scope, item.offset, item.size);
        return true;
    }

    /// To open it tells.
    void leave(const item_spec& item) { found_.push_back({{}, item.identity, item.content, true}); }

    std::vector<item_spec> items_;
    std::vector<bool> begun_;
    const file_root& root_;
    std::vector<recognition> found_;
    std::optional<content_look> look_;
    bool whole_ = false;  // the present one is looked at once more, all of it
};

}  // namespace detail

WAYBILL_DECL file_source::file_source(const item_spec& item, const file_root& root)
    : file_(detail::open_accepted(item.path, item.identity, root)), accepted_(item.identity), content_(item.content),
      offset_(item.offset), size_(item.size), append_only_(item.append_only),
      to_the_end_(item.kind == source_kind::file && !item.append_only) {
    require_accepted(file_.identity);
    if (append_only_) {
        require_content();
    }
    if (to_the_end_ && size_ == 0) {
        detail::require_end(file_, 0);
    }
    constexpr std::uint64_t read_ahead = 128 << 10;  // the kernel's own, unasked
    if (size_ > read_ahead) {
        ::posix_fadvise(file_.fd.get(), static_cast<off_t>(offset_), static_cast<off_t>(size_), POSIX_FADV_SEQUENTIAL);
    }
}

WAYBILL_DECL void file_source::read(std::uint64_t offset, std::span<char> out) {
    const std::uint64_t at = offset_ + offset;
    detail::read_all(file_, at, out);
    require_accepted(detail::look_again(file_));
    const bool ends = offset + out.size() == size_;
    if (ends && to_the_end_) {
        detail::require_end(file_, at + out.size());
    }
    if (ends && append_only_) {
        require_content();  // what was read first may have been written over meanwhile
    }
}

WAYBILL_DECL void file_source::require_accepted(const file_identity& found) {
    switch (detail::compare(accepted_, found, append_only_)) {
        case detail::likeness::same: return;
        case detail::likeness::other: throw error(errc::file_changed, file_.path);
        case detail::likeness::alike: break;
    }
    file_.identity = found;
    if (append_only_) {
        return;
    }
    if (content_.scope == fingerprint_scope::none || !detail::sampling().is_whole(size_)) {
        throw error(errc::file_touched, file_.path);  // to look at all that has to be looked at takes too long here
    }
    require_content();
    accepted_ = found;
}

WAYBILL_DECL void file_source::require_content() const {
    const auto read = [this](std::uint64_t at, std::span<char> out) { detail::read_all(file_, at, out); };
    if (content_.scope != fingerprint_scope::none &&
        detail::fingerprint_of(content_.scope, offset_, size_, read) != content_) {
        throw error(errc::file_changed, file_.path);
    }
    if (!append_only_ && detail::look_again(file_) != file_.identity) {
        throw error(errc::file_touched, file_.path);
    }
}

WAYBILL_DECL pinned_file file_opener::pin_one(const wanted_file& file, const file_root& root) {
    detail::pinning one({file}, root);
    while (one.go_on()) {
    }
    return std::move(one).take().front();
}

WAYBILL_DECL asio::awaitable<std::vector<pinned_file>> file_opener::pin(std::vector<wanted_file> files) {
    // A few small ones are looked at as quickly here as a thread is woken: as many as one that sends them opens between
    // two turns.
    constexpr std::size_t few = 8;
    const bool here = files.size() <= few;
    const auto work = std::make_shared<detail::pinning>(std::move(files), root_);
    bool more = !here || work->go_on(true);
    while (more) {
        std::function<bool()> slice = [work] { return work->go_on(); };
        more = co_await worker_.run(std::move(slice));
    }
    co_return std::move(*work).take();
}

WAYBILL_DECL std::unique_ptr<body_source> file_opener::open(const item_spec& item) {
    if (item.kind == source_kind::bytes) {
        return std::make_unique<bytes_source>(item.data);
    }
    return std::make_unique<file_source>(item, root_);
}

WAYBILL_DECL asio::awaitable<std::vector<recognition>> file_opener::recognize(std::vector<item_spec> items,
                                                                              std::vector<bool> begun) {
    const auto work = std::make_shared<detail::recognizing>(std::move(items), std::move(begun), root_);
    bool more = true;
    while (more) {
        std::function<bool()> slice = [work] { return work->go_on(); };
        more = co_await worker_.run(std::move(slice));
    }
    co_return std::move(*work).take();
}

}  // namespace waybill
