// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/platform/unique_fd.hpp>
#include <waybill/store/detail/format.hpp>
#include <waybill/store/store_options.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace waybill::detail {

[[nodiscard]] inline std::string errno_text(int number) {
    return std::generic_category().message(number);
}

[[nodiscard]] inline errc file_error(int number) noexcept {
    return number == ENOSPC || number == EDQUOT ? errc::store_full : errc::store_unwritable;
}

/// Makes directory entries durable: a new or renamed file is not safe before its directory is.
inline void sync_directory(const std::string& directory) {
    const unique_fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) {
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

    /// Creates the file with mode 0600 if it is missing, and looks at its header. Throws
    /// `errc::store_damaged`, `errc::store_too_new` without having changed anything.
    content inspect() {
        for (const char* suffix : {"-journal", "-wal", "-shm", ".reserve"}) {
            inspect_beside(path_ + suffix);
        }
        // SQLite's journal and WAL inherit this mode; the umask does not matter.
        if (::access(path_.c_str(), F_OK) != 0 && is_not_empty(path_ + "-wal")) {
            // SQLite would delete it, and with it what was not written back yet.
            throw error(errc::store_damaged, path_ + " is missing, though its WAL is there");
        }
        const unique_fd fresh(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (fresh) {
            sync_directory(directory_);
            return content::fresh;
        }
        if (errno != EEXIST) {
            throw error(file_error(errno), path_ + " (" + errno_text(errno) + ")");
        }
        const unique_fd fd(::open(path_.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
        if (!fd) {
            throw error(errc::store_unwritable, path_ + " (" + errno_text(errno) + ")");
        }
        const struct stat s = keep_private(fd.get(), path_);
        if (s.st_size == 0) {
            // A store that was never finished has neither of these yet; one that was cut off to nothing has.
            if (is_not_empty(path_ + "-wal") || is_not_empty(path_ + ".reserve")) {
                throw error(errc::store_damaged, path_ + " is empty, though jobs were kept in it");
            }
            return content::fresh;
        }
        check_header(fd.get());
        return content::ours;
    }

    /// Renames a damaged store and its side files; returns the new name.
    std::string set_aside() {
        const std::string name = path_ + ".damaged-" + std::to_string(std::time(nullptr));
        std::string target = name;
        for (int another = 2; ::access(target.c_str(), F_OK) == 0; ++another) {  // a second one within a second
            target = name + "-" + std::to_string(another);
        }
        for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
            if (::rename((path_ + suffix).c_str(), (target + suffix).c_str()) != 0 && errno != ENOENT) {
                throw error(file_error(errno), path_ + suffix + " (" + errno_text(errno) + ")");
            }
        }
        sync_directory(directory_);
        return target;
    }

    /// Notes which files SQLite has opened.
    void note_opened() {
        opened_ = id_of(path_);
        wal_ = path_ + "-wal";
        opened_wal_ = id_of(wal_);
    }

    /// False when the store, or its directory, was removed, renamed or replaced since: then what is written reaches a
    /// file that nobody will find again.
    [[nodiscard]] bool in_place() const { return !opened_.there || id_of(path_) == opened_; }
    /// The same for the WAL, where commits are until they are written back.
    [[nodiscard]] bool wal_in_place() const { return !opened_wal_.there || id_of(wal_) == opened_wal_; }

private:
    struct file_id {
        bool there = false;
        dev_t device = 0;
        ino_t inode = 0;
        bool operator==(const file_id&) const = default;
    };

    [[nodiscard]] static file_id id_of(const std::string& name) noexcept {
        struct stat s {};
        return ::stat(name.c_str(), &s) == 0 ? file_id{true, s.st_dev, s.st_ino} : file_id();
    }

    static void require_short(const std::string& path) {
        if (path.size() > longest_store_path) {
            throw error(errc::store_unwritable, "its path has " + std::to_string(path.size()) +
                                                    " bytes, and SQLite opens paths of at most " +
                                                    std::to_string(longest_store_path));
        }
    }

    [[nodiscard]] static bool is_not_empty(const std::string& name) noexcept {
        struct stat s {};
        return ::stat(name.c_str(), &s) == 0 && s.st_size > 0;
    }

    // Nothing is read that somebody else may have put there, also when we are root: a journal is as good as the store
    // itself. A store that was copied or restored may have got the umask's mode; SQLite's side files take it over.
    [[nodiscard]] static struct stat keep_private(int fd, const std::string& name) {
        struct stat s {};
        if (::fstat(fd, &s) != 0) {
            throw error(errc::store_unwritable, name + " (" + errno_text(errno) + ")");
        }
        if (!S_ISREG(s.st_mode)) {
            throw error(errc::store_unwritable, name + " is not a regular file");
        }
        if (s.st_uid != ::geteuid()) {
            throw error(errc::store_unsafe, name + " belongs to another user");
        }
        if (s.st_nlink > 1) {
            throw error(errc::store_unsafe, name + " has another name, a hard link");
        }
        if ((s.st_mode & (S_IRWXG | S_IRWXO)) != 0 && ::fchmod(fd, 0600) != 0) {
            throw error(errc::store_unsafe, name + " (" + errno_text(errno) + ")");
        }
        return s;
    }

    static void inspect_beside(const std::string& name) {
        const unique_fd fd(::open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
        if (fd) {
            static_cast<void>(keep_private(fd.get(), name));
        } else if (errno != ENOENT) {
            throw error(errc::store_unwritable, name + " (" + errno_text(errno) + ")");
        }
    }

    std::string prepare_directory() {
        const auto slash = options_.path.find_last_of('/');
        const std::string wanted =
            slash == std::string::npos ? "." : (slash == 0 ? "/" : options_.path.substr(0, slash));
        make_directories(wanted);
        const std::unique_ptr<char, decltype(&std::free)> real(::realpath(wanted.c_str(), nullptr), &std::free);
        struct stat s {};
        if (!real || ::stat(real.get(), &s) != 0) {
            throw error(errc::store_unwritable, wanted + " (" + errno_text(errno) + ")");
        }
        if (!S_ISDIR(s.st_mode)) {
            throw error(errc::store_unwritable, wanted + " is not a directory");
        }
        // Who can make files here can put a store, or a journal that becomes one, in our place. A sticky directory
        // such as /tmp keeps others from renaming our files, and not from making theirs beside them.
        if ((s.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
            throw error(errc::store_unsafe, std::string(real.get()) + " can be written by others");
        }
        if (s.st_uid != ::geteuid() && s.st_uid != 0) {
            throw error(errc::store_unsafe, std::string(real.get()) + " belongs to another user");
        }
        refuse_network_file_system(real.get());
        return std::string(real.get()) == "/" ? "" : real.get();
    }

    static void make_directories(const std::string& wanted) {
        for (std::size_t end = wanted.find('/', 1);; end = wanted.find('/', end + 1)) {
            const std::string part = wanted.substr(0, end);
            if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
                throw error(file_error(errno), part + " (" + errno_text(errno) + ")");
            }
            if (end == std::string::npos) {
                return;
            }
        }
    }

    static void refuse_network_file_system(const char* directory) {
        constexpr std::array<std::uint32_t, 4> remote = {0x6969U, 0x517BU, 0xFF534D42U, 0xFE534D42U};  // NFS, SMB
        struct statfs s {};
        if (::statfs(directory, &s) == 0) {
            for (const std::uint32_t magic : remote) {
                if (static_cast<std::uint32_t>(s.f_type) == magic) {
                    throw error(errc::store_unwritable, std::string(directory) + " is on a network file system");
                }
            }
        }
    }

    // Not a lock on the database itself: POSIX locks vanish when any descriptor of that file is
    // closed. flock on a file of its own is freed by the kernel the moment the owner dies.
    void lock() {
        const std::string name = path_ + ".lock";
        lock_ = unique_fd(::open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
        if (!lock_) {
            throw error(file_error(errno), name + " (" + errno_text(errno) + ")");
        }
        static_cast<void>(keep_private(lock_.get(), name));
        if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
            std::array<char, 24> owner{};
            const ssize_t got = ::pread(lock_.get(), owner.data(), owner.size() - 1, 0);
            const std::string pid(owner.data(), std::strspn(owner.data(), "0123456789"));
            throw error(errc::store_locked, path_ + (got > 0 && !pid.empty() ? " (process " + pid + ")" : ""));
        }
        const std::string pid = std::to_string(::getpid()) + "\n";
        if (::ftruncate(lock_.get(), 0) == 0) {
            // Only for the error message above: a full disk must not keep a store from opening.
            [[maybe_unused]] const ssize_t written = ::pwrite(lock_.get(), pid.data(), pid.size(), 0);
        }
    }

    void check_header(int fd) const {
        std::array<unsigned char, 100> head{};
        const ssize_t got = ::pread(fd, head.data(), head.size(), 0);
        const auto word = [&](std::size_t at) {
            return static_cast<std::uint32_t>(head[at]) << 24 | static_cast<std::uint32_t>(head[at + 1]) << 16 |
                   static_cast<std::uint32_t>(head[at + 2]) << 8 | head[at + 3];
        };
        if (got < 100 || std::memcmp(head.data(), "SQLite format 3", 16) != 0) {
            // Torn while it was being created: SQLite rolls it back. Later there is no such journal.
            struct stat journal {};
            if (::stat((path_ + "-journal").c_str(), &journal) == 0 && journal.st_size > 0) {
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
    std::string wal_;  // kept, for after a commit there may be no memory to make it of
    unique_fd lock_;
    file_id opened_;
    file_id opened_wal_;
};

}  // namespace waybill::detail
