// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/leftover.hpp>
#include <waybill/protocol/failure.hpp>
#include <waybill/protocol/session.hpp>

#include <string>
#include <string_view>

namespace waybill {

/// Transfers one job. One object serves one attempt; what must outlive the attempt goes into
/// checkpoints.
///
/// Each stage may be run again after a crash or a failure and must then continue, not repeat. A
/// stage reports a failure by throwing `failure`. Another `waybill::error` fails the job, and any other exception is
/// tried again like a broken connection.
///
/// @par Cancellation
///   The stages are canceled by an exception from what they await; let it pass.
/// @par Thread safety
///   On the uploader's strand.
class protocol {
public:
    virtual ~protocol() = default;

    /// Refuses, before acceptance, a job that this protocol cannot deliver. Throws `waybill::error`.
    virtual void check(const waybill::job& job) const = 0;

    /// True when a job to this URL may have a header that is otherwise the library's own: one that says what the
    /// bytes are, or that the URL's signature demands. Never asked about framing, routing and secrets.
    [[nodiscard]] virtual bool takes_header(const std::string& /*url*/, std::string_view /*name*/) const {
        return false;
    }

    /// Learns what the server already has. For a new job that has an upload resource: creates it,
    /// and saves its URL as a checkpoint before the first body byte.
    virtual asio::awaitable<void> restore(session& /*job*/) { co_return; }

    /// Sends what is missing; returns when the server has confirmed every byte.
    virtual asio::awaitable<void> upload(session& job) = 0;

    /// True when `restore` can find out from the server what became of a request whose answer was
    /// lost. Then such a job is neither parked nor repeated, but asked about.
    [[nodiscard]] virtual bool can_probe() const noexcept { return false; }

    /// True when `finalize` talks to the server: then reaching it is itself made durable.
    [[nodiscard]] virtual bool finalizes() const noexcept { return false; }

    /// Makes what was uploaded final.
    virtual asio::awaitable<void> finalize(session& /*job*/) { co_return; }

    /// What this job would show the server to prove who asks, where that is the protocol's own affair: compared with
    /// what the server has refused, and kept nowhere. Default: nothing.
    [[nodiscard]] virtual std::string identity(const job_spec& /*job*/) const { return {}; }

    /// Cleans up what the server has of an upload that is given up: the checkpoint says which. The
    /// job's URL comes without its query, and without fields. It
    /// is tried again when it throws a `failure` that may pass, also after a restart.
    virtual asio::awaitable<void> discard(exchange& /*server*/, const leftover& /*what*/) { co_return; }
};

}  // namespace waybill
