// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/waybill.hpp>

#include "support/temp_dir.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <future>
#include <string>
#include <utility>
#include <vector>

namespace waybill::bench {

/// Runs `context` until `work` has ended, and returns its result.
template <class Result>
Result finish(asio::io_context& context, asio::awaitable<Result> work) {
    std::future<Result> result = asio::co_spawn(context, std::move(work), asio::use_future);
    context.restart();
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        context.run_one();
    }
    return result.get();
}

/// A store of its own in a directory of its own, and an uploader on it that does not deliver.
class idle_uploader {
public:
    idle_uploader() : up(context.get_executor(), options_for(dir)) {}
    idle_uploader(const idle_uploader&) = delete;
    idle_uploader& operator=(const idle_uploader&) = delete;
    ~idle_uploader() { finish(context, up.async_stop()); }

    [[nodiscard]] static options options_for(const test::temp_dir& dir) {
        options how;
        how.store.path = dir / "jobs.db";
        return how;
    }

    test::temp_dir dir;
    asio::io_context context{1};
    uploader up;
};

/// A job of one small file.
[[nodiscard]] inline job file_job(const std::string& path) {
    job what("http://127.0.0.1:9/upload");
    what.file(path);
    return what;
}

[[nodiscard]] inline std::vector<job> file_jobs(const std::string& path, std::size_t count) {
    std::vector<job> jobs;
    for (std::size_t i = 0; i < count; ++i) {
        jobs.push_back(file_job(path));
    }
    return jobs;
}

}  // namespace waybill::bench
