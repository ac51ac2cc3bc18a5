// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>

namespace waybill {

/// HTTP, as the protocols see it. Replace it to upload by other means, or to test without a network.
class transport {
public:
    virtual ~transport() = default;

    /// Performs one request, on the uploader's strand, and keeps `progress` up to date meanwhile.
    ///
    /// Never follows a redirect and never repeats anything by itself.
    ///
    /// @par Completes with
    ///   the result of the request; see `response`.
    /// @par Errors
    ///   Throws whatever `request::before_last_byte` throws. Failures of the network, of the server and of the body
    ///   source are in `response::failure`.
    /// @par Cancellation
    ///   Any type; the connection is closed immediately. Throws `operation_aborted`.
    virtual asio::awaitable<response> perform(const request& what, transfer_progress& progress) = 0;
};

}  // namespace waybill
