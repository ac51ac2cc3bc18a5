// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/model/record.hpp>
#include <waybill/transport/body_source.hpp>

#include <memory>
#include <string>
#include <vector>

namespace waybill {

/// A file as it was when its job was accepted.
struct pinned_file {
    std::string path;  ///< absolute, symbolic links resolved
    file_identity identity;
};

/// The way to items' bytes. Replace it to feed the engine from something else than the disk.
///
/// @par Thread safety
///   On the uploader's strand.
class source_opener {
public:
    virtual ~source_opener() = default;

    /// Takes the identities of files, in order. Throws `errc::source_missing`,
    /// `errc::source_unreadable` or `errc::source_not_regular` for the first that has none, with its
    /// path in the text. Not cancellable.
    virtual asio::awaitable<std::vector<pinned_file>> pin(std::vector<std::string> paths) = 0;

    /// Opens an accepted item. Throws `errc::file_changed` when the file is not the pinned one,
    /// and what `pin` throws. Blocks for the disk.
    [[nodiscard]] virtual std::unique_ptr<body_source> open(const item_spec& item) = 0;
};

}  // namespace waybill
