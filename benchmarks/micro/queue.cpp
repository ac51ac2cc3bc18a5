// SPDX-License-Identifier: BSL-1.0
#include <waybill/http/url.hpp>
#include <waybill/store/sqlite_store.hpp>

#include "micro/loop.hpp"
#include "micro/queue_on_disk.hpp"
#include "support/catch.hpp"

#include <asio/strand.hpp>

namespace waybill {
namespace {

using bench::queue_on_disk;

/// The store of a queue, open.
struct open_queue {
    explicit open_queue(const queue_on_disk& queue) : store(home, queue.where()) {
        bench::finish(context, store.open());
    }
    open_queue(const open_queue&) = delete;
    open_queue& operator=(const open_queue&) = delete;
    ~open_queue() { bench::finish(context, store.close()); }

    /// What the engine reads to schedule a lane's next 64 jobs and to begin the first of them.
    std::size_t schedule() {
        const auto page = bench::finish(context, store.lane("", url(bench::target).origin(), job_seq{}, 64));
        return bench::finish(context, store.load(page.front().seq))->items.size();
    }

    asio::io_context context{1};
    detail::strand home = asio::make_strand(context.get_executor());
    sqlite_store store;
};

TEST_CASE("a queue opens and goes on at the same cost, however long it is", "[queue]") {
    const queue_on_disk few(100);
    const queue_on_disk many(1'000'000);

    BENCHMARK("100 jobs: open, first request, stop") {
        few.open_to_first_request();
    };
    BENCHMARK("1,000,000 jobs: open, first request, stop") {
        many.open_to_first_request();
    };
    open_queue short_queue(few);
    open_queue long_queue(many);
    BENCHMARK("100 jobs: read the next 64, load one") {
        return short_queue.schedule();
    };
    BENCHMARK("1,000,000 jobs: read the next 64, load one") {
        return long_queue.schedule();
    };
}

}  // namespace
}  // namespace waybill
