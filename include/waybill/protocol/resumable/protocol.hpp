// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/protocol/protocol.hpp>
#include <waybill/protocol/resumable/settings.hpp>
#include <waybill/protocol/resumable/upload.hpp>

#include <cstddef>

namespace waybill::detail {

/// See `resumable`.
class resumable_protocol final : public protocol {
public:
    explicit resumable_protocol(const protocol_spec& spec);

    void check(const waybill::job& job) const override;
    asio::awaitable<void> restore(session& job) override;
    asio::awaitable<void> upload(session& job) override;
    [[nodiscard]] bool can_probe() const noexcept override { return true; }
    asio::awaitable<void> discard(exchange& server, const leftover& what) override;

private:
    asio::awaitable<void> upload_item(session& job, std::size_t index) const;
    [[nodiscard]] representation form(session& job) const;
    [[nodiscard]] representation item(session& job, std::size_t index) const;

    resumable_settings how_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/resumable/protocol.ipp>
#endif
