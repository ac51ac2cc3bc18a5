// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/error.hpp>
#include <waybill/transport/bandwidth_limits.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>
#include <waybill/transport/timetable.hpp>

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

    /// Sets, changes or removes (`off`) a bandwidth limit, immediately and also for requests in progress. The limits
    /// that apply to a request follow from its URL, `request::lane` and `request::job`.
    ///
    /// Throws `errc::invalid_option` if this transport cannot limit, as this default does.
    virtual void limit(const limit_scope& /*what*/, const timetable& /*rates*/) {
        throw error(errc::invalid_option, "this transport does not limit bandwidth");
    }
};

}  // namespace waybill
