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

/// Which of a request's body bytes belong to an item: progress is counted by these.
struct body_span {
    std::size_t item = 0;
    std::uint64_t body_offset = 0;  ///< where the item's bytes begin in the request body
    std::uint64_t item_offset = 0;  ///< which of the item's bytes that is
    std::uint64_t length = 0;
};

/// One HTTP request. The objects it points to must live until `transport::perform` has completed.
struct request {
    std::string method = "PUT";
    std::string url;
    header_list headers;
    /// The body, `offset` to its end; null for none.
    body_source* body = nullptr;
    std::uint64_t offset = 0;
    /// Where the items are in the body: their progress is counted by it. Empty: no item's bytes are sent.
    std::vector<body_span> spans;
    /// Sending it twice has the same effect as sending it once (RFC 9110 section 9.2.2). Other requests get a fresh
    /// connection, so that no lower layer can repeat them silently.
    bool idempotent = false;
    /// The intent record must be durable before the last byte is sent even though the request is idempotent: for a
    /// request that finishes a resource which may no longer exist when the server is asked about it.
    bool finishing = false;
    /// Its purpose, if a job sends several requests that are not idempotent: each purpose has an idempotency key of its
    /// own, the same for each retry. Empty: requests of the same method to the same path are retries of one.
    std::string purpose;
    /// It targets the job's own resource, so the job's conditions (`If-Match`, `If-None-Match`, …) are sent with it.
    /// False for a query, and for a request about an upload resource, which the conditions would make fail.
    bool conditional = true;
    /// Bytes that are at the server already, and that it has to assemble before it can respond.
    std::uint64_t assembles = 0;
    /// It may be sent to another origin than the job's: for protocols to which the job itself or the app names another
    /// server, never a response alone. Without it the engine rejects such a request (`errc::foreign_origin`).
    bool any_origin = false;
    /// Do not use a reused connection.
    bool fresh_connection = false;
    /// The protocol has signed it: it is sent unchanged, without the job's headers, without the credentials provider's,
    /// and redirects are not followed.
    bool sealed = false;
    /// Credentials in a sealed request, in addition to its `Authorization`: the engine redacts them from what it keeps
    /// of the response.
    std::vector<std::string> secrets;
    /// Ask with `Expect: 100-continue` and give the server five seconds before the body is sent (RFC 9110 section
    /// 10.1.1): then the response of a server that refuses early can be read.
    bool expect_continue = false;
    /// A 303 after the whole body is a success: the server has processed the request, and shows the result elsewhere
    /// (RFC 9110 section 15.4.4). For requests that deliver something.
    bool see_other = false;
    request_limits limits;
    /// The lane and the job whose bandwidth limits apply to it, in addition to its host's. Requests of one job share
    /// what the job gets; a request without a job counts as one. Set by the engine.
    std::string lane;
    std::string job;

    /// Awaited when every byte except the last has been handed over (for an empty body, or a small one of a request
    /// that is idempotent and not `finishing`: none). The last byte is sent only after it completed; an exception ends
    /// the transfer with the server's copy provably incomplete.
    std::function<asio::awaitable<void>()> before_last_byte;
    /// Called for interim responses (1xx) while the body is still being sent. If it throws a `waybill::error`, the
    /// transfer ends with that code as the failure.
    std::function<void(int status, const header_list& headers)> on_interim;

    [[nodiscard]] std::uint64_t body_size() const noexcept { return body == nullptr ? 0 : body->size() - offset; }
};

/// The progress of a request. Written by the transport, read by the engine, both on the strand.
struct transfer_progress {
    /// Body bytes that have arrived at the other end of the connection, as far as the system reports it: bytes waiting
    /// in a buffer of this machine do not count.
    std::uint64_t sent = 0;
    bool connected = false;  ///< the connection is established: from here on something may have been sent
    bool body_sent = false;  ///< all of them; the response is awaited
};

}  // namespace waybill
