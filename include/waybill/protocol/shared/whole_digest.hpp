// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/hashing_source.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/protocol/failure.hpp>

namespace waybill::detail {

/// Completes the digest of an item that is delivered (`hashing_source::continue_at`); false when its file has changed
/// since, or no longer exists.
inline asio::awaitable<bool> reaches_end(hashing_source& source) {
    try {
        co_await source.continue_at(source.size());
    } catch (const failure& f) {
        // The server has everything. A file that was touched since must not be checked again, because a file in doubt
        // would be sent again.
        if (f.what_to_do() != disposition::permanent && f.code() != errc::file_touched) {
            throw;
        }
        co_return false;
    }
    co_return true;
}

}  // namespace waybill::detail
