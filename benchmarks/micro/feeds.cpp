// SPDX-License-Identifier: BSL-1.0
#include <waybill/testing/fake_transport.hpp>
#include <waybill/testing/memory_store.hpp>

#include "micro/loop.hpp"
#include "support/catch.hpp"

#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>

namespace waybill {
namespace {

constexpr std::size_t jobs = 1000;

/// Reads a snapshot ten times a second, like a user interface that has other things to do.
asio::awaitable<void> read_slowly(feed from) {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    for (;;) {
        const std::shared_ptr<const snapshot> now = co_await from.async_next();
        if (!now) {
            co_return;
        }
        pause.expires_after(std::chrono::milliseconds(100));
        co_await pause.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> deliver(uploader& up) {
    std::vector<job> all;
    for (std::size_t i = 0; i < jobs; ++i) {
        all.push_back(job("http://127.0.0.1:9/upload").bytes("name", "content"));
    }
    const std::vector<job_id> ids = co_await up.async_enqueue(std::move(all));
    co_await up.async_wait(ids.back());  // jobs of one lane go one after another
}

/// Delivers jobs from memory to memory, so that nothing but our own work is measured.
void deliver_with_feeds(std::size_t feeds) {
    asio::io_context context{1};
    const auto executor = context.get_executor();
    options how;
    how.replace.store = std::make_shared<testing::memory_store>(executor, std::make_shared<testing::memory_disk>());
    how.replace.transport = std::make_shared<testing::fake_transport>(
        executor, [](const testing::received_request&) { return testing::fake_transport::respond(201); });
    uploader up(executor, std::move(how));
    up.async_run(asio::detached);
    for (std::size_t i = 0; i < feeds; ++i) {
        asio::co_spawn(context, read_slowly(up.snapshots()), asio::detached);
    }
    bench::finish(context, deliver(up));
    bench::finish(context, up.async_stop());
}

TEST_CASE("slow feeds do not slow deliveries", "[feeds]") {
    BENCHMARK("1,000 jobs, no feed") {
        deliver_with_feeds(0);
    };
    BENCHMARK("1,000 jobs, 100 slow feeds") {
        deliver_with_feeds(100);
    };
}

}  // namespace
}  // namespace waybill
