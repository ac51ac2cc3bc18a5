// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/worker.hpp>
#include <waybill/error.hpp>

#include "support/catch.hpp"
#include "unit/detail/loop.hpp"

#include <asio/error.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace waybill::test {
namespace {

using detail::worker;

asio::awaitable<void> keep(worker& w, std::function<std::string()> work, std::string& result, std::thread::id& on) {
    result = co_await w.run(std::move(work));
    on = std::this_thread::get_id();
}

TEST_CASE("a worker computes on its own thread and answers on the strand", "[detail][worker]") {
    loop l;
    worker w(l.strand);
    std::thread::id worked_on;
    std::thread::id answered_on;
    std::string result;
    const started job(l.strand, [&] {
        std::function<std::string()> work = [&] {
            worked_on = std::this_thread::get_id();
            return std::string("forty-two");
        };
        return keep(w, std::move(work), result, answered_on);
    });
    l.context.run();
    CHECK(job.ended_well());
    CHECK(result == "forty-two");
    CHECK(worked_on != std::thread::id());
    CHECK(worked_on != std::this_thread::get_id());
    CHECK(answered_on == std::this_thread::get_id());
}

asio::awaitable<void> run_void(worker& w, std::function<void()> work) {
    co_await w.run_void(std::move(work));
}

TEST_CASE("what work throws is thrown where it is awaited", "[detail][worker]") {
    loop l;
    worker w(l.strand);
    const started job(l.strand,
                      [&] { return run_void(w, [] { throw error(errc::source_missing, "/photos/a.jpg"); }); });
    l.context.run();
    CHECK(job.thrown() == errc::source_missing);

    // The worker goes on.
    bool ran = false;
    l.context.restart();
    const started next(l.strand, [&] { return run_void(w, [&] { ran = true; }); });
    l.context.run();
    CHECK(next.ended_well());
    CHECK(ran);
}

TEST_CASE("work runs in the order in which it was given", "[detail][worker]") {
    loop l;
    std::vector<int> order;  // of the worker's thread alone, until it is joined
    {
        worker w(l.strand);
        for (int i = 0; i < 100; ++i) {
            w.post([&order, i] { order.push_back(i); });
        }
    }
    REQUIRE(order.size() == 100);  // the end of a worker waits for what it was given
    for (int i = 0; i < 100; ++i) {
        CHECK(order[static_cast<std::size_t>(i)] == i);
    }
}

TEST_CASE("work that was begun is seen to its end although its coroutine is canceled", "[detail][worker]") {
    loop l;
    worker w(l.strand);
    std::promise<void> go;
    std::atomic<bool> finished = false;
    started job(l.strand, [&] {
        return run_void(w, [&, wait = go.get_future().share()] {
            wait.wait();
            finished = true;
        });
    });
    l.context.poll();
    job.cancel();
    l.context.poll();
    CHECK_FALSE(job.over());
    go.set_value();
    l.context.run();
    CHECK(finished);
    CHECK(job.ended_well());
}

// Opens the latch when it is destroyed with the frame it is in.
struct opens_at_end {
    explicit opens_at_end(std::promise<void>& latch) : opened(&latch) {}
    opens_at_end(const opens_at_end&) = delete;
    opens_at_end& operator=(const opens_at_end&) = delete;
    ~opens_at_end() { opened->set_value(); }
    std::promise<void>* opened;
};

asio::awaitable<void> hold_worker(std::shared_ptr<worker> w, std::function<void()> work, std::promise<void>& latch,
                                  witness /*in_frame*/) {
    const opens_at_end end(latch);  // before the worker, whose own end waits for the work
    co_await w->run_void(std::move(work));
}

TEST_CASE("a context may be destroyed while work for it is running", "[detail][worker]") {
    int frames = 0;
    std::atomic<bool> begun = false;
    std::atomic<bool> finished = false;
    std::promise<void> go;
    auto l = std::make_unique<loop>();
    auto w = std::make_shared<worker>(l->strand);
    const std::weak_ptr<worker> seen = w;
    {
        const witness one(frames);
        std::function<void()> work = [&, wait = go.get_future().share()] {
            begun = true;
            wait.wait();
            finished = true;
        };
        detail::spawn(l->strand, [w, work, &go, one] { return hold_worker(w, work, go, one); });
        w.reset();
        l->context.poll();
    }
    while (!begun) {
        std::this_thread::yield();
    }
    CHECK(frames > 0);
    l.reset();
    CHECK(finished);
    CHECK(frames == 0);
    CHECK(seen.expired());
}

TEST_CASE("an outcome that nobody waits for any more is dropped", "[detail][worker]") {
    // The worker outlives the coroutine, its outcome arrives on a strand that still runs.
    loop l;
    worker w(l.strand);
    auto abandoned = std::make_shared<detail::ticket>();
    detail::worker::deliver(*w.door(), abandoned, std::make_exception_ptr(error(errc::stopped)));
    l.context.run();
    CHECK(abandoned->settled);
    CHECK(abandoned->thrown != nullptr);
}

TEST_CASE("a closed door lets nothing through", "[detail][worker]") {
    loop l;
    const auto door = detail::return_door::open(l.strand);
    int through = 0;
    door->post([&] { ++through; });
    l.context.run();
    CHECK(through == 1);
    door->close();
    door->post([&] { ++through; });
    l.context.restart();
    CHECK(l.context.run() == 0);
    CHECK(through == 1);
}

TEST_CASE("a door is closed by the end of its context", "[detail][worker]") {
    std::shared_ptr<detail::return_door> door;
    {
        loop l;
        door = detail::return_door::open(l.strand);
    }
    bool through = false;
    door->post([&] { through = true; });  // would touch a destroyed context
    CHECK_FALSE(through);
}

}  // namespace
}  // namespace waybill::test
