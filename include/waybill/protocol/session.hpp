// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_source.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/model/checkpoint.hpp>
#include <waybill/model/record.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waybill {

/// The server, as a protocol sees it: credentials and timeouts are added to requests.
///
/// @par Thread safety
///   On the uploader's strand.
class exchange {
public:
    virtual ~exchange() = default;

    /// Sends a request of this job.
    ///
    /// Adds the job's headers and credentials; for a request that is not idempotent an `Idempotency-Key`, and an intent
    /// record before its last byte is sent. Follows 307 and 308 within the same origin (RFC 9110 section 15.4).
    ///
    /// @param about the item it is for; `checkpoint::whole_job` for the whole job.
    /// @par Errors
    ///   Throws `failure` when the item's file has changed, and `error` of the store. Results of the network and the
    ///   server are in the response.
    virtual asio::awaitable<response> send(request what, std::size_t about = checkpoint::whole_job) = 0;

    [[nodiscard]] virtual std::chrono::system_clock::time_point now() const noexcept = 0;

    /// Throws the `failure` that corresponds to a response, unless the request was accepted (`judge`).
    ///
    /// @param about the item the request was for; `checkpoint::whole_job` for the whole job.
    /// @param idempotent the request's own value (`request::idempotent`): whether it may be sent again when its
    ///   outcome is unknown.
    void require(const response& got, std::size_t about = checkpoint::whole_job, bool idempotent = true) const {
        require_accepted(got, idempotent, unix_seconds(now()), about);
    }
};

/// What a protocol may do for its job during one attempt. Implemented by the engine, which manages credentials,
/// timeouts, the last-byte gate, durability and progress.
class session : public exchange {
public:
    [[nodiscard]] virtual const job_record& job() const noexcept = 0;
    [[nodiscard]] virtual const std::vector<item_record>& items() const noexcept = 0;
    /// The app's job.
    [[nodiscard]] const job_spec& spec() const noexcept { return job().spec; }
    /// The job's state.
    [[nodiscard]] const job_state& state() const noexcept { return job().state; }

    /// An earlier request of this job may have arrived. True from the intent, recorded before the request's last byte
    /// is sent, until its result is kept: so it is still true while the protocol evaluates the response.
    [[nodiscard]] bool in_doubt() const noexcept { return job().state.intent.stands(); }
    /// The same, of a request for this item, or for the whole job.
    [[nodiscard]] bool in_doubt(std::size_t about) const noexcept { return job().state.intent.about(about); }

    /// The committed checkpoint of an item, or of the whole job; null when there is none.
    [[nodiscard]] virtual const checkpoint* find_checkpoint(
        std::size_t item = checkpoint::whole_job) const noexcept = 0;

    /// Opens an item exactly as it was accepted. Throws `failure` if the file has changed. While the outcome of an
    /// earlier request is in doubt, the file is opened, and the failure thrown, only on the first read.
    [[nodiscard]] virtual std::unique_ptr<body_source> open(std::size_t item) = 0;

    /// Makes a checkpoint durable; completes when it is.
    virtual asio::awaitable<void> save(checkpoint reached) = 0;
    /// Like `save`, but also commits, in the same transaction, the intent record of the request that finishes the item.
    /// Saves one commit for small items, whose bytes are sent in one write. Also used after a response that cleared the
    /// record without revealing the outcome: the outcome stays in doubt.
    virtual asio::awaitable<void> save_with_intent(checkpoint reached) = 0;
    /// As `save` without waiting: durable within `options::flush_interval`.
    virtual void save_soon(checkpoint reached) = 0;
    /// As `save_soon`, for a checkpoint that resolves a request whose response was lost: the commit that keeps the
    /// checkpoint clears its intent record (`job_state::intent`). It cannot be cleared alone: if the process were
    /// stopped or killed in between, it would send again what has arrived. An item's completion settles its intent in
    /// the same way, and so does a failure that says so (`failure::settle`).
    virtual void resolve_soon(checkpoint reached) = 0;
    /// Deletes an item's checkpoint: its upload no longer exists, or is of no use. With `at_server`, what the server
    /// still has of it is cleaned up, durably, in the background.
    virtual asio::awaitable<void> discard(std::size_t item, bool at_server) = 0;
    /// The same, and the same commit clears the intent of a request whose response was lost: nothing of it has arrived,
    /// or what has is abandoned.
    virtual asio::awaitable<void> resolve_and_discard(std::size_t item, bool at_server) = 0;

    /// How many bytes of a body are read ahead for a digest in one turn of the loop.
    [[nodiscard]] virtual std::size_t piece_size() const noexcept { return std::size_t(1) << 20; }

    /// Reports how many of an item's bytes the server has confirmed. Shown immediately, durable with the next
    /// checkpoint or item.
    virtual void confirm(std::size_t item, std::uint64_t bytes) = 0;

    /// Records an item as confirmed by the server. Completes when that is durable.
    virtual asio::awaitable<void> complete_item(std::size_t item, std::string receipt) = 0;
    /// The same without waiting, for idempotent requests: after a crash the item is sent again.
    virtual void complete_item_soon(std::size_t item, std::string receipt) = 0;
    /// Records an item as undeliverable, while others of its job can still be delivered. Durable no later than the
    /// job's end.
    virtual void fail_item_soon(std::size_t /*item*/) {}
    /// Records all items as confirmed together; durable no later than the job.
    virtual void complete_all_soon(std::string receipt) = 0;

    /// Runs several coroutines concurrently, for protocols that send requests in parallel: up to `width` copies of
    /// `step`, each repeatedly until it returns false. Completes when all have ended; the first exception cancels the
    /// others and is rethrown.
    virtual asio::awaitable<void> in_parallel(std::size_t width, std::function<asio::awaitable<bool>()> step) = 0;

    /// Waits before one of several requests, a part or an item, is sent again within this attempt: as long as between
    /// attempts, by how often it was refused, from 1, and at least for `retry_after`. If no other request succeeds
    /// either, end the attempt instead: then requests to the host are suspended for all jobs.
    virtual asio::awaitable<void> back_off(int refusals, std::optional<std::chrono::seconds> retry_after) = 0;

    /// Stores which protocol was negotiated, for snapshots and for the next process. Completes when that is durable.
    virtual asio::awaitable<void> save_protocol(std::string name) = 0;
};

/// The items that are not completed yet, in their order; but the one whose request's response was lost comes first. A
/// job has one intent: it must be settled before another item's is recorded.
[[nodiscard]] inline std::vector<std::size_t> items_to_send(const session& job) {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < job.items().size(); ++i) {
        if (job.items()[i].state.status != item_status::completed) {
            open.insert(job.in_doubt(i) ? open.begin() : open.end(), i);
        }
    }
    return open;
}

}  // namespace waybill
