// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/spawn_on.hpp>
#include <waybill/model/hold.hpp>
#include <waybill/model/ids.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/pause_options.hpp>
#include <waybill/uploader_base.hpp>

#include <type_traits>
#include <utility>

namespace waybill::detail {

/// An executor may define the token of operations that are given none (`as_default_on_t`).
template <class Executor>
struct default_token_of {
    using type = asio::use_awaitable_t<>;
};
template <class Executor>
requires requires {
    typename Executor::default_completion_token_type;
}
struct default_token_of<Executor> {
    using type = typename Executor::default_completion_token_type;
};

/// What an app can ask of a job that it knows by its id: the part of `basic_uploader` that does so.
template <class DefaultToken>
class job_control : public uploader_base {
public:
    /// The token of operations that are given none.
    using default_token = DefaultToken;

    /// Cancels a job. Its transfer is aborted; after completion no byte of it is sent any more, not even after a
    /// restart.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::unknown_job`
    ///   - `errc::not_allowed`  it is completed or failed already.
    /// @par Cancellation
    ///   Any type, until the commit begins; by then the job's transfer may have been interrupted and the job be
    ///   `pending` again.
    /// @par Durability
    ///   After a successful completion the job stays canceled after any crash.
    template <class Token = default_token>
    auto async_cancel(job_id id, Token&& token = Token()) {
        return spawn_on(home_, cancel(std::move(id)), std::forward<Token>(token));
    }

    /// Tries a job again: a failed or canceled one in a new epoch, with its files as they are now; a waiting one
    /// immediately; one with an unknown outcome at the risk of a duplicate.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::unknown_job`
    ///   - `errc::not_allowed`  it is completed.
    ///   - `errc::source_missing` and similar, when a file no longer exists.
    /// @par Cancellation
    ///   Any type, until the commit begins.
    /// @par Durability
    ///   After a successful completion the job is queued again, also after any crash.
    template <class Token = default_token>
    auto async_retry(job_id id, Token&& token = Token()) {
        return spawn_on(home_, retry(std::move(id)), std::forward<Token>(token));
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
    template <class Token = default_token>
    auto async_resolve(job_id id, resolution what, Token&& token = Token()) {
        return spawn_on(home_, resolve(std::move(id), what), std::forward<Token>(token));
    }

    /// Deletes a finished job.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::unknown_job`
    ///   - `errc::not_allowed`  it is not finished.
    /// @par Cancellation
    ///   Any type, until the commit begins.
    template <class Token = default_token>
    auto async_remove(job_id id, Token&& token = Token()) {
        return spawn_on(home_, remove(std::move(id)), std::forward<Token>(token));
    }

    /// Pauses a job. When this completes, no byte of it is sent any more, also after a restart, until it is resumed. It
    /// makes way for the jobs behind it, and has its old place when it goes on. Attempts, backoff and what the server
    /// has confirmed stay as they are. Pausing a paused job sets the time and the words anew.
    ///
    /// A transfer is interrupted at once, but for a request that must not be repeated and whose last byte may have
    /// been sent: that one is seen to its end first (`job_snapshot::pausing`).
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::unknown_job`.
    ///   - `errc::not_allowed`  it is finished, or its outcome is unknown: perhaps only now, by that last request.
    ///   - `errc::invalid_setting`  the time is negative or longer than ten years, or the words are too long.
    /// @par Cancellation
    ///   Any type, until the commit begins; the transfer may be interrupted by then, and the job pending again.
    /// @par Durability
    ///   On disk when it completes.
    template <class Token = default_token>
    requires(!std::is_same_v<std::remove_cvref_t<Token>, pause_options>) auto async_pause(job_id id,
                                                                                          Token&& token = Token()) {
        return spawn_on(home_, pause_job(std::move(id), pause_options()), std::forward<Token>(token));
    }
    /// The same, for a time or with words for people.
    template <class Token = default_token>
    auto async_pause(job_id id, pause_options how, Token&& token = Token()) {
        return spawn_on(home_, pause_job(std::move(id), std::move(how)), std::forward<Token>(token));
    }

    /// Lets a paused job go on. One that is not paused, and not finished, stays as it is.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::unknown_job`.
    ///   - `errc::not_allowed`  it is finished, or its outcome is unknown.
    /// @par Cancellation
    ///   Any type, until the commit begins.
    /// @par Durability
    ///   On disk when it completes.
    template <class Token = default_token>
    auto async_resume(job_id id, Token&& token = Token()) {
        return spawn_on(home_, resume_job(std::move(id)), std::forward<Token>(token));
    }

    /// Pauses all jobs, or those of a lane, also those that are accepted later: one rule on the disk, however many jobs
    /// there are. They keep their places and their states; `snapshot::holds` shows the rule. A job runs when no rule
    /// and no pause of its own concerns it.
    ///
    /// When this completes, no byte of theirs is sent any more, also after a restart, until they are resumed. Transfers
    /// are interrupted as by pausing each job; with `pause_options::drain`, running jobs are delivered first, and this
    /// completes without waiting for them. Pausing again sets the time and the words anew.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::invalid_setting`  the time is negative or longer than ten years, or the words are too long.
    ///   - `errc::invalid_lane`  it cannot be the name of a lane.
    ///   - `errc::stopped`, and those of the store (`cause::storage`): nothing is paused.
    /// @par Cancellation
    ///   Any type, until the commit begins. After that it waits for transfers to stop, at the longest for the response
    ///   to a request that must not be repeated.
    /// @par Durability
    ///   On disk when it completes.
    template <class Token = default_token>
    requires(!std::is_same_v<std::remove_cvref_t<Token>, pause_options>) auto async_pause(selection which,
                                                                                          Token&& token = Token()) {
        return spawn_on(home_, pause_all(std::move(which), pause_options()), std::forward<Token>(token));
    }
    /// The same, for a time or with words for people.
    template <class Token = default_token>
    auto async_pause(selection which, pause_options how, Token&& token = Token()) {
        return spawn_on(home_, pause_all(std::move(which), std::move(how)), std::forward<Token>(token));
    }

    /// Removes the rule by which all jobs, or those of a lane, were paused. Without such a rule nothing changes. Jobs
    /// that were paused one by one stay paused.
    ///
    /// @par Completion signature
    ///   `void(std::error_code)`
    /// @par Errors
    ///   - `errc::invalid_lane`  it cannot be the name of a lane.
    ///   - `errc::stopped`, and those of the store (`cause::storage`): the rule stays.
    /// @par Cancellation
    ///   Any type, until the commit begins.
    /// @par Durability
    ///   On disk when it completes.
    template <class Token = default_token>
    auto async_resume(selection which, Token&& token = Token()) {
        return spawn_on(home_, resume_all(std::move(which)), std::forward<Token>(token));
    }

protected:
    using uploader_base::uploader_base;
    explicit job_control(uploader_base&& other) : uploader_base(std::move(other)) {}
};

}  // namespace waybill::detail
