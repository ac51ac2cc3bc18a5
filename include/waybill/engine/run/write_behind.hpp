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
#include <cstdint>
#include <functional>
#include <set>
#include <utility>
#include <vector>

namespace waybill::detail {

/// Changes of a running job that wait for a commit. A commit includes all that wait; `flush` commits nothing else.
///
/// There is one commit at a time. What changes meanwhile goes into the next one: a commit that waits for disk space and
/// is repeated would otherwise overwrite what a later one has written.
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
    /// An item's checkpoint is to be deleted.
    void checkpoint_dropped(std::size_t item) { owed_drops_.push_back(item); }
    /// Something at the server is to be cleaned up.
    void left_over(leftover what) { owed_leftovers_.push_back(std::move(what)); }
    /// Item states or checkpoints wait for a commit.
    [[nodiscard]] bool dirty() const noexcept { return !dirty_items_.empty() || !dirty_checkpoints_.empty(); }

    /// Commits a new state together with all waiting changes; while the disk is full it waits for space: what the
    /// server has confirmed must not be lost because a few bytes are missing. A completed job no longer needs its
    /// checkpoints; those of a canceled one are to be cleaned up.
    ///
    /// When it throws, a stop for example, its changes wait for the next commit.
    asio::awaitable<void> commit(job_state next);
    /// Commits by which identities the files are known from now on. When it throws, no later commit does.
    asio::awaitable<void> commit_pins(std::vector<item_spec> found);
    /// Commits waiting changes, if there is space and no commit is in progress.
    asio::awaitable<void> flush();

private:
    struct writing;

    asio::awaitable<void> until_written(std::uint64_t number);
    asio::awaitable<bool> write_if_space();
    [[nodiscard]] job_change take_change();
    void put_back(const job_change& not_written);

    loaded_job& whole_;
    status committed_;
    ledger& ledger_;
    waybill::clock& clock_;
    strand home_;
    std::set<std::size_t> dirty_items_;
    std::set<std::size_t> dirty_checkpoints_;
    std::vector<std::size_t> owed_drops_;
    std::vector<leftover> owed_leftovers_;
    std::vector<item_spec> pins_;
    std::uint64_t asked_ = 0;    // commits that were asked for,
    std::uint64_t written_ = 0;  // and those of them that are done
    bool writing_ = false;
    condition write_ended_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/run/write_behind.ipp>
#endif
