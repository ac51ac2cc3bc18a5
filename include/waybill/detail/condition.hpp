// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/event.hpp>

#include <list>
#include <utility>

namespace waybill::detail {

/// A condition variable for coroutines of one strand: `while (!ready) co_await changed.wait();`
///
/// Costs nothing while no coroutine waits. It must outlive the coroutines that wait.
class condition {
public:
    explicit condition(strand home) : home_(std::move(home)) {}
    condition(const condition&) = delete;
    condition& operator=(const condition&) = delete;
    ~condition() = default;

    void notify_all() {
        for (event* waiter : waiting_) {
            waiter->set();
        }
    }

    /// Completes at the next `notify_all`. Throws `operation_aborted` when canceled.
    asio::awaitable<void> wait() {
        event waiter(home_);
        const registration listed(waiting_, &waiter);
        co_await waiter.wait();
    }

    /// The same, out of reach of cancellation.
    asio::awaitable<void> wait_uncancellable() {
        event waiter(home_);
        const registration listed(waiting_, &waiter);
        co_await waiter.wait_uncancellable();
    }

private:
    // Removed from the list also when the coroutine is canceled or destroyed.
    struct registration {
        registration(std::list<event*>& list, event* waiter) : list_(list), place_(list.insert(list.end(), waiter)) {}
        registration(const registration&) = delete;
        registration& operator=(const registration&) = delete;
        ~registration() { list_.erase(place_); }

        std::list<event*>& list_;
        std::list<event*>::iterator place_;
    };

    strand home_;
    std::list<event*> waiting_;
};

}  // namespace waybill::detail
