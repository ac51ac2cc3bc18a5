// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/model/record.hpp>
#include <waybill/options.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>
#include <waybill/transport/transport.hpp>

#include <cstddef>

namespace waybill::detail {

/// Hooks around each single request: a redirect makes several of one.
class single_request {
public:
    single_request() = default;
    single_request(const single_request&) = delete;
    single_request& operator=(const single_request&) = delete;
    virtual ~single_request() = default;

    /// Called once, when the request is complete, and before anything is sent.
    virtual void prepared(request& /*what*/) {}
    /// Called before each single request. Its transfer's progress is written to the returned object, which lives until
    /// the next call.
    virtual transfer_progress& begin(request& what) = 0;
    /// The transport threw: usually because it was canceled.
    virtual void interrupted() noexcept {}
    /// The response to a single request. All secrets are redacted.
    virtual void responded(const request& /*what*/, const response& /*got*/) {}
};

/// Sends a job's requests: with timeouts, the job's headers and the credentials of its origin; follows redirects; and
/// redacts secrets from the responses.
///
/// @par Thread safety
///   On the uploader's strand.
class sender {
public:
    sender(waybill::transport& transport, const options& options) : transport_(transport), options_(options) {}

    /// Completes with the response to the last request.
    ///
    /// @param job and `each` must live until this has completed.
    asio::awaitable<response> send(request what, const job_spec& job, single_request& each);

    /// Adds the key by which a server recognises a repeated request that is not idempotent.
    void add_idempotency_key(request& what, const job_record& job, std::size_t about) const;

private:
    asio::awaitable<response> perform(const request& what, transfer_progress& progress, single_request& each);

    waybill::transport& transport_;
    const options& options_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/run/sender.ipp>
#endif
