// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/clock.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/condition.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/ledger.hpp>
#include <waybill/model/leftover.hpp>
#include <waybill/model/record.hpp>
#include <waybill/store/store.hpp>

#include <cstddef>
#include <functional>
#include <set>
#include <vector>

namespace waybill::detail {

/// Changes of a running job that wait for a commit. A commit includes all that wait; `flush` commits nothing else.
///
/// @par Thread safety
///   On the uploader's strand.
class write_behind {
public:
    /// `whole` is the job as it is in memory, and as the next commit makes it on the disk.
    write_behind(loaded_job& whole, ledger& ledger, waybill::clock& clock, const strand& home);
    write_behind(const write_behind&) = delete;
    write_behind& operator=(const write_behind&) = delete;

    /// Called after each commit.
    std::function<void(const job_change&)> on_committed;
    /// Asked when the disk is full: whether to wait for space.
    std::function<bool()> may_wait_for_space;

    /// An item's state is to be committed.
    void item_changed(std::size_t item) { dirty_items_.insert(item); }
    /// A checkpoint is to be committed.
    void checkpoint_changed(std::size_t item) { dirty_checkpoints_.insert(item); }
    /// Item states or checkpoints wait for a commit.
    [[nodiscard]] bool dirty() const noexcept { return !dirty_items_.empty() || !dirty_checkpoints_.empty(); }

    /// Commits a new state together with all waiting changes. A completed job no longer needs its checkpoints; those of
    /// a canceled one are to be cleaned up.
    asio::awaitable<void> commit(job_state next);
    /// Commits waiting changes, if there is space and no commit is in progress.
    asio::awaitable<void> flush();

    // For a commit of another kind: `writing`, `until_flushed`, `take_change`, `write`, and then `written` or
    // `put_back`. The caller that has taken a change puts it back on failure: a stop is also thrown where `write` is
    // awaited, before the write has started.

    /// A commit in progress: it includes what waits to be flushed.
    class writing {
    public:
        explicit writing(write_behind& owner) : owner_(owner) { ++owner_.writing_; }
        writing(const writing&) = delete;
        writing& operator=(const writing&) = delete;
        ~writing() { --owner_.writing_; }

    private:
        write_behind& owner_;
    };
    asio::awaitable<void> until_flushed();
    /// The present state, and all that waits.
    [[nodiscard]] job_change take_change();
    /// Commits; while the disk is full it waits for space. What the server has confirmed must not be lost because a few
    /// bytes are missing.
    asio::awaitable<void> write(job_change change);
    /// The taken changes wait again.
    void put_back(const job_change& not_written);
    void written(const job_change& change);

private:
    struct flushing;

    loaded_job& whole_;
    status committed_;
    ledger& ledger_;
    waybill::clock& clock_;
    strand home_;
    std::set<std::size_t> dirty_items_;
    std::set<std::size_t> dirty_checkpoints_;
    std::vector<std::size_t> owed_drops_;   // of checkpoints, and
    std::vector<leftover> owed_leftovers_;  // the leftovers that a failed commit did not write
    int writing_ = 0;                       // commits in progress, or waiting until a flush has ended
    bool flushing_ = false;
    condition flushed_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/run/write_behind.ipp>
#endif
