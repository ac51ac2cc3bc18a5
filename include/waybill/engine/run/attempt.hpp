// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/clock.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/ledger.hpp>
#include <waybill/engine/run/attempt_report.hpp>
#include <waybill/engine/run/item_sources.hpp>
#include <waybill/engine/run/sender.hpp>
#include <waybill/engine/run/write_behind.hpp>
#include <waybill/engine/show/live_snapshot.hpp>
#include <waybill/model/record.hpp>
#include <waybill/model/snapshot.hpp>
#include <waybill/options.hpp>
#include <waybill/protocol/failure.hpp>
#include <waybill/protocol/session.hpp>
#include <waybill/source/source_opener.hpp>
#include <waybill/store/store.hpp>
#include <waybill/transport/transport.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::detail {

/// One attempt at a job: everything its protocol may use.
///
/// @par Thread safety
///   On the uploader's strand.
class attempt final : public session, public std::enable_shared_from_this<attempt> {
public:
    attempt(loaded_job whole, ledger& ledger, waybill::transport& transport, source_opener& sources,
            waybill::clock& clock, const options& options, strand home);

    // For the protocol.
    [[nodiscard]] const job_record& job() const noexcept override { return whole_.job; }
    [[nodiscard]] const std::vector<item_record>& items() const noexcept override { return whole_.items; }
    [[nodiscard]] const checkpoint* find_checkpoint(std::size_t item) const noexcept override;
    [[nodiscard]] std::unique_ptr<body_source> open(std::size_t item) override;
    [[nodiscard]] std::size_t piece_size() const noexcept override { return sources_.opener().piece_size(); }
    asio::awaitable<response> send(request what, std::size_t about) override;
    asio::awaitable<void> save(checkpoint reached) override;
    asio::awaitable<void> save_with_intent(checkpoint reached) override;
    void save_soon(checkpoint reached) override;
    void resolve_soon(checkpoint reached) override;
    asio::awaitable<void> discard(std::size_t item, bool at_server) override;
    asio::awaitable<void> resolve_and_discard(std::size_t item, bool at_server) override;
    void confirm(std::size_t item, std::uint64_t bytes) override;
    asio::awaitable<void> save_protocol(std::string name) override;
    asio::awaitable<void> in_parallel(std::size_t width, std::function<asio::awaitable<bool>()> step) override;
    asio::awaitable<void> back_off(int refusals, std::optional<std::chrono::seconds> retry_after) override;
    asio::awaitable<void> complete_item(std::size_t item, std::string receipt) override;
    void complete_item_soon(std::size_t item, std::string receipt) override;
    void fail_item_soon(std::size_t item) override;
    void complete_all_soon(std::string receipt) override;
    [[nodiscard]] std::chrono::system_clock::time_point now() const noexcept override { return clock_.system_now(); }

    // For the engine.

    /// Called after each commit.
    std::function<void()> on_committed;
    /// Called when a leftover was recorded.
    std::function<void()> on_leftover;
    /// Asked when the disk is full: whether to wait for space.
    std::function<bool()> may_wait_for_space;

    /// Commits a new state together with all that is not committed yet.
    asio::awaitable<void> commit(job_state next) { return pending_.commit(std::move(next)); }
    /// Commits what is not committed yet, if there is space and no commit is in progress.
    asio::awaitable<void> flush() { return pending_.flush(); }
    [[nodiscard]] bool dirty() const noexcept { return pending_.dirty(); }
    /// Its report for the retry policy.
    [[nodiscard]] const attempt_report& report() const noexcept { return report_; }
    /// A failure that ended the protocol states the outcome of the request with the intent: the commit that keeps it
    /// clears the intent. A temporary one does not, even if a success was received before: its result has not been
    /// kept.
    [[nodiscard]] bool settled_by(const failure& why) const noexcept {
        return intent_.settled_by(why.settles(), why.item(), why.what_to_do() == disposition::permanent);
    }
    /// Checks the content of files whose changed metadata does not decide whether they are the same. If a file's
    /// content is not known for certain, what the server has of it is abandoned: otherwise an edit with a restored
    /// modification time would be mixed with it. Throws `failure` for a file whose bytes have changed.
    asio::awaitable<void> recognize_files();
    /// From now on no reused connection is used.
    void avoid_reused_connections() noexcept { fresh_ = true; }
    /// The current snapshot. Committed states, live byte counts.
    [[nodiscard]] const job_snapshot& observe() { return shown_.observe(); }
    void show_pausing() noexcept { shown_.show_pausing(); }

private:
    class gated_request;

    asio::awaitable<void> record_intent(std::size_t about);
    void require_no_other_doubt(std::size_t about) const;
    asio::awaitable<void> restart(std::size_t item);
    asio::awaitable<void> repin(std::vector<item_spec> found);
    void committed(const job_change& change);
    void finish_item(std::size_t item, std::string receipt);
    void keep(checkpoint reached);
    asio::awaitable<void> drop(std::size_t item, bool at_server, bool settles);

    loaded_job whole_;
    running_intent intent_;  // of `whole_`
    waybill::clock& clock_;
    const options& options_;
    strand home_;
    sender sender_;
    item_sources sources_;
    write_behind pending_;
    attempt_report report_;
    live_snapshot shown_;
    std::uint32_t pauses_ = 0;  // between requests of this attempt
    bool fresh_ = false;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/run/attempt.ipp>
#include <waybill/engine/run/attempt_files.ipp>
#include <waybill/engine/run/attempt_send.ipp>
#endif
