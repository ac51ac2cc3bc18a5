// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/background_uploader.hpp>

#include <asio/post.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

namespace waybill {

WAYBILL_DECL background_uploader::background_uploader(options how) : loop_(std::make_unique<loop>(std::move(how))) {
    loop_->thread = std::thread([all = loop_.get()] { all->context.run(); });
    try {
        loop_->up.async_list(std::nullopt, 0, asio::use_future).get();
    } catch (...) {
        end();
        throw;
    }
    deliver();
}

// Accepted jobs must be delivered: a run that ended because of the disk is restarted until the app ends it.
WAYBILL_DECL void background_uploader::deliver() {
    loop_->up.async_run([this](std::error_code ended) {
        if (!ended || ended == errc::stopped) {
            return;
        }
        loop_->pause.expires_after(std::chrono::seconds(5));
        loop_->pause.async_wait([this](std::error_code canceled) {
            if (!canceled) {
                deliver();
            }
        });
    });
}

WAYBILL_DECL background_uploader::~background_uploader() {
    if (loop_->process.left()) {
        detail::leave_alone(std::move(loop_));
    } else {
        end();
    }
}

WAYBILL_DECL job_id background_uploader::enqueue(job what) {
    return loop_->up.async_enqueue(std::move(what), asio::use_future).get();
}

WAYBILL_DECL void background_uploader::end() noexcept {
    try {
        loop_->up.async_stop(asio::use_future).wait();
    } catch (...) {
        // Everything committed is safe; there is no caller left to notify.
    }
    asio::post(loop_->context, [this] { loop_->pause.cancel(); });
    loop_->work.reset();
    if (loop_->thread.joinable()) {
        loop_->thread.join();
    }
}

}  // namespace waybill
