// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/detail/worker.hpp>
#include <waybill/store/detail/format.hpp>
#include <waybill/store/store.hpp>
#include <waybill/store/store_options.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace waybill {
namespace detail {
class database;
struct database_change;
}  // namespace detail

/// Jobs in an SQLite file, on a separate thread: a commit waits for the disk, and must not make the network wait with
/// it.
///
/// @par Durability
///   A completed change survives `kill -9` and power loss (WAL, `synchronous=FULL`). Changes that
///   wait together are committed together and share one sync.
/// @par Thread safety
///   All functions are called on the strand given to the constructor.
class sqlite_store final : public store {
public:
    /// Touches no file; `open` does. The strand's context must outlive the store.
    ///
    /// @param formats the versions of the format that are known, oldest first; tests of migrations plant others.
    sqlite_store(const detail::strand& home, store_options options,
                 std::span<const detail::store_format> formats = detail::store_formats);

    sqlite_store(const sqlite_store&) = delete;
    sqlite_store& operator=(const sqlite_store&) = delete;
    ~sqlite_store() override;

    asio::awaitable<store_contents> open() override;
    [[nodiscard]] bool failed() const noexcept override { return failed_; }
    void note_time(const store_time& now) override;
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
    using on_database = std::function<void(detail::database&)>;

    [[nodiscard]] detail::database& opened() const;
    [[nodiscard]] store_time noted_time();
    asio::awaitable<void> read(on_database work);
    asio::awaitable<void> write(on_database work, bool adds = false);
    void submit(detail::database_change change);
    void drain();
    std::exception_ptr transact(std::vector<detail::database_change>& group,
                                std::vector<detail::database_change>& refused);
    void close_if_broken(const std::exception_ptr& thrown) noexcept;

    store_options options_;
    std::span<const detail::store_format> formats_;
    std::atomic<bool> failed_{false};
    std::unique_ptr<detail::database> database_;  // the thread's own
    std::mutex mutex_;
    std::vector<detail::database_change> waiting_;
    store_time time_;
    std::unique_ptr<detail::worker> worker_;  // last: joins its thread before the other members are destroyed
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/store/sqlite_store.ipp>
#include <waybill/store/sqlite_store_rules.ipp>
#endif
