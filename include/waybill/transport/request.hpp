// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_source.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/http/header.hpp>
#include <waybill/transport/request_limits.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill {

/// Which of a request's body bytes are an item's: what progress is counted by.
struct body_span {
    std::size_t item = 0;
    std::uint64_t body_offset = 0;  ///< where the item's bytes begin in the request body
    std::uint64_t item_offset = 0;  ///< which of the item's bytes that is
    std::uint64_t length = 0;
};

/// One HTTP request. What it points to lives until `transport::perform` has completed.
struct request {
    std::string method = "PUT";
    std::string url;
    header_list headers;
    /// The body, `offset` to its end; null for none.
    body_source* body = nullptr;
    std::uint64_t offset = 0;
    /// Where the items are in the body: their progress is counted by it. Empty: no item's bytes are sent.
    std::vector<body_span> spans;
    /// Sending it twice does what sending it once does (RFC 9110 section 9.2.2). Requests that are
    /// not get a fresh connection, so that no layer below can repeat them unseen.
    bool idempotent = false;
    /// A mark is to be durable before the last byte leaves even though the request is idempotent:
    /// for a request that finishes something which may be gone when it is asked about.
    bool finishing = false;
    /// What it is for, where a job sends several requests that are not idempotent: each purpose has an idempotency key
    /// of its own, the same for each retry. Empty: requests of the same method to the same path are retries of one.
    std::string purpose;
    /// It is about what the job is about, so the job's conditions (`If-Match`, `If-None-Match`, …) go with it. Not so
    /// for a question, nor for a request about an upload resource, which would fail by them.
    bool conditional = true;
    /// Bytes that are at the server already, and that it has to put together before it can answer.
    std::uint64_t assembles = 0;
    /// It may leave the job's origin: for protocols to which another server than the one the job
    /// names is told by the job itself or by the app, never by an answer alone. Without it the
    /// engine refuses such a request (`errc::foreign_origin`).
    bool any_origin = false;
    /// Use no kept connection.
    bool fresh_connection = false;
    /// The protocol has signed it: it is sent as it is, without the job's headers, without the
    /// credentials provider's, and not to where a redirect points.
    bool sealed = false;
    /// What in a sealed request proves who asks, beside its `Authorization`: the engine keeps it out of what it keeps
    /// of the answer.
    std::vector<std::string> secrets;
    /// Ask with `Expect: 100-continue` and give the server five seconds before the body is sent
    /// (RFC 9110 section 10.1.1): a server that refuses early can then be heard.
    bool expect_continue = false;
    /// A 303 after the whole body is a success: the server has processed the request, and shows elsewhere what came of
    /// it (RFC 9110 section 15.4.4). For requests with which something is delivered.
    bool see_other = false;
    request_limits limits;

    /// Awaited when every byte but the last has been handed over (for an empty body, or a small one of a request
    /// that is idempotent and not `finishing`: none).
    /// The last byte leaves only after it completed; an exception ends the transfer with the
    /// server's copy provably incomplete.
    std::function<asio::awaitable<void>()> before_last_byte;
    /// Told of interim responses (1xx) while the body is still being sent. A `waybill::error` from it
    /// ends the transfer, with its code as the failure.
    std::function<void(int status, const header_list& headers)> on_interim;

    [[nodiscard]] std::uint64_t body_size() const noexcept { return body == nullptr ? 0 : body->size() - offset; }
};

/// How far a request is. Written by the transport, read by the engine, both on the strand.
struct transfer_progress {
    /// Body bytes that have arrived at the other side of the connection, as far as the system tells: what waits in a
    /// buffer of this machine does not count.
    std::uint64_t sent = 0;
    bool connected = false;  ///< the connection stands: from here on something may have left
    bool body_sent = false;  ///< all of them; the answer is awaited
};

}  // namespace waybill
