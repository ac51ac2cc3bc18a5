// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace waybill {

/// What to do with a store whose file is damaged.
enum class damaged_store : std::uint8_t {
    refuse,      ///< open fails with `errc::store_damaged`; the file is not touched
    move_aside,  ///< rename it and its side files to `*.damaged-<time>`, and create an empty store
};

/// The longest path SQLite opens: 512 bytes with the longest suffix it appends.
inline constexpr std::size_t longest_store_path = 504;

/// Where and how jobs are kept.
struct store_options {
    /// The database file. Its directory is created with mode 0700 if it does not exist, and no other user may write to
    /// it: `/tmp` itself is rejected. Must be on a local file system: network file systems do not keep the promises
    /// SQLite needs.
    std::string path;
    damaged_store if_damaged = damaged_store::refuse;
};

}  // namespace waybill
