// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/schema_1.hpp>

#include <array>
#include <span>
#include <string_view>

namespace SQLite {
class Database;
}  // namespace SQLite

// The formats, and how a store of one becomes a store of the next.
//
// A minor version adds tags of optional fields and nothing else: a program that knows only an older one reads and
// writes such a store, and keeps the fields that it does not know. Everything else, a column, a table, a new value of
// an enumeration, is a new major version, which older programs reject without changing a byte.
namespace waybill::detail {

/// "WAYB": identifies a store, for `file(1)` and for us.
inline constexpr int store_application_id = 0x57415942;

/// `PRAGMA user_version` is 1000 times the major version, plus the minor one.
inline constexpr int minor_versions = 1000;

/// A major version of the format.
struct store_format {
    int major = 0;
    int minor = 0;                             ///< the newest minor version whose tags are known here
    std::span<const std::string_view> schema;  ///< as `sqlite_schema` has it
    /// Migrates a store of the previous version to this one, within a transaction; null for the first version. It uses
    /// its own texts and no current schema: its result never changes.
    void (*migrate)(SQLite::Database&) = nullptr;

    [[nodiscard]] constexpr int user_version() const noexcept { return major * minor_versions + minor; }
};

/// Every version there ever was, oldest first. The last one is written.
inline constexpr std::array<store_format, 1> store_formats = {{{1, 0, schema_1, nullptr}}};

}  // namespace waybill::detail
