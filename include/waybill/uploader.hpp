// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/detail/spawn_on.hpp>
#include <waybill/feed.hpp>
#include <waybill/fwd.hpp>
#include <waybill/model/ids.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/snapshot.hpp>
#include <waybill/options.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace waybill {

/// Delivers jobs: accepts them durably, uploads them in order, and tells how they are.
///
/// A handle. Its state lives on a strand of the executor it was made with and is kept alive by the
/// operations that run; destroying the handle stops them without losing anything.
///
/// Nothing is opened before the first operation. `async_run` delivers; everything else works with
/// and without it. Every operation takes a completion token, `use_awaitable` if none is given: then
/// errors are thrown as `waybill::error`, whose text names cause and remedy. Other tokens get the
/// `std::error_code`.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: all member functions but assignment and destruction
///   may be called from any thread. Handlers run on the token's associated executor.
/// @par Lifetime
///   The executor's context must be running for operations to make progress. Destroying it while
///   transfers are under way is safe: they end where they are, and the next run continues them.
class uploader {
public:
    /// Throws `waybill::error` with `errc::invalid_option` when an option can only be a mistake; its text says which.
    /// @param executor where everything runs, on a strand; one thread is enough.
    uploader(const asio::any_io_executor& executor, options how);

    uploader(const uploader&) = delete;
    uploader& operator=(const uploader&) = delete;
    uploader(uploader&&) noexcept = default;
    uploader& operator=(uploader&& other) noexcept {
        std::swap(home_, other.home_);
        std::swap(engine_, other.engine_);
        return *this;
    }
    ~uploader();

    /// Delivers jobs until `async_stop`.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::store_locked`, `errc::store_damaged`, `errc::store_too_new`, `errc::store_unwritable`,
    ///     `errc::store_unsafe`  the store could not be opened.
    ///   - `errc::store_failed`  the store failed while jobs were running, and went on failing though it
    ///     was opened anew; jobs are as last committed. Calling `async_run` again tries again.
    ///   - `errc::not_allowed`  it is running already.
    ///   - `errc::stopped`  the uploader was stopped before.
    /// @par Cancellation
    ///   Any type: transfers are interrupted, their jobs go back to `pending`, and it may be run again.
    template <class Token = asio::use_awaitable_t<>>
    auto async_run(Token&& token = {}) {
        return detail::spawn_on(home_, run(), std::forward<Token>(token));
    }

    /// Accepts a job. It is safe on disk when this completes; the upload happens later.
    ///
    /// @par Completion signature
    ///   `void(std::error_code, job_id)`
    /// @par Errors
    ///   - `errc::invalid_url` … `errc::source_not_regular`  the job was refused; nothing was accepted.
    ///   - `errc::duplicate_id`  the id belongs to a job with other content.
    ///   - `errc::store_full`, `errc::store_failed`  nothing was accepted.
    ///   - what opening the store may report, see `async_run`.
    /// @par Cancellation
    ///   Any type, until the commit begins; ignored afterwards.
    /// @par Durability
    ///   After a successful completion the job survives `kill -9` and power loss.
    template <class Token = asio::use_awaitable_t<>>
    auto async_enqueue(job what, Token&& token = {}) {
        return detail::spawn_on(home_, enqueue(std::move(what)), std::forward<Token>(token));
    }

    /// Accepts several jobs in one commit: all or none. Otherwise as for one job.
    ///
    /// @par Completion signature
    ///   `void(std::error_code, std::vector<job_id>)`
    template <class Token = asio::use_awaitable_t<>>
    auto async_enqueue(std::vector<job> jobs, Token&& token = {}) {
        return detail::spawn_on(home_, enqueue(std::move(jobs)), std::forward<Token>(token));
    }

    /// Gives a job up. Its transfer is cut off; after completion no byte of it is sent any more,
    /// also not after a restart.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::unknown_job`
    ///   - `errc::not_allowed`  it is completed or failed already.
    /// @par Cancellation
    ///   Any type, until the commit begins; the job may be back in its queue then.
    /// @par Durability
    ///   After a successful completion the job stays canceled after any crash.
    template <class Token = asio::use_awaitable_t<>>
    auto async_cancel(job_id id, Token&& token = {}) {
        return detail::spawn_on(home_, cancel(std::move(id)), std::forward<Token>(token));
    }

    /// Tries a job again: a failed or canceled one in a new epoch, with its files as they are now; a
    /// waiting one at once; one with an unknown outcome at the risk of a duplicate.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::unknown_job`
    ///   - `errc::not_allowed`  it is completed.
    ///   - `errc::source_missing` and its like, when a file is gone.
    /// @par Cancellation
    ///   Any type, until the commit begins.
    /// @par Durability
    ///   After a successful completion the job is queued again, also after any crash.
    template <class Token = asio::use_awaitable_t<>>
    auto async_retry(job_id id, Token&& token = {}) {
        return detail::spawn_on(home_, retry(std::move(id)), std::forward<Token>(token));
    }

    /// Decides about a job whose outcome is unknown.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::unknown_job`
    ///   - `errc::not_allowed`  its outcome is not unknown.
    /// @par Cancellation
    ///   Any type, until the commit begins.
    /// @par Durability
    ///   After a successful completion the decision survives any crash.
    template <class Token = asio::use_awaitable_t<>>
    auto async_resolve(job_id id, resolution what, Token&& token = {}) {
        return detail::spawn_on(home_, resolve(std::move(id), what), std::forward<Token>(token));
    }

    /// Forgets a finished job.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::unknown_job`
    ///   - `errc::not_allowed`  it is not finished.
    /// @par Cancellation
    ///   Any type, until the commit begins.
    template <class Token = asio::use_awaitable_t<>>
    auto async_remove(job_id id, Token&& token = {}) {
        return detail::spawn_on(home_, remove(std::move(id)), std::forward<Token>(token));
    }

    /// Waits until a job is completed, failed or canceled; at once when it is.
    ///
    /// A job that is set aside (`paused`, `unknown_outcome`) is not final: watch a feed for those.
    ///
    /// @par Completion signature
    ///   `void(std::error_code, job_snapshot)`
    /// @par Errors
    ///   - `errc::unknown_job`
    ///   - `errc::stopped`  the uploader stopped first.
    /// @par Cancellation
    ///   Any type, at any time; the job goes on.
    template <class Token = asio::use_awaitable_t<>>
    auto async_wait(job_id id, Token&& token = {}) {
        return detail::spawn_on(home_, wait(std::move(id)), std::forward<Token>(token));
    }

    /// Looks one job up, also one that snapshots do not list.
    ///
    /// @par Completion signature
    ///   `void(std::error_code, job_snapshot)`
    /// @par Errors
    ///   - `errc::unknown_job`
    /// @par Cancellation
    ///   Any type.
    template <class Token = asio::use_awaitable_t<>>
    auto async_find(job_id id, Token&& token = {}) {
        return detail::spawn_on(home_, find(std::move(id)), std::forward<Token>(token));
    }

    /// Reads the store page by page, in the order of acceptance.
    ///
    /// @param after the last job of the previous page; `std::nullopt` for the first.
    /// @param most jobs of a page at most; fewer mean that it is the last.
    /// @par Completion signature
    ///   `void(std::error_code, std::vector<job_snapshot>)`
    /// @par Errors
    ///   What opening the store may report, see `async_run`.
    /// @par Cancellation
    ///   Any type.
    template <class Token = asio::use_awaitable_t<>>
    auto async_list(std::optional<job_seq> after, std::size_t most, Token&& token = {}) {
        return detail::spawn_on(home_, list(after, most), std::forward<Token>(token));
    }

    /// Ends everything: interrupts transfers, commits, closes the store. Bounded by the disk, not
    /// by the network. Afterwards every operation fails with `errc::stopped`.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::store_failed`  closing the store failed; everything committed is safe.
    /// @par Cancellation
    ///   None.
    /// @par Durability
    ///   The next uploader on this store continues where this one was.
    template <class Token = asio::use_awaitable_t<>>
    auto async_stop(Token&& token = {}) {
        return detail::spawn_on(home_, stop(), std::forward<Token>(token));
    }

    /// Subscribes to snapshots.
    [[nodiscard]] feed snapshots() const;

    /// The newest snapshot, without waiting and without locking: for render loops. Never null.
    [[nodiscard]] std::shared_ptr<const snapshot> latest() const noexcept;

private:
    // What the operations do, for the strand. Not in the templates above, so that a program that
    // uses them does not compile the engine.
    [[nodiscard]] detail::task_of<void> run() const;
    [[nodiscard]] detail::task_of<job_id> enqueue(job what) const;
    [[nodiscard]] detail::task_of<std::vector<job_id>> enqueue(std::vector<job> jobs) const;
    [[nodiscard]] detail::task_of<void> cancel(job_id id) const;
    [[nodiscard]] detail::task_of<void> retry(job_id id) const;
    [[nodiscard]] detail::task_of<void> resolve(job_id id, resolution what) const;
    [[nodiscard]] detail::task_of<void> remove(job_id id) const;
    [[nodiscard]] detail::task_of<job_snapshot> wait(job_id id) const;
    [[nodiscard]] detail::task_of<job_snapshot> find(job_id id) const;
    [[nodiscard]] detail::task_of<std::vector<job_snapshot>> list(std::optional<job_seq> after, std::size_t most) const;
    [[nodiscard]] detail::task_of<void> stop() const;

    detail::strand home_;
    std::shared_ptr<engine> engine_;
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/impl/uploader.ipp>
#endif
