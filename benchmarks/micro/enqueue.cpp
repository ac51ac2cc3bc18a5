// SPDX-License-Identifier: BSL-1.0
#include "micro/bare_database.hpp"
#include "micro/loop.hpp"
#include "support/catch.hpp"

#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

namespace waybill {
namespace {

asio::awaitable<void> enqueue_one(uploader& up, std::string path) {
    job what = bench::file_job(path);
    co_await up.async_enqueue(std::move(what));
}

asio::awaitable<void> enqueue_many(uploader& up, std::string path, std::size_t count) {
    std::vector<job> jobs = bench::file_jobs(path, count);
    co_await up.async_enqueue(std::move(jobs));
}

asio::awaitable<void> one_after_another(uploader& up, std::string path, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        co_await enqueue_one(up, path);
    }
}

void at_once(bench::idle_uploader& idle, const std::string& path, std::size_t count) {
    std::size_t left = count;
    for (std::size_t i = 0; i < count; ++i) {
        idle.up.async_enqueue(bench::file_job(path), [&left](std::error_code, const job_id&) { --left; });
    }
    idle.context.restart();
    while (left > 0) {
        idle.context.run_one();
    }
}

TEST_CASE("enqueueing a job costs one synced commit", "[enqueue]") {
    bench::idle_uploader idle;
    const std::string path = idle.dir.write("file", "content");
    bench::bare_database bare(idle.dir / "bare.db");
    bench::bare_rows rows(idle.dir / "rows.db");
    asio::thread_pool other(1);

    BENCHMARK("a bare SQLite commit") {
        bare.insert();
    };
    BENCHMARK("the rows of a job by bare SQLite") {
        rows.insert(1);
    };
    BENCHMARK("the same, done by another thread") {
        asio::post(other, asio::use_future([&] { rows.insert(1); })).get();
    };
    BENCHMARK("async_enqueue of one job") {
        bench::finish(idle.context, enqueue_one(idle.up, path));
    };
}

TEST_CASE("jobs in one call share one commit", "[enqueue]") {
    bench::idle_uploader idle;
    const std::string path = idle.dir.write("file", "content");
    bench::bare_rows rows(idle.dir / "rows.db");

    BENCHMARK("the rows of 1,000 jobs by bare SQLite") {
        rows.insert(1000);
    };
    BENCHMARK("async_enqueue of one job") {
        bench::finish(idle.context, enqueue_one(idle.up, path));
    };
    BENCHMARK("async_enqueue of 1,000 jobs in one call") {
        bench::finish(idle.context, enqueue_many(idle.up, path, 1000));
    };
}

TEST_CASE("concurrent calls share syncs", "[enqueue]") {
    bench::idle_uploader idle;
    const std::string path = idle.dir.write("file", "content");

    BENCHMARK("64 jobs, at once") {
        at_once(idle, path, 64);
    };
    BENCHMARK("64 jobs, one after another") {
        bench::finish(idle.context, one_after_another(idle.up, path, 64));
    };
}

}  // namespace
}  // namespace waybill
