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

/// Transfers one job. One object serves one attempt; state that must outlive the attempt is kept in checkpoints.
///
/// Each stage may be run again after a crash or a failure and must then continue, not repeat. A stage reports a failure
/// by throwing `failure`. Any other `waybill::error` fails the job, and any other exception is retried like a lost
/// connection.
///
/// @par Cancellation
///   The stages are canceled by an exception from what they await; let it propagate.
/// @par Thread safety
///   On the uploader's strand.
class protocol {
public:
    virtual ~protocol() = default;

    /// Rejects, before acceptance, a job that this protocol cannot deliver. Throws `waybill::error`.
    virtual void check(const waybill::job& job) const = 0;

    /// True when a job to this URL may have a header that is otherwise reserved for the library: one that describes the
    /// bytes, or that the URL's signature demands. Never asked about framing, routing and secrets.
    [[nodiscard]] virtual bool takes_header(const std::string& /*url*/, std::string_view /*name*/) const {
        return false;
    }

    /// Learns what the server already has. For a new job that has an upload resource: creates it, and saves its URL as
    /// a checkpoint before the first body byte.
    virtual asio::awaitable<void> restore(session& /*job*/) { co_return; }

    /// Sends what is missing; returns when the server has confirmed every byte.
    virtual asio::awaitable<void> upload(session& job) = 0;

    /// True when `restore` can ask the server about a request whose response was lost. Then such a job is neither
    /// parked nor repeated; the server is asked.
    [[nodiscard]] virtual bool can_probe() const noexcept { return false; }

    /// True when `finalize` talks to the server: then reaching it is itself made durable.
    [[nodiscard]] virtual bool finalizes() const noexcept { return false; }

    /// Finalizes the upload.
    virtual asio::awaitable<void> finalize(session& /*job*/) { co_return; }

    /// The credentials that this job would present to the server, if the protocol itself manages them: compared with
    /// what the server has rejected, and stored nowhere. Default: nothing.
    [[nodiscard]] virtual std::string identity(const job_spec& /*job*/) const { return {}; }

    /// Cleans up what the server has of an abandoned upload, which the checkpoint names. The job's URL comes without
    /// its query, and without fields. If it throws a temporary `failure`, it is called again later, even after a
    /// restart.
    virtual asio::awaitable<void> discard(exchange& /*server*/, const leftover& /*what*/) { co_return; }
};

}  // namespace waybill
