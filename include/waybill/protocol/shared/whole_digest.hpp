// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/hashing_source.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/protocol/failure.hpp>

namespace waybill::detail {

/// Brings the digest of an item that is delivered to its end (`hashing_source::continue_at`); false when its file has
/// changed since, or is gone.
inline asio::awaitable<bool> reaches_end(hashing_source& source) {
    try {
        co_await source.continue_at(source.size());
    } catch (const failure& f) {
        // The server has it all. That somebody has touched the file since must not have it looked at, for what is in
        // doubt about a file is begun anew.
        if (f.what_to_do() != disposition::permanent && f.code() != errc::file_touched) {
            throw;
        }
        co_return false;
    }
    co_return true;
}

}  // namespace waybill::detail
