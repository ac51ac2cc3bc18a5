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

/// What the system's word about opening or reading means.
[[nodiscard]] WAYBILL_DECL errc open_error(int number) noexcept;
[[nodiscard]] WAYBILL_DECL errc read_error(int number) noexcept;

/// The path says all about a file that is missing; of what may pass the system's own words help.
[[nodiscard]] inline error failed(errc code, int number, const std::string& path) {
    const bool passes = code == errc::source_unavailable || code == errc::source_read_failed;
    return error(code, passes ? path + " (" + errno_text(number) + ")" : path);
}

/// A regular file, open, with what it was when it was opened.
struct opened_file {
    std::string path;
    unique_fd fd;
    file_identity identity;
    bool named = true;  ///< it had a name then; some file systems do not count them
};

/// Opens a regular file and nothing else: what is not one is not opened at all. Links are not followed, because they
/// were when the file was accepted.
[[nodiscard]] WAYBILL_DECL opened_file open_regular(const std::string& path, const file_root& root);
/// The same of an accepted file. One that is not there because its disk is not is out of reach, not missing.
[[nodiscard]] WAYBILL_DECL opened_file open_accepted(const std::string& path, const file_identity& accepted,
                                                     const file_root& root);

/// What it is now. Throws `errc::file_changed` when its name is gone, or another file's, and when it cannot be told.
[[nodiscard]] WAYBILL_DECL file_identity look_again(const opened_file& file);
/// Fills `out` from `offset`. Throws `errc::file_changed` when the file has become shorter, and
/// `errc::source_size_wrong` when its size only says that it has so many bytes.
WAYBILL_DECL void read_all(const opened_file& file, std::uint64_t offset, std::span<char> out);
/// Throws when there are bytes beyond `end`, where the file's size says that it ends.
WAYBILL_DECL void require_end(const opened_file& file, std::uint64_t end);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/source/opened_file.ipp>
#endif
