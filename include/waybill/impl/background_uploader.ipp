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

WAYBILL_DECL background_uploader::background_uploader(options how)
    : uploader_(context_.get_executor(), std::move(how)) {
    thread_ = std::thread([this] { context_.run(); });
    try {
        uploader_.async_list(std::nullopt, 0, asio::use_future).get();
    } catch (...) {
        end();
        throw;
    }
    deliver();
}

// What is accepted is delivered: a run that the disk has ended is begun again, until it is the app that ends it.
WAYBILL_DECL void background_uploader::deliver() {
    uploader_.async_run([this](std::error_code ended) {
        if (!ended || ended == errc::stopped) {
            return;
        }
        pause_.expires_after(std::chrono::seconds(5));
        pause_.async_wait([this](std::error_code canceled) {
            if (!canceled) {
                deliver();
            }
        });
    });
}

WAYBILL_DECL background_uploader::~background_uploader() {
    end();
}

WAYBILL_DECL job_id background_uploader::enqueue(job what) {
    return uploader_.async_enqueue(std::move(what), asio::use_future).get();
}

WAYBILL_DECL void background_uploader::end() noexcept {
    try {
        uploader_.async_stop(asio::use_future).wait();
    } catch (...) {
        // Everything committed is safe; there is nobody left to tell.
    }
    asio::post(context_, [this] { pause_.cancel(); });
    work_.reset();
    if (thread_.joinable()) {
        thread_.join();
    }
}

}  // namespace waybill
