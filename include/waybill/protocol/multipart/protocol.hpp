// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/protocol/protocol.hpp>

#include <string>

namespace waybill::detail {

/// See `multipart`.
class multipart_protocol final : public protocol {
public:
    explicit multipart_protocol(const protocol_spec& spec);

    void check(const waybill::job& job) const override;
    asio::awaitable<void> restore(session& job) override;
    asio::awaitable<void> upload(session& job) override;

private:
    std::string file_field_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/multipart/protocol.ipp>
#endif
