// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/protocol.hpp>

namespace waybill {

WAYBILL_DECL asio::awaitable<void> protocol::restore(session& /*job*/) {
    co_return;
}

WAYBILL_DECL asio::awaitable<void> protocol::finalize(session& /*job*/) {
    co_return;
}

WAYBILL_DECL std::string protocol::identity(const job_spec& /*job*/) const {
    return {};
}

WAYBILL_DECL asio::awaitable<void> protocol::discard(exchange& /*server*/, const leftover& /*what*/) {
    co_return;
}

}  // namespace waybill
