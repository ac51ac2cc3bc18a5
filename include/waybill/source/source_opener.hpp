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

/// A file that is to be accepted, and what of it is to be sent.
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

/// What a look at a file has shown about which something has changed that says nothing of its content.
struct recognition {
    std::error_code error;  ///< `errc::file_changed`: it has other bytes now
    file_identity identity;
    file_fingerprint content;
    bool certain = true;  ///< all its bytes are known to be the accepted ones
};

/// The way to items' bytes. Replace it to feed the engine from something else than the disk.
///
/// @par Thread safety
///   On the uploader's strand.
class source_opener {
public:
    virtual ~source_opener() = default;

    /// Takes the identities and fingerprints of files, in order. Throws `errc::source_missing`,
    /// `errc::source_unreadable`, `errc::source_not_regular`, `errc::source_size_wrong` or `errc::source_unavailable`
    /// for the first that has none, with its path in the text.
    virtual asio::awaitable<std::vector<pinned_file>> pin(std::vector<wanted_file> files) = 0;

    /// Opens an accepted item. Throws `errc::file_changed` when the file is not the pinned one, `errc::file_touched`
    /// when `recognize` has to look at its content first, and what `pin` throws. Blocks for the disk.
    [[nodiscard]] virtual std::unique_ptr<body_source> open(const item_spec& item) = 0;

    /// Looks at the content of accepted items, one answer for each. Those that cannot be opened, or about which nothing
    /// has changed, get the identity they have: to open them tells.
    ///
    /// @param begun for each item, whether its server may have some of its bytes. Then nothing less than all of them
    ///   is fingerprinted, so that the next change can be told for certain.
    virtual asio::awaitable<std::vector<recognition>> recognize(std::vector<item_spec> items, std::vector<bool> begun);

    /// How many bytes to read in one turn of the loop where an item is read ahead, for a digest.
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
