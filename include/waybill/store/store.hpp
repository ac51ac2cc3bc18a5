// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/limit_scope.hpp>
#include <waybill/model/hold.hpp>
#include <waybill/model/leftover.hpp>
#include <waybill/model/record.hpp>
#include <waybill/model/snapshot.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill {

/// A job to be accepted: its `seq` is assigned by the store. Without items, it refers to one that was accepted before.
struct new_job {
    job_record job;
    std::vector<item_record> items;
};

/// The result for a `new_job`.
struct added_job {
    job_seq seq{};
    bool existed = false;  ///< the same job was accepted before, under the same id
};

/// A job as its lane sees it.
struct queued_job {
    job_seq seq{};
    std::string lane;
    std::string origin;
    unix_millis not_before{};
    std::chrono::milliseconds wait{0};
    wait_reason reason = wait_reason::none;
};

/// A job that was deleted.
struct removed_job {
    job_seq seq{};
    status was{};
    std::uint64_t size = 0;
    bool damaged = false;  ///< it was not: its record cannot be trusted, not even how old it is
};

/// One durable change of one job: all of it is committed, or none.
struct job_change {
    job_seq seq{};
    status from{};  ///< the committed status; `to.status` must be the same or reachable from it
    job_state to;
    std::vector<std::pair<std::size_t, item_state>> items;
    std::vector<checkpoint> checkpoints;  ///< each replaces the one of its item
    bool drop_checkpoints = false;        ///< first delete all there are
    std::vector<std::size_t> dropped;     ///< first delete these items' checkpoints
    std::vector<leftover> leftovers;      ///< to be cleaned up at the server
    /// The items as pinned again by a retry; empty: unchanged.
    std::vector<item_spec> repinned;
};

/// Which jobs to list, and in what order.
enum class listing : std::uint8_t {
    all,       ///< in the order of acceptance
    open,      ///< by lane and origin, then in order
    parked,    ///< parked, in order
    finished,  ///< the latest first
};

/// What a store holds when it is opened.
struct store_contents {
    waybill::totals totals;
    /// The first open job of every lane and origin.
    std::vector<queued_job> lane_heads;
    /// Where a damaged store was moved to, if that happened just now.
    std::string moved_aside;
    /// As it was last stored.
    store_time time;
    /// All there are.
    std::vector<hold> holds;
    std::vector<bandwidth_limit> limits;
};

/// Persistence, as the engine sees it. A change is durable when its awaitable completes.
///
/// All functions are called on the uploader's strand and throw `waybill::error` with a code for which `code ==
/// cause::storage` holds, unless documented otherwise. None of them is cancellable: an operation that was started is
/// completed, so that its outcome is always known.
///
/// After `errc::store_failed` the disk's state is not known any more: everything fails until `open` is called again,
/// which returns what the disk really holds.
class store {
public:
    virtual ~store() = default;

    /// Opens the store and returns jobs that a crash left running to `pending`. Completes after every change that was
    /// started before it has completed: the totals include every change counted so far, and no other.
    virtual asio::awaitable<store_contents> open() = 0;

    /// Sets the current time; written with the next change, at the latest when the store is closed. Does not block.
    virtual void note_time(const store_time& /*now*/) {}

    /// It has failed, and must be reopened.
    [[nodiscard]] virtual bool failed() const noexcept { return false; }

    /// Accepts jobs: all or none. Throws `errc::duplicate_id` when one of the ids is taken by a
    /// job of other content, and `errc::unknown_job` when one that has no items was not accepted before.
    virtual asio::awaitable<std::vector<added_job>> add(std::shared_ptr<const std::vector<new_job>> jobs) = 0;

    /// Makes one change durable. Throws `errc::not_allowed` when the status table forbids it.
    virtual asio::awaitable<void> commit(job_change change) = 0;

    /// Fails a job whose row cannot be trusted, with `errc::record_damaged`, and keeps it until it is removed: it is
    /// `never_retired`. Completes with the difference to add to the totals; that may be negative, all sums wrap around.
    virtual asio::awaitable<totals> quarantine(job_seq seq) = 0;

    /// Keeps a hold, in place of the one on the same jobs.
    virtual asio::awaitable<void> put_hold(hold what) = 0;
    /// Deletes the hold on these jobs, if there is one.
    virtual asio::awaitable<void> remove_hold(selection which) = 0;
    /// Keeps a limit of everything, of a host or of a lane, in place of the one that is there.
    virtual asio::awaitable<void> put_limit(bandwidth_limit what) = 0;
    /// Deletes it, if there is one.
    virtual asio::awaitable<void> remove_limit(limit_scope what) = 0;

    virtual asio::awaitable<std::optional<loaded_job>> load(job_seq seq) = 0;
    /// One result for each id.
    virtual asio::awaitable<std::vector<std::optional<job_seq>>> find(std::vector<job_id> ids) = 0;

    /// The open jobs of a lane that go to `origin` after `after`, in order.
    virtual asio::awaitable<std::vector<queued_job>> lane(std::string name, std::string origin, job_seq after,
                                                          std::size_t most) = 0;

    /// A page of jobs, without item data, and with checkpoints where they are unfinished: those that follow `after` in
    /// the order of `which`, from the beginning when it is null.
    virtual asio::awaitable<std::vector<loaded_job>> list(listing which, std::optional<job_record> after,
                                                          std::size_t most) = 0;

    /// Deletes a terminal job, and records what is to be cleaned up after it.
    virtual asio::awaitable<void> remove(job_seq seq, std::vector<leftover> leftovers) = 0;
    /// Deletes terminal jobs that were `retired` before `before`. What a server may still have of them, by their
    /// checkpoints, becomes leftovers. Damaged ones stay, and are reported.
    virtual asio::awaitable<std::vector<removed_job>> remove_finished(std::chrono::milliseconds before,
                                                                      unix_millis now) = 0;

    /// The leftover to clean up next, due or not.
    virtual asio::awaitable<std::optional<leftover>> next_leftover() = 0;
    /// Records a failed attempt at it.
    virtual asio::awaitable<void> postpone_leftover(leftover what) = 0;
    virtual asio::awaitable<void> remove_leftover(std::int64_t id) = 0;

    /// Brings everything into the main file and closes it.
    virtual asio::awaitable<void> close() = 0;
};

}  // namespace waybill
