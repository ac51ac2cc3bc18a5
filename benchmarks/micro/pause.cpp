// SPDX-License-Identifier: BSL-1.0
#include "micro/loop.hpp"
#include "micro/queue_on_disk.hpp"
#include "support/catch.hpp"

#include <asio/detached.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace waybill {
namespace {

/// An uploader on a queue, which delivers as far as it may.
struct running_queue {
    explicit running_queue(const bench::queue_on_disk& queue) {
        options how = queue.options_for_it();
        how.replace.transport = transport;
        up.emplace(context.get_executor(), std::move(how));
        bench::finish(context, up->async_pause(selection::all(), asio::use_awaitable));
        up->async_run(asio::detached);
    }
    running_queue(const running_queue&) = delete;
    running_queue& operator=(const running_queue&) = delete;
    ~running_queue() { bench::finish(context, up->async_stop()); }

    asio::io_context context{1};
    std::shared_ptr<bench::first_request> transport = std::make_shared<bench::first_request>(context.get_executor());
    std::optional<uploader> up;
};

TEST_CASE("a pause of everything costs the same, however long the queue is", "[pause]") {
    const bench::queue_on_disk few(10'000);
    const bench::queue_on_disk many(1'000'000);
    for (const auto& [queue, name] : {std::pair(&few, "10,000 jobs"), std::pair(&many, "1,000,000 jobs")}) {
        auto on = std::make_unique<running_queue>(*queue);
        BENCHMARK(std::string(name) + ": pause all, to durable") {
            bench::finish(on->context, on->up->async_pause(selection::all(), asio::use_awaitable));
        };
        BENCHMARK(std::string(name) + ": pause a lane, to durable") {
            bench::finish(on->context, on->up->async_pause(selection::lane("no lane"), asio::use_awaitable));
        };
        on.reset();  // a store has one process
        BENCHMARK_ADVANCED(std::string(name) + ": resume all, to the first request")
        (Catch::Benchmark::Chronometer meter) {
            running_queue held(*queue);
            meter.measure([&] {
                bench::finish(held.context, held.up->async_resume(selection::all(), asio::use_awaitable));
                bench::finish(held.context, held.transport->made());
            });
        };
    }
}

}  // namespace
}  // namespace waybill
