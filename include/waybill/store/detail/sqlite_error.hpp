// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <string>

namespace waybill::detail {

[[nodiscard]] inline errc to_errc(int sqlite_code) noexcept {
    switch (sqlite_code & 0xFF) {
        case SQLITE_FULL: return errc::store_full;
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return errc::store_locked;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return errc::store_damaged;
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH: return errc::store_unwritable;
        default: return errc::store_failed;
    }
}

/// Rethrows SQLiteCpp's exceptions as this library's. Call in a catch block.
[[noreturn]] inline void rethrow_as_store_error(const std::string& path) {
    try {
        throw;
    } catch (const SQLite::Exception& e) {
        throw error(to_errc(e.getErrorCode()), path + " (" + e.what() + ")");
    }
}

}  // namespace waybill::detail
