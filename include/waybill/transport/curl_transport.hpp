// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/transport/curl_options.hpp>
#include <waybill/transport/transport.hpp>

#include <memory>
#include <string>
#include <vector>

namespace waybill {
namespace detail {
class curl_multi_driver;
class curl_transfer;
class easy_pool;
class pacing;
}  // namespace detail

/// HTTP by libcurl's multi interface, driven by the uploader's own Asio loop: no thread, no poll.
///
/// @par Thread safety
///   Used on one strand.
class curl_transport final : public transport {
public:
    /// Throws `errc::invalid_option` for a proxy that is no URL of a scheme libcurl knows, and for a file that cannot
    /// be read or is no PEM file.
    ///
    /// @param executor the strand all calls are made on.
    explicit curl_transport(asio::any_io_executor executor, curl_options options = {});

    asio::awaitable<response> perform(const request& what, transfer_progress& progress) override;
    void limit(const limit_scope& what, const timetable& rates) override;

private:
    asio::awaitable<void> begin(detail::curl_transfer& transfer);
    asio::awaitable<response> drive(detail::curl_transfer& transfer, const request& what, transfer_progress& progress);

    asio::any_io_executor executor_;
    curl_options options_;
    std::vector<std::string> proxy_secrets_;
    std::shared_ptr<detail::pacing> pacing_;
    std::shared_ptr<detail::curl_multi_driver> driver_;
    std::shared_ptr<detail::easy_pool> handles_;
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/transport/curl_transport.ipp>
#endif
