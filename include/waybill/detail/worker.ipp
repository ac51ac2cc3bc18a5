// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/worker.hpp>

#include <asio/execution/context.hpp>
#include <asio/execution_context.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>
#include <asio/thread_pool.hpp>

#include <vector>

namespace waybill::detail {

class return_door_service final : public asio::execution_context::service {
public:
    using key_type = return_door_service;
    static inline asio::execution_context::id id;

    explicit return_door_service(asio::execution_context& context) : service(context) {}

    void add(const std::shared_ptr<return_door>& door) {
        const std::lock_guard lock(mutex_);
        std::erase_if(doors_, [](const auto& weak) { return weak.expired(); });
        doors_.push_back(door);
    }

private:
    void shutdown() override {
        const std::lock_guard lock(mutex_);
        for (const auto& weak : doors_) {
            if (const auto door = weak.lock()) {
                door->close();
            }
        }
    }

    std::mutex mutex_;
    std::vector<std::weak_ptr<return_door>> doors_;
};

WAYBILL_DECL std::shared_ptr<return_door> return_door::open(const asio::any_io_executor& executor) {
    auto door = std::make_shared<return_door>(executor);
    asio::use_service<return_door_service>(asio::query(executor, asio::execution::context)).add(door);
    return door;
}

WAYBILL_DECL worker::worker(const strand& home)
    : home_(home), door_(return_door::open(home)), thread_(std::make_shared<asio::thread_pool>(1)) {}

WAYBILL_DECL worker::~worker() {
    if (is_inherited()) {
        leave_alone(std::move(thread_));
        return;
    }
    door_->close();
    thread_->join();
}

WAYBILL_DECL void worker::post(std::function<void()> work) {
    asio::post(*thread_, std::move(work));
}

WAYBILL_DECL asio::awaitable<void> worker::run_void(std::function<void()> work) {
    auto pending = std::make_shared<ticket>();
    post([work = std::move(work), pending, door = door_] {
        std::exception_ptr thrown;
        try {
            work();
        } catch (...) {
            thrown = std::current_exception();
        }
        deliver(*door, pending, std::move(thrown));
    });
    co_await settled(pending);
}

WAYBILL_DECL asio::awaitable<void> worker::settled(std::shared_ptr<ticket> pending) {
    if (!pending->settled) {
        event done(home_);
        const waiting_mark mark(*pending, &done);
        co_await done.wait_uncancellable();
    }
    if (pending->thrown) {
        std::rethrow_exception(pending->thrown);
    }
}

}  // namespace waybill::detail
