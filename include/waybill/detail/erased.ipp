// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/erased.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>

#include <utility>

namespace waybill::detail {

WAYBILL_DECL void post(const asio::any_io_executor& to, std::function<void()> work) {
    asio::post(to, std::move(work));
}

WAYBILL_DECL void spawn(const strand& on, task work, std::shared_ptr<asio::cancellation_signal> signal,
                        completion done) {
    asio::cancellation_slot slot = signal->slot();
    completion last = [signal = std::move(signal), done = std::move(done)](std::exception_ptr thrown) {
        done(std::move(thrown));
    };
    asio::co_spawn(on, std::move(work), asio::bind_cancellation_slot(slot, asio::bind_executor(on, std::move(last))));
}

WAYBILL_DECL void spawn(const strand& on, task work) {
    spawn(on, std::move(work), std::make_shared<asio::cancellation_signal>(), [](const std::exception_ptr&) {});
}

}  // namespace waybill::detail
