// SPDX-License-Identifier: BSL-1.0

#include "support/recording_vfs.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

namespace waybill::test {
namespace {

using kind = disk_operation::kind;

// SQLite allocates `szOsFile` bytes for it: the real file follows it in the same memory.
struct recorded_file {
    sqlite3_file base;
    recording_vfs* owner;
    const char* name;  // SQLite's own, which lives until the file is closed
};

constexpr std::size_t alignment = alignof(std::max_align_t);
constexpr std::size_t own_size = (sizeof(recorded_file) + alignment - 1) / alignment * alignment;

recorded_file* own(sqlite3_file* f) {
    return reinterpret_cast<recorded_file*>(f);
}

sqlite3_file* real(sqlite3_file* f) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(f) + own_size);
}

std::string name_of(sqlite3_file* f) {
    return own(f)->name == nullptr ? "" : own(f)->name;
}

int close(sqlite3_file* f) {
    return real(f)->pMethods->xClose(real(f));
}
int read(sqlite3_file* f, void* out, int size, sqlite3_int64 at) {
    return real(f)->pMethods->xRead(real(f), out, size, at);
}
int write(sqlite3_file* f, const void* in, int size, sqlite3_int64 at) {
    const int told = own(f)->owner->passes(
        {kind::write, name_of(f), at, std::string(static_cast<const char*>(in), static_cast<std::size_t>(size))});
    return told != SQLITE_OK ? told : real(f)->pMethods->xWrite(real(f), in, size, at);
}
int truncate(sqlite3_file* f, sqlite3_int64 size) {
    const int told = own(f)->owner->passes({kind::truncate, name_of(f), size, {}});
    return told != SQLITE_OK ? told : real(f)->pMethods->xTruncate(real(f), size);
}
int sync(sqlite3_file* f, int flags) {
    const int told = own(f)->owner->passes({kind::sync, name_of(f), 0, {}});
    return told != SQLITE_OK ? told : real(f)->pMethods->xSync(real(f), flags);
}
int file_size(sqlite3_file* f, sqlite3_int64* size) {
    return real(f)->pMethods->xFileSize(real(f), size);
}
int lock(sqlite3_file* f, int level) {
    return real(f)->pMethods->xLock(real(f), level);
}
int unlock(sqlite3_file* f, int level) {
    return real(f)->pMethods->xUnlock(real(f), level);
}
int check_reserved(sqlite3_file* f, int* held) {
    return real(f)->pMethods->xCheckReservedLock(real(f), held);
}
int control(sqlite3_file* f, int operation, void* argument) {
    return real(f)->pMethods->xFileControl(real(f), operation, argument);
}
int sector_size(sqlite3_file* f) {
    return real(f)->pMethods->xSectorSize(real(f));
}
int characteristics(sqlite3_file* f) {
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

// Version 1: no shared memory, which an exclusively locked store must not need.
const sqlite3_io_methods methods = {
    1,       close,          read,    write,       truncate,        sync,    file_size, lock,
    unlock,  check_reserved, control, sector_size, characteristics, nullptr, nullptr,   nullptr,
    nullptr, nullptr,        nullptr};

recording_vfs& of(sqlite3_vfs* vfs) {
    return *static_cast<recording_vfs*>(vfs->pAppData);
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags, int* given) {
    recorded_file* const mine = new (f) recorded_file{};
    mine->owner = &of(vfs);
    mine->name = name;
    const int result = of(vfs).real()->xOpen(of(vfs).real(), name, real(f), flags, given);
    f->pMethods = real(f)->pMethods == nullptr ? nullptr : &methods;
    return result;
}

int remove(sqlite3_vfs* vfs, const char* name, int sync_directory) {
    const int told = of(vfs).passes({kind::remove, name, sync_directory, {}});
    return told != SQLITE_OK ? told : of(vfs).real()->xDelete(of(vfs).real(), name, sync_directory);
}

// The WAL's salts are random: without this no history would be like another.
int same_every_time(sqlite3_vfs* /*vfs*/, int size, char* out) {
    std::fill_n(out, size, '\x5A');
    return size;
}

}  // namespace

recording_vfs::recording_vfs() : real_(sqlite3_vfs_find(nullptr)), mine_(*real_) {
    mine_.zName = "recording";
    mine_.pAppData = this;
    mine_.pNext = nullptr;
    mine_.szOsFile = static_cast<int>(own_size) + real_->szOsFile;
    mine_.xOpen = open;
    mine_.xDelete = remove;
    mine_.xRandomness = same_every_time;
    sqlite3_vfs_register(&mine_, 1);
    sqlite3_randomness(0, nullptr);  // begins anew, with the bytes from above
}

recording_vfs::~recording_vfs() {
    sqlite3_vfs_unregister(&mine_);
    sqlite3_vfs_register(real_, 1);
}

int recording_vfs::passes(disk_operation what) noexcept {
    const std::lock_guard lock(mutex_);
    if (fault) {
        if (const int told = fault(what); told != SQLITE_OK) {
            return told;
        }
    }
    log_.push_back(std::move(what));
    return SQLITE_OK;
}

void recording_vfs::mark(std::int64_t number) {
    const std::lock_guard lock(mutex_);
    log_.push_back({kind::mark, {}, number, {}});
}

std::vector<disk_operation> recording_vfs::log() const {
    const std::lock_guard lock(mutex_);
    return log_;
}

std::size_t recording_vfs::count(kind what) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(log_.begin(), log_.end(), [what](const disk_operation& one) { return one.what == what; }));
}

}  // namespace waybill::test
