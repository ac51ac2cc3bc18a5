// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/platform/home_process.hpp>
#include <waybill/uploader.hpp>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <memory>
#include <thread>
#include <utility>

namespace waybill {

/// An uploader for apps without an Asio loop: it runs its own loop on its own thread, from construction to destruction.
/// After the store has failed for good, it is retried every few seconds; until then, feeds end with the error.
///
/// It may be a static object: it does not depend on anything that is destroyed before it.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: all member functions except destruction may be called from any thread.
///   Destroy it outside its own handlers.
/// @par Processes
///   It belongs to the process that made it, see `uploader`.
class background_uploader {
public:
    /// Opens the store and begins to deliver. Throws `waybill::error` when the store cannot be
    /// opened, see `uploader::async_run`.
    explicit background_uploader(options how);

    background_uploader(const background_uploader&) = delete;
    background_uploader& operator=(const background_uploader&) = delete;
    ~background_uploader();

    /// The uploader, for every other operation: `ui.get().async_cancel(id, …)`.
    [[nodiscard]] uploader& get() noexcept { return loop_->up; }
    uploader* operator->() noexcept { return &loop_->up; }

    /// Accepts a job and waits until it is safe on disk. Throws as `uploader::async_enqueue`. It blocks, so it must not
    /// be called from a handler of this uploader.
    job_id enqueue(job what);

    /// The newest snapshot, without waiting.
    [[nodiscard]] std::shared_ptr<const snapshot> latest() const noexcept { return loop_->up.latest(); }

private:
    /// What the thread works on. A forked child has no such thread, and does not touch any of this.
    struct loop {
        explicit loop(options how) : up(context.get_executor(), std::move(how)) {}

        detail::home_process process;
        asio::io_context context{1};
        asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
        asio::steady_timer pause{context};
        uploader up;
        std::thread thread;
    };

    void deliver();
    void end() noexcept;

    std::unique_ptr<loop> loop_;
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/background_uploader.ipp>
#endif
