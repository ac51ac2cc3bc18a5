// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/error.hpp>
#include <waybill/platform/errors.hpp>
#include <waybill/platform/unique_fd.hpp>
#include <waybill/source/file_root.hpp>
#include <waybill/source/recognition.hpp>

#include <cstdint>
#include <span>
#include <string>

namespace waybill::detail {

/// The code for an errno of opening or reading.
[[nodiscard]] WAYBILL_DECL errc open_error(int number) noexcept;
[[nodiscard]] WAYBILL_DECL errc read_error(int number) noexcept;

/// For a missing file the path is enough; for temporary failures the system's message helps.
[[nodiscard]] inline error failed(errc code, int number, const std::string& path) {
    const bool passes = code == errc::source_unavailable || code == errc::source_read_failed;
    return error(code, passes ? path + " (" + errno_text(number) + ")" : path);
}

/// A regular file, open, with its identity at that time.
struct opened_file {
    std::string path;
    unique_fd fd;
    file_identity identity;
    bool named = true;  ///< it had a name then; some file systems do not count them
};

/// Opens a regular file; any other file is not opened at all. Links are not followed, because they were when the file
/// was accepted.
[[nodiscard]] WAYBILL_DECL opened_file open_regular(const std::string& path, const file_root& root);
/// The same for an accepted file. A file that is missing because its disk is missing counts as out of reach.
[[nodiscard]] WAYBILL_DECL opened_file open_accepted(const std::string& path, const file_identity& accepted,
                                                     const file_root& root);

/// Its identity now. Throws `errc::file_changed` when its name no longer exists or names another file, and when that
/// cannot be determined.
[[nodiscard]] WAYBILL_DECL file_identity look_again(const opened_file& file);
/// Fills `out` from `offset`. Throws `errc::file_changed` when the file has become shorter, and
/// `errc::source_size_wrong` when it has fewer bytes than its size says.
WAYBILL_DECL void read_all(const opened_file& file, std::uint64_t offset, std::span<char> out);
/// Throws when there are bytes beyond `end`, although the file ends there by its size.
WAYBILL_DECL void require_end(const opened_file& file, std::uint64_t end);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/source/opened_file.ipp>
#endif
