// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/error.hpp>
#include <waybill/transport/transport.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::testing {

/// A fault of a request.
struct fault {
    /// The kinds of faults.
    enum class kind : std::uint8_t {
        none,           ///< no fault
        refused,        ///< no connection
        unreachable,    ///< no route to the network
        cut,            ///< the connection is lost after `at` body bytes
        response_lost,  ///< the server has processed it, the response does not arrive
        silent,         ///< the whole body is taken, and no response comes within the response timeout
        hang,           ///< after `at` body bytes nothing happens any more, until it is canceled
        early,          ///< success is reported after `at` body bytes; `buffered` more are handed over, but not sent
    };
    kind what = kind::none;
    std::uint64_t at = 0;
    std::uint64_t buffered = 0;
};

/// A request as the server sees it. `whole` is false when the connection was lost first: then a correct server has not
/// processed it.
struct received_request {
    std::string method;
    std::string url;
    header_list headers;
    std::string body;
    bool whole = true;

    [[nodiscard]] std::string header(std::string_view name) const {
        return std::string(single_header(headers, name).value_or(""));
    }
};

/// A network in memory, with a server at its end that is a function.
///
/// @par Thread safety
///   Used on one strand.
class fake_transport final : public transport {
public:
    /// Returns the response to a complete request. Also called for interrupted ones; their response is discarded.
    using server = std::function<response(const received_request&)>;

    fake_transport(asio::any_io_executor executor, server serve)
        : executor_(std::move(executor)), serve_(std::move(serve)) {}

    /// Called before each request; not set: no faults.
    std::function<fault(const request&)> next_fault;
    /// Body bytes that are sent in one turn of the loop.
    std::size_t chunk = 1000;

    /// The limits that were set: recorded, not obeyed.
    std::map<limit_scope, timetable> limits;
    void limit(const limit_scope& what, const timetable& rates) override { limits[what] = rates; }

    /// A response with this status and nothing else.
    [[nodiscard]] static response respond(int status) {
        response r;
        r.status = status;
        return r;
    }

    asio::awaitable<response> perform(const request& what, transfer_progress& progress) override;

private:
    asio::awaitable<void> turn();

    asio::awaitable<void> hang();

    /// The response when the body does not arrive completely.
    asio::awaitable<std::optional<response>> send_body(const request& what, transfer_progress& progress,
                                                       const fault& wrong, received_request& got);

    response early_success(const request& what, const fault& wrong, received_request& got);

    static response lost(const received_request& got, std::error_code why, std::string detail);

    asio::any_io_executor executor_;
    server serve_;
};

}  // namespace waybill::testing

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/testing/fake_transport.ipp>
#endif
