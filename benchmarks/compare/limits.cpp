// SPDX-License-Identifier: BSL-1.0
//
// What the length of the queue costs: programs that do one thing with a store, for others to measure.
//   compare_limits nothing | fill STORE JOBS | fill-waiting STORE JOBS | open STORE | idle STORE SECONDS
#include <waybill/detail/event.hpp>
#include <waybill/transport/transport.hpp>
#include <waybill/waybill.hpp>

#include "compare/order.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

namespace {

using waybill::bench::give_up;

/// A network that lets the first request be seen, and is never reached.
class no_network final : public waybill::transport {
public:
    explicit no_network(asio::any_io_executor executor) : seen_(executor), never_(std::move(executor)) {}

    asio::awaitable<waybill::response> perform(const waybill::request& /*what*/,
                                               waybill::transfer_progress& /*progress*/) override {
        seen_.set();
        co_await never_.wait();
        co_return waybill::response();
    }
    asio::awaitable<void> first_request() { co_await seen_.wait(); }

private:
    waybill::detail::event seen_;
    waybill::detail::event never_;
};

asio::awaitable<void> fill(waybill::uploader& up, std::size_t count, std::string url) {
    constexpr std::size_t batch = 10'000;
    for (std::size_t done = 0; done < count; done += batch) {
        std::vector<waybill::job> jobs;
        for (std::size_t i = 0; i < std::min(batch, count); ++i) {
            jobs.push_back(waybill::job(url).lane(std::to_string(i % 100)).bytes("name", ""));
        }
        co_await up.async_enqueue(std::move(jobs));
    }
    co_await up.async_stop();
}

asio::awaitable<void> open(waybill::uploader& up, std::shared_ptr<no_network> network) {
    co_await network->first_request();
    co_await up.async_stop();
}

asio::awaitable<void> idle(waybill::uploader& up, int seconds) {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::seconds(seconds));
    co_await timer.async_wait(asio::use_awaitable);
    co_await up.async_stop();
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.empty()) {
        give_up("usage: compare_limits nothing | fill STORE JOBS | open STORE | idle STORE SECONDS");
    }
    if (words[0] == "nothing") {
        return 0;
    }
    asio::io_context context{1};
    waybill::options how;
    how.store.path = words.at(1);
    // Waiting jobs are those whose host is down: nobody listens there, and they try again in an hour.
    how.retry.base = how.retry.floor = how.retry.cap = std::chrono::hours(1);
    how.retry.host_pause = how.retry.host_pause_cap = std::chrono::hours(1);
    how.max_concurrent_jobs = words[0] == "open" ? 4 : 100;
    const auto network = std::make_shared<no_network>(context.get_executor());
    if (words[0] == "open") {
        how.replace.transport = network;
    }
    waybill::uploader up(context.get_executor(), std::move(how));
    const auto spawn = [&](asio::awaitable<void> work) {
        asio::co_spawn(context, std::move(work), [](const std::exception_ptr& thrown) {
            if (thrown) {
                std::rethrow_exception(thrown);
            }
        });
    };
    if (words[0] == "fill" || words[0] == "fill-waiting") {
        spawn(fill(up, std::stoul(words.at(2)), "http://127.0.0.1:1/upload"));
    } else {
        up.async_run(asio::detached);
        if (words[0] == "open") {
            spawn(open(up, network));
        } else {
            spawn(idle(up, std::stoi(words.at(2))));
        }
    }
    context.run();
}
