// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/store/store.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::testing {

/// The state that survives a crash. Give it to the next `memory_store` to continue.
struct memory_disk {
    std::map<job_seq, loaded_job> jobs;
    std::map<std::int64_t, leftover> leftovers;
    std::map<selection, job_pause> holds;
    std::map<limit_scope, std::string> limits;
    std::int64_t last_seq = 0;
    std::int64_t last_leftover = 0;
    int format = 1;     ///< the version of the format it has
    totals miscounted;  ///< totals that no job accounts for: caused by an injected bug
    std::uint64_t commits = 0;
    store_time time;
    const void* owner = nullptr;  ///< the store that has it open
};

/// A store in memory with the semantics of the real one, for tests and simulations.
///
/// A change waits one turn of the loop before it is on the disk, and one more before its caller is notified: a crash in
/// between leaves it done and unacknowledged, as with a real disk.
///
/// @par Thread safety
///   Used on one strand.
class memory_store final : public store {
public:
    memory_store(asio::any_io_executor executor, std::shared_ptr<memory_disk> disk)
        : executor_(std::move(executor)), disk_(std::move(disk)) {}
    memory_store(const memory_store&) = delete;
    memory_store& operator=(const memory_store&) = delete;
    ~memory_store() override { let_go(); }

    /// Called when it is opened; if it throws, opening fails with that exception.
    std::function<void()> before_open;
    /// Called before each change reaches the disk; if it throws, that is the disk's failure. After `errc::store_failed`
    /// everything fails until the store is reopened.
    std::function<void()> before_write;
    /// The same before each reading.
    std::function<void()> before_read;
    /// The newest supported format version: an older disk is migrated when it is opened, in one step.
    int format = 1;
    /// Migrates a job; also applied to a job accepted by a version above 1.
    std::function<void(loaded_job&)> migrate;
    /// Set to inject a bug: a migration changes the disk job by job, so that a crash leaves half of it.
    bool migrate_by_halves = false;
    /// Set to inject a bug: unknown fields are not written back.
    bool drop_unknown = false;
    /// Set to inject a bug: changes are acknowledged before they are on the disk.
    bool acknowledge_early = false;
    /// Set to inject a bug: jobs that could not be accepted, because the disk failed, stay in the totals.
    bool count_refused = false;
    /// Set to inject a bug: a change that was refused for want of space is written all the same, over what its job
    /// commits after the repetition.
    bool write_refused = false;

    asio::awaitable<store_contents> open() override;
    [[nodiscard]] bool failed() const noexcept override { return failed_; }
    void note_time(const store_time& now) override {
        if (disk_->owner == this) {
            disk_->time = now;
        }
    }
    asio::awaitable<std::vector<added_job>> add(std::shared_ptr<const std::vector<new_job>> jobs) override;
    asio::awaitable<void> commit(job_change change) override;
    asio::awaitable<totals> quarantine(job_seq seq) override;
    asio::awaitable<void> remove(job_seq seq, std::vector<leftover> leftovers) override;
    asio::awaitable<std::vector<removed_job>> remove_finished(std::chrono::milliseconds before,
                                                              unix_millis now) override;
    asio::awaitable<void> put_hold(hold what) override;
    asio::awaitable<void> remove_hold(selection which) override;
    asio::awaitable<void> put_limit(bandwidth_limit what) override;
    asio::awaitable<void> remove_limit(limit_scope what) override;
    asio::awaitable<std::optional<loaded_job>> load(job_seq seq) override;
    asio::awaitable<std::vector<std::optional<job_seq>>> find(std::vector<job_id> ids) override;
    asio::awaitable<std::vector<queued_job>> lane(std::string name, std::string origin, job_seq after,
                                                  std::size_t most) override;
    asio::awaitable<std::vector<loaded_job>> list(listing which, std::optional<job_record> after,
                                                  std::size_t most) override;
    asio::awaitable<std::optional<leftover>> next_leftover() override;
    asio::awaitable<void> postpone_leftover(leftover what) override;
    asio::awaitable<void> remove_leftover(std::int64_t id) override;
    asio::awaitable<void> close() override;

private:
    /// A change whose caller has not been notified yet.
    class unacknowledged {
    public:
        explicit unacknowledged(std::size_t& count) noexcept : count_(count) { ++count_; }
        unacknowledged(const unacknowledged&) = delete;
        unacknowledged& operator=(const unacknowledged&) = delete;
        ~unacknowledged() { --count_; }

    private:
        std::size_t& count_;
    };

    asio::awaitable<void> turn();
    asio::awaitable<void> migrate_disk();
    void read_jobs(store_contents& found);
    asio::awaitable<void> read();
    void fail_as_scripted(const std::function<void()>& hook);
    asio::awaitable<void> write(std::function<void()> change);
    void perform(const std::function<void()>& change);
    void apply(const job_change& change);
    void write_what_was_refused(job_seq seq);
    void keep(const leftover& what);
    [[nodiscard]] loaded_job& at(job_seq seq);
    [[nodiscard]] std::optional<job_seq> seq_of(const job_id& id) const;
    void let_go() noexcept {
        if (disk_->owner == this) {
            disk_->owner = nullptr;
        }
    }

    asio::any_io_executor executor_;
    std::shared_ptr<memory_disk> disk_;
    std::size_t unacknowledged_ = 0;
    bool failed_ = false;
    std::map<job_seq, std::pair<job_change, int>> refused_;  // of an injected bug: and how many have come after it
};

}  // namespace waybill::testing

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/testing/memory_store.ipp>
#include <waybill/testing/memory_store_open.ipp>
#include <waybill/testing/memory_store_reads.ipp>
#endif
