// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_source.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/model/fingerprint.hpp>
#include <waybill/model/record.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace waybill {

/// A file that is to be accepted, and which part of it is to be sent.
struct wanted_file {
    wanted_file(std::string where) : path(std::move(where)) {}  // NOLINT: a path is one, wanted whole

    std::string path;
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> length;  ///< none: to its end
    bool append_only = false;             ///< it may grow meanwhile
    fingerprint_scope scope = fingerprint_scope::sampled;
};

/// A file as it was when its job was accepted.
struct pinned_file {
    std::string path;  ///< absolute, symbolic links resolved
    file_identity identity;
    file_fingerprint content;  ///< of the bytes that are to be sent
};

/// The result of checking the content of a file whose changed metadata does not decide whether it is the same.
struct recognition {
    std::error_code error;  ///< `errc::file_changed`: it has other bytes now
    file_identity identity;
    file_fingerprint content;
    bool certain = true;  ///< all its bytes are known to be the accepted ones
};

/// Provides items' bytes. Replace it to feed the engine from a source other than the disk.
///
/// @par Thread safety
///   On the uploader's strand.
class source_opener {
public:
    virtual ~source_opener() = default;

    /// Records the identities and fingerprints of files, in order. Throws `errc::source_missing`,
    /// `errc::source_unreadable`, `errc::source_not_regular`, `errc::source_size_wrong` or `errc::source_unavailable`
    /// for the first that has none, with its path in the text.
    virtual asio::awaitable<std::vector<pinned_file>> pin(std::vector<wanted_file> files) = 0;

    /// Opens an accepted item. Throws `errc::file_changed` when the file is not the pinned one, `errc::file_touched`
    /// when `recognize` must check its content first, and everything `pin` throws. Blocks for the disk.
    [[nodiscard]] virtual std::unique_ptr<body_source> open(const item_spec& item) = 0;

    /// Checks the content of accepted items and returns one result for each. Items that cannot be opened, or whose
    /// metadata is unchanged, keep their identity: opening them reports the error.
    ///
    /// @param begun for each item, whether its server may have some of its bytes. Then all of its bytes are
    /// fingerprinted,
    ///   so that the next change is detected for certain.
    virtual asio::awaitable<std::vector<recognition>> recognize(std::vector<item_spec> items, std::vector<bool> begun);

    /// How many bytes to read in one turn of the loop when an item is read ahead, for a digest.
    [[nodiscard]] virtual std::size_t piece_size() const noexcept { return std::size_t(1) << 20; }
};

inline asio::awaitable<std::vector<recognition>> source_opener::recognize(std::vector<item_spec> items,
                                                                          std::vector<bool> /*begun*/) {
    std::vector<recognition> all;
    for (const item_spec& one : items) {
        all.push_back({{}, one.identity, one.content, true});
    }
    co_return all;
}

}  // namespace waybill
