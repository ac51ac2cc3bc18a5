// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/protocol/protocol.hpp>

#include <cstddef>

namespace waybill::detail {

/// See `put`.
class put_protocol final : public protocol {
public:
    explicit put_protocol(const protocol_spec& spec);

    void check(const waybill::job& job) const override;
    asio::awaitable<void> upload(session& job) override;

private:
    static asio::awaitable<void> upload_item(session& job, std::size_t index);
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/impl/put_protocol.ipp>
#endif
