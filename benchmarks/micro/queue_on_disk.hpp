// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/event.hpp>
#include <waybill/transport/transport.hpp>

#include "micro/loop.hpp"

#include <asio/detached.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace waybill::bench {

inline constexpr const char* target = "http://127.0.0.1:9/upload";

/// Says when the first request is made, and never answers it.
class first_request final : public transport {
public:
    explicit first_request(asio::any_io_executor executor) : seen_(executor), never_(std::move(executor)) {}

    asio::awaitable<response> perform(const request& /*what*/, transfer_progress& /*progress*/) override {
        seen_.set();
        co_await never_.wait();
        co_return response();
    }
    asio::awaitable<void> made() { co_await seen_.wait(); }

private:
    detail::event seen_;
    detail::event never_;
};

/// A store with queued jobs, closed.
class queue_on_disk {
public:
    explicit queue_on_disk(std::size_t count) {
        asio::io_context context{1};
        uploader up(context.get_executor(), idle_uploader::options_for(dir_));
        constexpr std::size_t batch = 10'000;
        for (std::size_t done = 0; done < count; done += batch) {
            std::vector<job> jobs;
            for (std::size_t i = 0; i < std::min(batch, count); ++i) {
                jobs.push_back(job(target).bytes("name", ""));
            }
            finish(context, up.async_enqueue(std::move(jobs), asio::use_awaitable));
        }
        finish(context, up.async_stop());
    }

    /// Opens it, delivers up to the first request, and stops.
    void open_to_first_request() const {
        asio::io_context context{1};
        const auto transport = std::make_shared<first_request>(context.get_executor());
        options how = idle_uploader::options_for(dir_);
        how.replace.transport = transport;
        uploader up(context.get_executor(), std::move(how));
        up.async_run(asio::detached);
        finish(context, transport->made());
        finish(context, up.async_stop());
    }

    [[nodiscard]] options options_for_it() const { return idle_uploader::options_for(dir_); }
    [[nodiscard]] store_options where() const { return {dir_ / "jobs.db", damaged_store::refuse}; }

private:
    test::temp_dir dir_;
};

}  // namespace waybill::bench
