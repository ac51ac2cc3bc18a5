// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/protocol/protocol.hpp>
#include <waybill/protocol/s3/item.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace waybill::detail {

/// See `s3`.
class s3_protocol final : public protocol {
public:
    s3_protocol(s3_settings settings, s3_credentials_provider keys);

    void check(const waybill::job& job) const override;
    [[nodiscard]] bool takes_header(const std::string& url, std::string_view name) const override;
    asio::awaitable<void> upload(session& job) override;
    [[nodiscard]] std::string identity(const job_spec& job) const override { return endpoint_->identity(job.url); }
    /// If the completion of an upload got no response, the server can be asked about the upload and the object.
    [[nodiscard]] bool can_probe() const noexcept override { return true; }
    asio::awaitable<void> discard(exchange& server, const leftover& what) override;

private:
    s3_settings settings_;
    std::shared_ptr<s3_endpoint> endpoint_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/s3/protocol.ipp>
#endif
