// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/erased.hpp>
#include <waybill/detail/event.hpp>
#include <waybill/platform/home_process.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>

namespace asio {
class thread_pool;
}

namespace waybill::detail {

/// Posts from another thread to an executor, until the executor's context dies.
///
/// A thread that finishes late must not post to a destroyed io_context. Asio offers no way to ask, so the door is
/// registered with a service whose shutdown, which Asio runs before any service is destroyed, closes it under the same
/// lock that `post` takes.
class return_door {
public:
    explicit return_door(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    void post(std::function<void()> work) {
        const std::lock_guard lock(mutex_);
        if (executor_) {
            detail::post(executor_, std::move(work));
        }
    }

    void close() {
        const std::lock_guard lock(mutex_);
        executor_ = {};
    }

    static std::shared_ptr<return_door> open(const asio::any_io_executor& executor);

private:
    std::mutex mutex_;
    asio::any_io_executor executor_;
};

/// Something that happens on another thread and is awaited on the strand. The coroutine that
/// waits may be destroyed first: then `waiter` is cleared, and the outcome is dropped.
struct ticket {
    std::exception_ptr thrown;
    bool settled = false;
    event* waiter = nullptr;

    /// Called on the strand.
    void settle(std::exception_ptr outcome) {
        thrown = std::move(outcome);
        settled = true;
        if (waiter != nullptr) {
            waiter->set();
        }
    }
};

/// One thread for blocking work, awaited from the strand. Work runs in the order it was given.
class worker {
public:
    explicit worker(const strand& home);

    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    ~worker();

    /// Runs `work` on the thread and completes with what it returns or throws. Not cancellable: work that was started
    /// is completed, so its effect is always known.
    template <class Result>
    asio::awaitable<Result> run(std::function<Result()> work) {
        auto result = std::make_shared<std::optional<Result>>();
        std::function<void()> keep = [work = std::move(work), result] { result->emplace(work()); };
        co_await run_void(std::move(keep));
        co_return std::move(**result);
    }

    asio::awaitable<void> run_void(std::function<void()> work);

    /// Hands `work` to the thread without waiting.
    void post(std::function<void()> work);

    /// Waits on the strand until `deliver` was called for this ticket; throws the exception it was given.
    asio::awaitable<void> settled(std::shared_ptr<ticket> pending);

    /// Called on the thread: brings the outcome to the strand and wakes the waiter. If there is no memory for that, it
    /// waits for some: the caller must be notified.
    static void deliver(return_door& door, const std::shared_ptr<ticket>& pending, std::exception_ptr thrown) noexcept {
        for (;;) {
            try {
                door.post([pending, thrown] { pending->settle(thrown); });
                return;
            } catch (const std::bad_alloc&) {
                std::this_thread::sleep_for(std::chrono::milliseconds(10));
            }
        }
    }

    [[nodiscard]] const std::shared_ptr<return_door>& door() const noexcept { return door_; }

    /// In a forked child its thread does not exist, and the objects it worked on belong to the parent.
    [[nodiscard]] bool is_inherited() const noexcept { return process_.left(); }

private:
    struct waiting_mark {
        ticket& pending;
        waiting_mark(ticket& p, event* waiter) : pending(p) { pending.waiter = waiter; }
        waiting_mark(const waiting_mark&) = delete;
        waiting_mark& operator=(const waiting_mark&) = delete;
        ~waiting_mark() { pending.waiter = nullptr; }
    };

    home_process process_;
    strand home_;
    std::shared_ptr<return_door> door_;
    std::shared_ptr<asio::thread_pool> thread_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/detail/worker.ipp>
#endif
