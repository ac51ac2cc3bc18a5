// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/hashing_source.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/protocol/failure.hpp>

namespace waybill::detail {

/// The file cannot be read as the one that was accepted. Of an item that the server has completely, that is no failure.
/// A file that was touched since must not be checked again either: what is in doubt would be sent again, and what
/// differs would fail the job although it has arrived.
[[nodiscard]] inline bool is_another_file(const failure& f) {
    return f.what_to_do() == disposition::permanent || f.code() == errc::file_touched;
}

/// Completes the digest of an item that is delivered (`hashing_source::continue_at`); false when its file has changed
/// since, or no longer exists.
inline asio::awaitable<bool> reaches_end(hashing_source& source) {
    try {
        co_await source.continue_at(source.size());
    } catch (const failure& f) {
        if (!is_another_file(f)) {
            throw;
        }
        co_return false;
    }
    co_return true;
}

}  // namespace waybill::detail
