// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/uploader.hpp>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <memory>
#include <thread>

namespace waybill {

/// An uploader for apps without an Asio loop: it has its own, on a thread of its own, and runs
/// from construction to destruction. When the store has failed for good it is tried again every few seconds; feeds end
/// with the error meanwhile.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: all member functions but destruction may be called
///   from any thread. Destroy it outside of its own handlers.
class background_uploader {
public:
    /// Opens the store and begins to deliver. Throws `waybill::error` when an option can only be a mistake, and when
    /// the store cannot be opened, see `uploader::async_run`.
    explicit background_uploader(options how);

    background_uploader(const background_uploader&) = delete;
    background_uploader& operator=(const background_uploader&) = delete;
    ~background_uploader();

    /// The uploader, for everything it can do: `ui.get().async_cancel(id, …)`.
    [[nodiscard]] uploader& get() noexcept { return uploader_; }
    uploader* operator->() noexcept { return &uploader_; }

    /// Accepts a job and waits until it is safe on disk. Throws as `uploader::async_enqueue`. Not
    /// to be called from a handler of this uploader: it blocks.
    job_id enqueue(job what);

    /// The newest snapshot, without waiting.
    [[nodiscard]] std::shared_ptr<const snapshot> latest() const noexcept { return uploader_.latest(); }

private:
    void deliver();
    void end() noexcept;

    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context_);
    asio::steady_timer pause_{context_};
    uploader uploader_;
    std::thread thread_;
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/impl/background_uploader.ipp>
#endif
