// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/platform/errors.hpp>
#include <waybill/platform/private_file.hpp>
#include <waybill/platform/unique_fd.hpp>
#include <waybill/store/detail/format.hpp>
#include <waybill/store/store_options.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <optional>
#include <span>
#include <string>

namespace waybill::detail {

[[nodiscard]] inline errc file_error(int number) noexcept {
    return is_want_of_space(number) ? errc::store_full : errc::store_unwritable;
}

inline void sync_directory(const std::string& directory) {
    if (!sync_entries(directory)) {
        throw error(errc::store_failed, directory + " (" + errno_text(errno) + ")");
    }
}

/// Everything about the store's files that SQLite does not do: their directory, their owner and mode, the lock, the
/// first hundred bytes, and whether they are still where they were opened.
class store_file {
public:
    enum class content : std::uint8_t { fresh, ours };

    /// Locks the store for this process. Throws `errc::store_locked`, `errc::store_unwritable`,
    /// `errc::store_unsafe`, `errc::store_full`.
    ///
    /// @param most_major the newest major version of the format that is known
    store_file(const store_options& options, int most_major) : options_(options), most_major_(most_major) {
        require_short(options.path);  // before a directory is made for it
        const std::string directory = prepare_directory();
        const auto slash = options.path.find_last_of('/');
        const std::string name = slash == std::string::npos ? options.path : options.path.substr(slash + 1);
        if (name.empty()) {
            throw error(errc::store_unwritable, "'" + options.path + "' names no file");
        }
        directory_ = directory;
        path_ = directory + "/" + name;
        require_short(path_);
        lock();
    }

    /// Absolute, without symbolic links in its directories.
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Creates the file with mode 0600 if it is missing, and checks its header. Throws `errc::store_damaged`,
    /// `errc::store_too_new` without having changed anything.
    content inspect() {
        for (const char* suffix : {"-journal", "-wal", "-shm", ".reserve"}) {
            inspect_beside(path_ + suffix);
        }
        // SQLite's journal and WAL inherit this mode; the umask does not matter.
        if (!exists(path_) && is_not_empty(path_ + "-wal")) {
            // SQLite would delete it, and with it the changes not written back yet.
            throw error(errc::store_damaged, path_ + " is missing, though its WAL is there");
        }
        if (const unique_fd fresh = create_private(path_)) {
            sync_directory(directory_);
            return content::fresh;
        }
        if (errno != EEXIST) {
            throw error(file_error(errno), path_ + " (" + errno_text(errno) + ")");
        }
        const unique_fd fd = open_to_write(path_);
        if (!fd) {
            throw error(errc::store_unwritable, path_ + " (" + errno_text(errno) + ")");
        }
        if (keep_private(fd, path_).size == 0) {
            // A store that was never finished has neither of these yet; one that was truncated to nothing has.
            if (is_not_empty(path_ + "-wal") || is_not_empty(path_ + ".reserve")) {
                throw error(errc::store_damaged, path_ + " is empty, though jobs were kept in it");
            }
            return content::fresh;
        }
        check_header(fd);
        return content::ours;
    }

    /// Renames a damaged store and its side files; returns the new name.
    std::string move_aside() {
        const std::string name = path_ + ".damaged-" + std::to_string(std::time(nullptr));
        std::string target = name;
        for (int another = 2; exists(target); ++another) {  // a second one within a second
            target = name + "-" + std::to_string(another);
        }
        for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
            if (std::rename((path_ + suffix).c_str(), (target + suffix).c_str()) != 0 && errno != ENOENT) {
                throw error(file_error(errno), path_ + suffix + " (" + errno_text(errno) + ")");
            }
        }
        sync_directory(directory_);
        return target;
    }

    /// Records which files SQLite has opened.
    void note_opened() {
        opened_ = id_of(path_);
        wal_ = path_ + "-wal";
        opened_wal_ = id_of(wal_);
    }

    /// False when the store, or its directory, was removed, renamed or replaced since: then changes are written to a
    /// file that cannot be found any more.
    [[nodiscard]] bool in_place() const { return !opened_.there || id_of(path_) == opened_; }
    /// The same for the WAL, where commits are until they are written back.
    [[nodiscard]] bool wal_in_place() const { return !opened_wal_.there || id_of(wal_) == opened_wal_; }

private:
    struct file_id {
        bool there = false;
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        bool operator==(const file_id&) const = default;
    };

    [[nodiscard]] static file_id id_of(const std::string& name) noexcept {
        const std::optional<file_facts> found = facts_of(name);
        return found ? file_id{true, found->device, found->inode} : file_id();
    }

    static void require_short(const std::string& path) {
        if (path.size() > longest_store_path) {
            throw error(errc::store_unwritable, "its path has " + std::to_string(path.size()) +
                                                    " bytes, and SQLite opens paths of at most " +
                                                    std::to_string(longest_store_path));
        }
    }

    [[nodiscard]] static bool is_not_empty(const std::string& name) noexcept {
        const std::optional<file_facts> found = facts_of(name);
        return found && found->size > 0;
    }

    // No file is read that another user may have put there, even if we are root: a journal is as sensitive as the store
    // itself. A store that was copied or restored may have got the umask's mode; SQLite's side files inherit it.
    static file_facts keep_private(const unique_fd& fd, const std::string& name) {
        const std::optional<file_facts> found = facts_of(fd);
        if (!found) {
            throw error(errc::store_unwritable, name + " (" + errno_text(errno) + ")");
        }
        if (!found->regular) {
            throw error(errc::store_unwritable, name + " is not a regular file");
        }
        if (!is_own(*found)) {
            throw error(errc::store_unsafe, name + " belongs to another user");
        }
        if (found->names > 1) {
            throw error(errc::store_unsafe, name + " has another name, a hard link");
        }
        if (found->others_may_act && !keep_from_others(fd)) {
            throw error(errc::store_unsafe, name + " (" + errno_text(errno) + ")");
        }
        return *found;
    }

    static void inspect_beside(const std::string& name) {
        if (const unique_fd fd = open_to_read(name)) {
            keep_private(fd, name);
        } else if (errno != ENOENT) {
            throw error(errc::store_unwritable, name + " (" + errno_text(errno) + ")");
        }
    }

    std::string prepare_directory() {
        const auto slash = options_.path.find_last_of('/');
        const std::string wanted =
            slash == std::string::npos ? "." : (slash == 0 ? "/" : options_.path.substr(0, slash));
        make_directories(wanted);
        const std::optional<std::string> real = real_path(wanted);
        const std::optional<file_facts> found = real ? facts_of(*real) : std::nullopt;
        if (!found) {
            throw error(errc::store_unwritable, wanted + " (" + errno_text(errno) + ")");
        }
        if (!found->directory) {
            throw error(errc::store_unwritable, wanted + " is not a directory");
        }
        // A user who can create files here can put a store, or a journal that becomes one, in place of ours. A sticky
        // directory such as /tmp keeps others from renaming our files, but not from creating theirs next to them.
        if (found->others_may_write) {
            throw error(errc::store_unsafe, *real + " can be written by others");
        }
        if (!is_own(*found) && !is_of_root(*found)) {
            throw error(errc::store_unsafe, *real + " belongs to another user");
        }
        if (is_on_network(*real)) {
            throw error(errc::store_unwritable, *real + " is on a network file system");
        }
        return *real == "/" ? "" : *real;
    }

    static void make_directories(const std::string& wanted) {
        for (std::size_t end = wanted.find('/', 1);; end = wanted.find('/', end + 1)) {
            const std::string part = wanted.substr(0, end);
            if (!make_private_directory(part)) {
                throw error(file_error(errno), part + " (" + errno_text(errno) + ")");
            }
            if (end == std::string::npos) {
                return;
            }
        }
    }

    void lock() {
        const std::string name = path_ + ".lock";
        lock_ = open_or_create_private(name);
        if (!lock_) {
            throw error(file_error(errno), name + " (" + errno_text(errno) + ")");
        }
        keep_private(lock_, name);
        if (!lock_alone(lock_)) {
            std::array<char, 24> owner{};
            const auto got = read_at(lock_, 0, std::span<char>(owner).first(owner.size() - 1));
            const std::string pid(owner.data(), std::strspn(owner.data(), "0123456789"));
            throw error(errc::store_locked, path_ + (got > 0 && !pid.empty() ? " (process " + pid + ")" : ""));
        }
        // Only for the error message above: a full disk must not keep a store from opening.
        replace_content(lock_, own_process_id() + "\n");
    }

    void check_header(const unique_fd& fd) const {
        std::array<char, 100> head{};
        const auto got = read_at(fd, 0, head);
        const auto word = [&](std::size_t at) {
            std::uint32_t value = 0;
            for (std::size_t i = at; i < at + 4; ++i) {
                value = value << 8 | static_cast<unsigned char>(head[i]);
            }
            return value;
        };
        if (got < 100 || std::memcmp(head.data(), "SQLite format 3", 16) != 0) {
            // Torn while it was being created: SQLite rolls it back. Later there is no such journal.
            if (is_not_empty(path_ + "-journal")) {
                return;
            }
            throw error(errc::store_damaged, path_ + " is not a database");
        }
        // Both are written in one transaction with the tables, before WAL mode: they are in the main file from the
        // beginning. A newer version may still be in the WAL: that is seen when it is opened.
        if (word(68) != static_cast<std::uint32_t>(store_application_id)) {
            throw error(errc::store_unwritable, path_ + " belongs to another program");
        }
        if (word(60) / minor_versions > static_cast<std::uint32_t>(most_major_)) {
            throw error(errc::store_too_new, path_);
        }
    }

    store_options options_;
    int most_major_;
    std::string directory_;
    std::string path_;
    std::string wal_;  // kept, because after a commit there may be no memory to build it
    unique_fd lock_;
    file_id opened_;
    file_id opened_wal_;
};

}  // namespace waybill::detail
