// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/detail/spawn_on.hpp>
#include <waybill/feed.hpp>
#include <waybill/fwd.hpp>
#include <waybill/job_control.hpp>
#include <waybill/model/ids.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/snapshot.hpp>
#include <waybill/options.hpp>
#include <waybill/transport/bandwidth_limits.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/execution_context.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace waybill {

/// Delivers jobs: accepts them durably, uploads them in order, and reports their state.
///
/// A handle. Its state lives on a strand of the executor it was made with and is kept alive by running operations;
/// destroying the handle, or assigning to it, stops them without losing anything.
///
/// Nothing is opened before the first operation. `async_run` delivers; everything else works with and without it. Every
/// operation takes a completion token, `use_awaitable` by default. Tokens that throw (`use_awaitable`, `use_future`,
/// `deferred`, also adapted by `bind_executor`, `cancel_after` and the like) throw `waybill::error`, whose text names
/// cause and remedy. Callbacks that take an `std::exception_ptr` get the same exception, see `to_error`; all other
/// tokens get the `std::error_code`.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: all member functions except assignment and destruction may be called from
///   any thread. Handlers run on the token's associated executor.
/// @par Processes
///   It belongs to the process that made it. In a forked child every operation throws `errc::forked` immediately, and
///   its destruction touches nothing; a child creates its own uploader and its own store.
/// @par Lifetime
///   The executor's context must be running for operations to make progress. Destroying it while transfers are in
///   progress is safe: they are interrupted, and the next run continues them.
template <class Executor>
class basic_uploader : public detail::job_control<typename detail::default_token_of<Executor>::type> {
    using base = detail::job_control<typename detail::default_token_of<Executor>::type>;

public:
    using executor_type = Executor;
    /// The token of operations that are given none.
    using default_token = typename detail::default_token_of<Executor>::type;
    /// For `as_default_on_t` and `as_default_on`.
    template <class Other>
    struct rebind_executor {
        using other = basic_uploader<Other>;
    };

    /// Throws `waybill::error` with `errc::invalid_option` when an option can only be a mistake; its text says which.
    /// @param executor where everything runs, on a strand; one thread is enough.
    basic_uploader(const Executor& executor, options how)
        : base(asio::any_io_executor(executor), std::move(how)), executor_(executor) {}

    /// The same on the executor of an execution context.
    template <class Context>
    requires std::is_convertible_v<Context&, asio::execution_context&> basic_uploader(Context& context, options how)
        : basic_uploader(Executor(context.get_executor()), std::move(how)) {}

    /// The same uploader with another default token. `other` is in the state of a moved-from object.
    template <class Other>
    requires std::is_convertible_v<Other, Executor> basic_uploader(
        basic_uploader<Other>&& other)  // NOLINT(bugprone-move-forwarding-reference)
        : base(std::move(other)), executor_(other.get_executor()) {}

    basic_uploader(const basic_uploader&) = delete;
    basic_uploader& operator=(const basic_uploader&) = delete;
    basic_uploader(basic_uploader&&) noexcept = default;
    basic_uploader& operator=(basic_uploader&&) noexcept = default;
    ~basic_uploader() = default;

    /// The executor it was made with.
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

    /// Delivers jobs until `async_stop`.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::store_locked`, `errc::store_damaged`, `errc::store_too_new`, `errc::store_unwritable`,
    ///     `errc::store_unsafe`  the store could not be opened.
    ///   - `errc::store_failed`  the store failed while jobs were running, and failed again after it was reopened; jobs
    ///     are as last committed. Call `async_run` again to retry.
    ///   - `errc::not_allowed`  it is running already.
    ///   - `errc::stopped`  the uploader was stopped before.
    /// @par Cancellation
    ///   Any type: transfers are interrupted, their jobs go back to `pending`, and it may be run again.
    template <class Token = default_token>
    auto async_run(Token&& token = Token()) {
        return detail::spawn_on(this->home_, this->run(), std::forward<Token>(token));
    }

    /// Accepts a job. It is safe on disk when this completes; the upload happens later.
    ///
    /// @par Completion signature
    ///   `void(std::error_code, job_id)`
    /// @par Errors
    ///   - `errc::invalid_url` … `errc::source_outside`, `errc::source_size_wrong`  the job was rejected; nothing was
    ///     stored.
    ///   - `errc::duplicate_id`  the id belongs to a job with other content.
    ///   - `errc::store_full`  nothing was accepted.
    ///   - `errc::store_failed`  the job may have been accepted or not, never in part. Enqueue it again under the same
    ///     id: it is accepted once.
    ///   - the errors of opening the store, see `async_run`.
    /// @par Cancellation
    ///   Any type, until the commit begins; ignored afterwards.
    /// @par Durability
    ///   After a successful completion the job survives `kill -9` and power loss.
    template <class Token = default_token>
    auto async_enqueue(job what, Token&& token = Token()) {
        return detail::spawn_on(this->home_, this->enqueue(std::move(what)), std::forward<Token>(token));
    }

    /// Accepts several jobs in one commit: all or none. Otherwise as for one job.
    ///
    /// @par Completion signature
    ///   `void(std::error_code, std::vector<job_id>)`
    template <class Token = default_token>
    auto async_enqueue(std::vector<job> jobs, Token&& token = Token()) {
        return detail::spawn_on(this->home_, this->enqueue(std::move(jobs)), std::forward<Token>(token));
    }

    /// Limits how fast bodies are sent, immediately and also for transfers in progress: everything, or what is sent to
    /// a host, the jobs of a lane, or one job. A transfer obeys every limit that applies to it.
    ///
    /// It holds in place of the one in `options::bandwidth`, also after a restart. A job's limit is not stored.
    ///
    /// @param what   `limit_scope::total()`, `limit_scope::host("api.example.com")`, `limit_scope::lane("logs")` or
    ///   `limit_scope::job(id.str())`.
    /// @param rates  a rate (`512K`, `1.5M`), `off` for no limit, `stop` for nothing, or a weekly timetable
    ///   (`08:00,512K 18:00,off`); see docs/guide/bandwidth.md. Empty: what `options::bandwidth` says holds again.
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::invalid_option`  the text is not a timetable (the details say where the mistake is), the host's name
    ///     has a scheme or a port, or the app's own transport cannot limit.
    ///   - `errc::invalid_lane`  it cannot be the name of a lane.
    ///   - `errc::unknown_job`, `errc::not_allowed`  there is no such job, or it is finished.
    ///   - `errc::stopped`
    ///   - `errc::store_full` and other errors of the store: the limit is as it was.
    /// @par Cancellation
    ///   Any type, until the commit begins.
    /// @par Durability
    ///   On disk when it completes, unless it is a job's.
    template <class Token = default_token>
    auto async_limit(limit_scope what, std::string rates, Token&& token = Token()) {
        return detail::spawn_on(this->home_, this->limit(std::move(what), std::move(rates)),
                                std::forward<Token>(token));
    }

    /// The limits that hold now, of the options or set since; what is not limited is not in the list.
    ///
    /// @par Completion signature
    ///   `void(std::error_code, std::vector<bandwidth_limit>)`
    /// @par Errors
    ///   - `errc::stopped`, and those of opening the store (`cause::storage`).
    /// @par Cancellation
    ///   Any type.
    template <class Token = default_token>
    auto async_limits(Token&& token = Token()) {
        return detail::spawn_on(this->home_, this->limits(), std::forward<Token>(token));
    }

    /// Waits until a job settles: completed, failed, canceled, or parked until someone decides (`paused`,
    /// `unknown_outcome`). Completes immediately if it has. Nothing more happens by itself to a settled job.
    ///
    /// @par Completion signature
    ///   `void(std::error_code, job_snapshot)`
    /// @par Errors
    ///   - `errc::unknown_job`
    ///   - `errc::stopped`  the uploader stopped first.
    /// @par Cancellation
    ///   Any type, at any time; the job continues.
    template <class Token = default_token>
    auto async_wait(job_id id, Token&& token = Token()) {
        return detail::spawn_on(this->home_, this->wait(std::move(id), false), std::forward<Token>(token));
    }

    /// Waits until a job is completed, failed or canceled; completes immediately if it is. While the job is parked, it
    /// waits for the decision. Otherwise like `async_wait`.
    ///
    /// @par Completion signature
    ///   `void(std::error_code, job_snapshot)`
    template <class Token = default_token>
    auto async_wait_final(job_id id, Token&& token = Token()) {
        return detail::spawn_on(this->home_, this->wait(std::move(id), true), std::forward<Token>(token));
    }

    /// Why a job is not running: all conditions that keep it from being started now, in the order in which they are
    /// checked. Empty for a job that is running or finished, and for one that is about to be started.
    ///
    /// @par Completion signature
    ///   `void(std::error_code, std::vector<closed_gate>)`
    /// @par Errors
    ///   - `errc::unknown_job`
    /// @par Cancellation
    ///   Any type.
    template <class Token = default_token>
    auto async_explain(job_id id, Token&& token = Token()) {
        return detail::spawn_on(this->home_, this->explain(std::move(id)), std::forward<Token>(token));
    }

    /// Looks up one job, including one that snapshots do not list.
    ///
    /// @par Completion signature
    ///   `void(std::error_code, job_snapshot)`
    /// @par Errors
    ///   - `errc::unknown_job`
    /// @par Cancellation
    ///   Any type.
    template <class Token = default_token>
    auto async_find(job_id id, Token&& token = Token()) {
        return detail::spawn_on(this->home_, this->find(std::move(id)), std::forward<Token>(token));
    }

    /// Reads the store page by page, in the order of acceptance.
    ///
    /// @param after the last job of the previous page; `std::nullopt` for the first.
    /// @param most jobs of a page at most; fewer mean that it is the last.
    /// @par Completion signature
    ///   `void(std::error_code, std::vector<job_snapshot>)`
    /// @par Errors
    ///   The errors of opening the store, see `async_run`.
    /// @par Cancellation
    ///   Any type.
    template <class Token = default_token>
    auto async_list(std::optional<job_seq> after, std::size_t most, Token&& token = Token()) {
        return detail::spawn_on(this->home_, this->list(after, most), std::forward<Token>(token));
    }

    /// Stops everything: interrupts transfers, commits, closes the store. Bounded by the disk, not by the network.
    /// Afterwards every operation fails with `errc::stopped`.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::store_failed`  closing the store failed; everything committed is safe.
    /// @par Cancellation
    ///   None.
    /// @par Durability
    ///   The next uploader on this store continues where this one was.
    template <class Token = default_token>
    auto async_stop(Token&& token = Token()) {
        return detail::spawn_on(this->home_, this->stop(), std::forward<Token>(token));
    }

private:
    Executor executor_;
};

/// The uploader for any executor, with `use_awaitable` as default token.
class uploader : public basic_uploader<asio::any_io_executor> {
public:
    using basic_uploader::basic_uploader;
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/uploader.ipp>
#endif
