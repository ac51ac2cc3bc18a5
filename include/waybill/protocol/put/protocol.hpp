// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/protocol/protocol.hpp>
#include <waybill/protocol/shared/independent_items.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace waybill::detail {

/// True when a URL is presigned (Signature Version 4 in its query) with a header of this name: it must then be sent.
[[nodiscard]] WAYBILL_DECL bool is_signed_header(std::string_view url, std::string_view name);

/// See `put`.
class put_protocol final : public protocol {
public:
    explicit put_protocol(const protocol_spec& spec);

    void check(const waybill::job& job) const override;
    [[nodiscard]] bool takes_header(const std::string& url, std::string_view name) const override;
    asio::awaitable<void> upload(session& job) override;
    /// Only conditional requests leave an intent, and what is at their target may show their outcome.
    [[nodiscard]] bool can_probe() const noexcept override { return is_idempotent(); }

private:
    asio::awaitable<bool> upload_next(session& job, independent_items& items) const;
    [[nodiscard]] request item_request(const session& job, std::size_t index, const std::string& sum) const;
    asio::awaitable<void> upload_item(session& job, std::size_t index) const;
    asio::awaitable<void> look_at_target(session& job, std::size_t index, const response& refused,
                                         body_source& body) const;
    [[nodiscard]] std::string receipt_of(const response& got) const;
    /// As the value of `Repr-Digest`; empty: none was asked for.
    asio::awaitable<std::string> digest_of_all(body_source& body, std::size_t piece_size) const;

    /// Each item has its own URL, completed by its name.
    [[nodiscard]] bool names_targets(std::string_view url) const noexcept;
    /// Sending it twice has the same effect as sending it once.
    [[nodiscard]] bool is_idempotent() const noexcept { return method_ == "PUT"; }

    std::string method_ = "PUT";
    std::size_t parallel_ = 1;
    std::string digest_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/put/protocol.ipp>
#endif
