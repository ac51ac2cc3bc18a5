// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/error.hpp>
#include <waybill/transport/transport.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::testing {

/// What goes wrong with a request.
struct fault {
    /// The kinds of it.
    enum class kind : std::uint8_t {
        none,           ///< it is answered
        refused,        ///< no connection
        unreachable,    ///< no way to the network
        cut,            ///< the connection breaks after `at` body bytes
        response_lost,  ///< the server has processed it, the answer does not arrive
        silent,         ///< the whole body is taken, and no answer comes within the answer timeout
        hang,           ///< after `at` body bytes nothing happens any more, until it is canceled
        early,  ///< a success is answered after `at` body bytes; `buffered` more are handed over and have not left
    };
    kind what = kind::none;
    std::uint64_t at = 0;
    std::uint64_t buffered = 0;
};

/// A request as the server sees it. `whole` is false when the connection broke first: then a
/// server that is worth its name has not processed it.
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
    /// Answers a whole request, and is told of broken ones, whose answer nobody hears.
    using server = std::function<response(const received_request&)>;

    fake_transport(asio::any_io_executor executor, server serve)
        : executor_(std::move(executor)), serve_(std::move(serve)) {}

    /// Asked before each request; not set: nothing goes wrong.
    std::function<fault(const request&)> next_fault;
    /// Body bytes that leave in one turn of the loop.
    std::size_t chunk = 1000;

    /// An answer with a status and nothing else.
    [[nodiscard]] static response answer(int status) {
        response r;
        r.status = status;
        return r;
    }

    asio::awaitable<response> perform(const request& what, transfer_progress& progress) override;

private:
    asio::awaitable<void> turn();

    asio::awaitable<void> hang();

    /// The response when the body does not arrive whole.
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
