// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/protocol/protocol.hpp>
#include <waybill/protocol/tus/item.hpp>

namespace waybill::detail {

/// See `tus`.
class tus_protocol final : public protocol {
public:
    explicit tus_protocol(const protocol_spec& spec);
    explicit tus_protocol(tus_settings settings);

    void check(const waybill::job& job) const override;
    asio::awaitable<void> upload(session& job) override;
    /// If the last response of an upload was lost, the server can be asked.
    [[nodiscard]] bool can_probe() const noexcept override { return true; }
    asio::awaitable<void> discard(exchange& server, const leftover& what) override;

private:
    tus_settings settings_;
    std::shared_ptr<tus_server> server_ = std::make_shared<tus_server>();
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/tus/protocol.ipp>
#endif
