// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/clock.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/condition.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/engine_options.hpp>
#include <waybill/engine/ledger.hpp>
#include <waybill/engine/meter.hpp>
#include <waybill/model/record.hpp>
#include <waybill/model/snapshot.hpp>
#include <waybill/protocol/failure.hpp>
#include <waybill/protocol/session.hpp>
#include <waybill/source/source_opener.hpp>
#include <waybill/store/store.hpp>
#include <waybill/transport/transport.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace waybill {

/// Turns all of a job's checkpoints into work for the clean-up.
WAYBILL_DECL void give_up_uploads(job_change& change, const loaded_job& whole,
                                  std::chrono::system_clock::time_point now);

/// One attempt at a job: what its protocol may touch, and what a snapshot shows of it meanwhile.
///
/// @par Thread safety
///   On the uploader's strand.
class attempt final : public session, public std::enable_shared_from_this<attempt> {
public:
    attempt(loaded_job whole, detail::ledger& ledger, waybill::transport& transport, source_opener& sources,
            waybill::clock& clock, const engine_options& options, detail::strand home);

    // For the protocol.
    [[nodiscard]] const job_record& job() const noexcept override { return whole_.job; }
    [[nodiscard]] const std::vector<item_record>& items() const noexcept override { return whole_.items; }
    [[nodiscard]] const checkpoint* find_checkpoint(std::size_t item) const noexcept override;
    [[nodiscard]] std::unique_ptr<body_source> open(std::size_t item) override;
    [[nodiscard]] std::size_t piece_size() const noexcept override { return sources_.piece_size(); }
    asio::awaitable<response> send(request what, std::vector<body_span> spans, std::size_t about) override;
    asio::awaitable<void> save(checkpoint reached) override;
    asio::awaitable<void> save_and_mark(checkpoint reached) override;
    void save_soon(checkpoint reached) override;
    void settle_soon(checkpoint reached) override;
    asio::awaitable<void> forget(std::size_t item, bool discard) override;
    asio::awaitable<void> settle_and_forget(std::size_t item, bool discard) override;
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

    /// Called when something has been left to be cleaned up.
    std::function<void()> on_leftover;
    /// Asked when the disk is full: whether to wait for space.
    std::function<bool()> may_wait_for_space;

    /// Commits a new state together with all item states and checkpoints that are not committed yet.
    /// A completed job needs its checkpoints no more; those of a canceled one are to be cleaned up.
    asio::awaitable<void> commit(job_state next);
    /// Commits item states that are not committed yet, if there is space and nothing else is being committed.
    asio::awaitable<void> flush();
    /// Item states or checkpoints wait for a commit.
    [[nodiscard]] bool dirty() const noexcept { return !dirty_items_.empty() || !dirty_checkpoints_.empty(); }
    /// The server confirmed something new during this attempt.
    [[nodiscard]] bool progressed() const noexcept { return progressed_; }
    /// How many bytes of items that was.
    [[nodiscard]] std::uint64_t gained() const noexcept { return gained_; }
    /// How many more connections took before they broke, of uploads whose server can be asked what it has.
    [[nodiscard]] std::uint64_t unheard() const noexcept { return unheard_; }
    /// A request has come to an end: something was heard of the host, or nothing where something should have been.
    [[nodiscard]] bool contacted() const noexcept { return contacted_; }
    /// The host answered one of them, or took so much of a body that it is there.
    [[nodiscard]] bool host_heard() const noexcept { return host_heard_; }
    /// A failure that ended the protocol says what became of the marked request: the commit that keeps it takes the
    /// mark away. One that may pass does not, though a success was heard before: what it was worth has not been kept.
    [[nodiscard]] bool settled_by(const failure& why) const noexcept {
        return intent_.settled_by(why.settles(), why.item(), why.what_to_do() == disposition::permanent);
    }
    /// Looks at the content of files about which something has changed that says nothing of it. What the server has of
    /// one whose content is not known for certain is given up: an edit whose time was put back would be mixed with it.
    /// Throws `failure` for one that has other bytes now.
    asio::awaitable<void> recognize_files();
    /// From now on no kept connection is used.
    void avoid_kept_connections() noexcept { fresh_ = true; }
    /// What a snapshot shows of it now. Committed states, live byte counts.
    [[nodiscard]] const job_snapshot& observe();

private:
    struct active_send {
        transfer_progress progress;
        std::vector<body_span> spans;
    };
    /// In the list for as long as the request runs, however it ends.
    struct listed_send {
        listed_send(std::list<active_send>& all, const std::vector<body_span>& spans)
            : list(all), place(all.insert(all.end(), active_send{{}, spans})) {}
        listed_send(const listed_send&) = delete;
        listed_send& operator=(const listed_send&) = delete;
        ~listed_send() { list.erase(place); }

        std::list<active_send>& list;
        std::list<active_send>::iterator place;
    };

    /// A commit under way: it takes with it what waits to be flushed.
    struct writing_mark {
        explicit writing_mark(int& c) : count(c) { ++count; }
        writing_mark(const writing_mark&) = delete;
        writing_mark& operator=(const writing_mark&) = delete;
        ~writing_mark() { --count; }

        int& count;
    };
    /// A flush under way, however it ends.
    struct flushing_mark {
        explicit flushing_mark(attempt& a) : self(a) { self.flushing_ = true; }
        flushing_mark(const flushing_mark&) = delete;
        flushing_mark& operator=(const flushing_mark&) = delete;
        ~flushing_mark() {
            self.flushing_ = false;
            self.flushed_.notify_all();
        }

        attempt& self;
    };

    asio::awaitable<void> record_intent(std::size_t about);
    void require_no_other_doubt(std::size_t about) const;
    asio::awaitable<response> perform(const request& what, active_send& as, bool settle_if_nothing_left);
    void require_source_intact(const response& answer, const std::vector<body_span>& spans) const;
    asio::awaitable<void> until_flushed();
    asio::awaitable<void> begin_anew(std::size_t item);
    asio::awaitable<void> repin(std::vector<item_spec> found);
    [[nodiscard]] job_change take_change();
    void put_back(const job_change& not_written);
    asio::awaitable<void> write(job_change change);
    void committed(const job_change& change);
    void finish_item(std::size_t item, std::string receipt);
    void show_committed(const job_change& change);
    void show_server_side(const job_change& change);
    void show_transfers();
    void keep(checkpoint reached);
    asio::awaitable<void> drop(std::size_t item, bool discard, bool settles);

    loaded_job whole_;
    detail::running_intent intent_;  // of `whole_`
    status committed_;
    detail::ledger& ledger_;
    waybill::transport& transport_;
    source_opener& sources_;
    waybill::clock& clock_;
    const engine_options& options_;
    std::list<active_send> active_;
    std::set<std::size_t> dirty_items_;
    std::set<std::size_t> dirty_checkpoints_;
    std::vector<std::size_t> owed_drops_;   // of checkpoints, and
    std::vector<leftover> owed_leftovers_;  // what a commit failed to write of both
    std::set<std::size_t> failed_items_;
    std::map<std::size_t, std::uint64_t> lost_;  // how far items had come of which the server has lost bytes
    int writing_ = 0;
    std::uint32_t pauses_ = 0;  // between requests of this attempt
    bool flushing_ = false;
    bool progressed_ = false;
    bool contacted_ = false;
    bool host_heard_ = false;
    std::uint64_t gained_ = 0;
    std::uint64_t unheard_ = 0;
    bool fresh_ = false;
    job_snapshot shown_;
    detail::strand home_;
    detail::condition flushed_;
    meter job_meter_;
    std::vector<meter> item_meters_;
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/attempt.ipp>
#include <waybill/engine/attempt_view.ipp>
#endif
