// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace waybill::test {

/// What SQLite asked of the disk.
struct disk_operation {
    enum class kind : std::uint8_t {
        write,
        truncate,
        sync,
        remove,
        mark,  ///< not the disk's: the test's own note
    };
    kind what = kind::write;
    std::string file;
    std::int64_t offset = 0;  ///< of a truncation the new size, of a mark its number
    std::string data;
};

/// SQLite's way to the disk while the object lives: everything is recorded, anything can fail.
class recording_vfs {
public:
    recording_vfs();
    recording_vfs(const recording_vfs&) = delete;
    recording_vfs& operator=(const recording_vfs&) = delete;
    ~recording_vfs();

    /// Asked before each operation, on the store's thread: what SQLite is told instead of having it
    /// done, or SQLITE_OK.
    std::function<int(const disk_operation&)> fault;

    void mark(std::int64_t number);
    [[nodiscard]] std::vector<disk_operation> log() const;
    [[nodiscard]] std::size_t count(disk_operation::kind what) const;

    /// For the C functions: what to answer. Records the operation when it is to be done.
    int passes(disk_operation what) noexcept;
    [[nodiscard]] sqlite3_vfs* real() const noexcept { return real_; }

private:
    mutable std::mutex mutex_;
    std::vector<disk_operation> log_;
    sqlite3_vfs* real_;
    sqlite3_vfs mine_;
};

}  // namespace waybill::test
