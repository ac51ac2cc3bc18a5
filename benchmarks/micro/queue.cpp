// SPDX-License-Identifier: BSL-1.0
#include <waybill/http/url.hpp>
#include <waybill/store/sqlite_store.hpp>
#include <waybill/transport/transport.hpp>

#include "micro/loop.hpp"
#include "support/catch.hpp"

#include <asio/detached.hpp>
#include <asio/strand.hpp>

namespace waybill {
namespace {

constexpr const char* target = "http://127.0.0.1:9/upload";

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
        uploader up(context.get_executor(), bench::idle_uploader::options_for(dir_));
        constexpr std::size_t batch = 10'000;
        for (std::size_t done = 0; done < count; done += batch) {
            std::vector<job> jobs;
            for (std::size_t i = 0; i < std::min(batch, count); ++i) {
                jobs.push_back(job(target).bytes("name", ""));
            }
            bench::finish(context, up.async_enqueue(std::move(jobs), asio::use_awaitable));
        }
        bench::finish(context, up.async_stop());
    }

    /// Opens it, delivers up to the first request, and stops.
    void open_to_first_request() const {
        asio::io_context context{1};
        const auto transport = std::make_shared<first_request>(context.get_executor());
        options how = bench::idle_uploader::options_for(dir_);
        how.replace.transport = transport;
        uploader up(context.get_executor(), std::move(how));
        up.async_run(asio::detached);
        bench::finish(context, transport->made());
        bench::finish(context, up.async_stop());
    }

    [[nodiscard]] store_options where() const { return {dir_ / "jobs.db", damaged_store::refuse}; }

private:
    test::temp_dir dir_;
};

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
        const auto page = bench::finish(context, store.lane("", url(target).origin(), job_seq{}, 64));
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
