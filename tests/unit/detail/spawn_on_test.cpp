// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/event.hpp>
#include <waybill/detail/spawn_on.hpp>
#include <waybill/error.hpp>

#include "support/catch.hpp"
#include "unit/detail/loop.hpp"
#include "unit/detail/tracking_executor.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/use_future.hpp>

#include <functional>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>

namespace waybill::test {
namespace {

using detail::spawn_on;
using text_work = std::function<asio::awaitable<std::string>()>;
using void_work = std::function<asio::awaitable<void>()>;

asio::awaitable<std::string> give(std::string value) {
    co_return value;
}

asio::awaitable<std::string> fail() {
    throw error(errc::source_missing, "/photos/a.jpg");
    co_return std::string();
}

asio::awaitable<std::string> wait_and_give(std::shared_ptr<detail::event> until, std::string value) {
    co_await until->wait();
    co_return value;
}

// What a callback got, and where it ran.
struct call {
    int times = 0;
    bool on_tracker = false;
    std::error_code code;
    std::string value;
};

tracking_executor tracker_of(asio::io_context& context, std::shared_ptr<tracked> notes) {
    return {context.get_executor(), std::move(notes)};
}

TEST_CASE("a handler is called once, later, and on its own executor", "[detail][spawn_on]") {
    loop l;
    asio::io_context theirs;
    const auto notes = std::make_shared<tracked>();
    call c;
    text_work work = [] { return give("done"); };
    spawn_on<std::string>(l.strand, std::move(work),
                          asio::bind_executor(tracker_of(theirs, notes), [&](std::error_code code, std::string value) {
                              ++c.times;
                              c.on_tracker = notes->inside();
                              c.code = code;
                              c.value = std::move(value);
                          }));
    CHECK(c.times == 0);
    l.context.run();
    CHECK(c.times == 0);  // the work is done, the handler waits for its own executor
    CHECK(notes->submitted == 1);
    theirs.run();
    CHECK(c.times == 1);
    CHECK(c.on_tracker);
    CHECK_FALSE(c.code);
    CHECK(c.value == "done");
}

TEST_CASE("a handler without an executor of its own is posted to the strand", "[detail][spawn_on]") {
    loop l;
    int times = 0;
    bool inside_of_initiation = true;
    // Initiated on the strand itself, where calling at once would be possible.
    asio::post(l.strand, [&] {
        void_work work = []() -> asio::awaitable<void> { co_return; };
        spawn_on<void>(l.strand, std::move(work), [&](std::error_code code) {
            ++times;
            CHECK_FALSE(code);
            CHECK_FALSE(inside_of_initiation);
            CHECK(l.strand.running_in_this_thread());
        });
        inside_of_initiation = false;
        CHECK(times == 0);
    });
    l.context.run();
    CHECK(times == 1);
}

TEST_CASE("a handler is posted even when the work was done by its own executor", "[detail][spawn_on]") {
    // Both on one context: the handler must not run inside of the coroutine's last step.
    loop l;
    const auto notes = std::make_shared<tracked>();
    bool in_work = false;
    int times = 0;
    text_work work = [&]() -> asio::awaitable<std::string> {
        struct flag {
            explicit flag(bool& b) : on(b) { on = true; }
            ~flag() { on = false; }
            bool& on;
        };
        const flag f(in_work);
        co_return "x";
    };
    spawn_on<std::string>(l.strand, std::move(work),
                          asio::bind_executor(tracker_of(l.context, notes), [&](std::error_code, const std::string&) {
                              ++times;
                              CHECK_FALSE(in_work);
                              CHECK(notes->depth == 1);
                          }));
    l.context.run();
    CHECK(times == 1);
}

TEST_CASE("a callback gets the error code of what was thrown", "[detail][spawn_on]") {
    loop l;
    call c;
    const auto handler = [&](std::error_code code, std::string value) {
        ++c.times;
        c.code = code;
        c.value = std::move(value);
    };
    SECTION("of the library") {
        text_work work = [] { return fail(); };
        spawn_on<std::string>(l.strand, std::move(work), handler);
        l.context.run();
        CHECK(c.code == errc::source_missing);
    }
    SECTION("of the system") {
        text_work work = []() -> asio::awaitable<std::string> {
            throw std::system_error(std::make_error_code(std::errc::timed_out));
            co_return std::string();
        };
        spawn_on<std::string>(l.strand, std::move(work), handler);
        l.context.run();
        CHECK(c.code == std::errc::timed_out);
    }
    SECTION("for want of memory") {
        text_work work = []() -> asio::awaitable<std::string> {
            throw std::bad_alloc();
            co_return std::string();
        };
        spawn_on<std::string>(l.strand, std::move(work), handler);
        l.context.run();
        CHECK(c.code == std::errc::not_enough_memory);
    }
    SECTION("of anything else") {
        text_work work = []() -> asio::awaitable<std::string> {
            throw std::logic_error("a bug");
            co_return std::string();
        };
        spawn_on<std::string>(l.strand, std::move(work), handler);
        l.context.run();
        CHECK(c.code == std::errc::state_not_recoverable);
    }
    CHECK(c.times == 1);
    CHECK(c.value.empty());
}

TEST_CASE("an exception thrown before the coroutine exists reaches the handler as well", "[detail][spawn_on]") {
    loop l;
    std::error_code got;
    text_work work = []() -> asio::awaitable<std::string> { throw error(errc::stopped); };
    spawn_on<std::string>(l.strand, std::move(work), [&](std::error_code code, const std::string&) { got = code; });
    l.context.run();
    CHECK(got == errc::stopped);
}

TEST_CASE("use_awaitable gives the value, or throws the library's own exception", "[detail][spawn_on]") {
    loop l;
    std::string value;
    std::string text;
    bool ours = false;
    started caller(l.strand, [&]() -> asio::awaitable<void> {
        text_work good = [] { return give("done"); };
        value = co_await spawn_on<std::string>(l.strand, std::move(good), asio::use_awaitable);
        text_work bad = [] { return fail(); };
        try {
            value = co_await spawn_on<std::string>(l.strand, std::move(bad), asio::use_awaitable);
        } catch (const error& e) {
            ours = true;
            text = e.what();
        }
    });
    l.context.run();
    CHECK(caller.ended_well());
    CHECK(value == "done");
    CHECK(ours);
    CHECK(text.find("/photos/a.jpg") != std::string::npos);
    CHECK(text.find("correct the path") != std::string::npos);
}

TEST_CASE("use_future gives the value, or throws the library's own exception", "[detail][spawn_on]") {
    loop l;
    text_work good = [] { return give("done"); };
    std::future<std::string> value = spawn_on<std::string>(l.strand, std::move(good), asio::use_future);
    text_work bad = [] { return fail(); };
    std::future<std::string> failed = spawn_on<std::string>(l.strand, std::move(bad), asio::use_future);
    void_work nothing = []() -> asio::awaitable<void> { co_return; };
    std::future<void> done = spawn_on<void>(l.strand, std::move(nothing), asio::use_future);
    l.context.run();
    CHECK(value.get() == "done");
    CHECK_NOTHROW(done.get());
    try {
        failed.get();
        FAIL("the failure was lost");
    } catch (const error& e) {
        CHECK(e.details().detail == "/photos/a.jpg");
        CHECK(std::string(e.what()).find("/photos/a.jpg") != std::string::npos);
    }
}

TEST_CASE("as_tuple gives the error code and no exception", "[detail][spawn_on]") {
    loop l;
    std::optional<std::tuple<std::error_code, std::string>> good_result;
    std::optional<std::tuple<std::error_code, std::string>> bad_result;
    const started caller(l.strand, [&]() -> asio::awaitable<void> {
        text_work good = [] { return give("done"); };
        good_result = co_await spawn_on<std::string>(l.strand, std::move(good), detail::nothrow());
        text_work bad = [] { return fail(); };
        bad_result = co_await spawn_on<std::string>(l.strand, std::move(bad), detail::nothrow());
    });
    l.context.run();
    CHECK(caller.ended_well());
    REQUIRE(good_result);
    CHECK_FALSE(std::get<0>(*good_result));
    CHECK(std::get<1>(*good_result) == "done");
    REQUIRE(bad_result);
    CHECK(std::get<0>(*bad_result) == errc::source_missing);
}

TEST_CASE("a caller on another thread gets its answer on that thread's context", "[detail][spawn_on]") {
    loop l;
    auto keep_running = asio::make_work_guard(l.context);
    std::thread ours([&] { l.context.run(); });
    constexpr int calls = 500;
    int answered = 0;
    {
        asio::io_context theirs;
        for (int i = 0; i < calls; ++i) {
            text_work work = [i] { return give(std::to_string(i)); };
            spawn_on<std::string>(l.strand, std::move(work),
                                  asio::bind_executor(theirs, [&, i, here = std::this_thread::get_id()](
                                                                  std::error_code code, const std::string& value) {
                                      CHECK_FALSE(code);
                                      CHECK(value == std::to_string(i));
                                      CHECK(std::this_thread::get_id() == here);
                                      ++answered;
                                  }));
        }
        // Ends when all have been called: their context has had work all the time.
        CHECK(theirs.run() == calls);
    }
    CHECK(answered == calls);

    text_work work = [] { return give("from afar"); };
    CHECK(spawn_on<std::string>(l.strand, std::move(work), asio::use_future).get() == "from afar");
    keep_running.reset();
    ours.join();
}

TEST_CASE("the handler's context does not run out of work while the operation goes on", "[detail][spawn_on]") {
    loop l;
    asio::io_context theirs;
    const auto until = std::make_shared<detail::event>(l.strand);
    bool called = false;
    text_work work = [until] { return wait_and_give(until, "late"); };
    spawn_on<std::string>(l.strand, std::move(work),
                          asio::bind_executor(theirs, [&](std::error_code, const std::string&) { called = true; }));
    l.context.poll();
    theirs.poll();
    CHECK_FALSE(theirs.stopped());
    until->set();
    l.context.poll();
    theirs.poll();
    CHECK(called);
    CHECK(theirs.stopped());
}

TEST_CASE("cancellation reaches the operation, through the strand", "[detail][spawn_on]") {
    for (const auto type :
         {asio::cancellation_type::total, asio::cancellation_type::partial, asio::cancellation_type::terminal}) {
        loop l;
        asio::cancellation_signal signal;
        const auto never = std::make_shared<detail::event>(l.strand);
        call c;
        text_work work = [never] { return wait_and_give(never, "never"); };
        const auto handler = [&](std::error_code code, const std::string&) {
            ++c.times;
            c.code = code;
            c.on_tracker = signal.slot().has_handler();
        };
        spawn_on<std::string>(l.strand, std::move(work), asio::bind_cancellation_slot(signal.slot(), handler));
        CHECK(signal.slot().has_handler());
        l.context.poll();
        CHECK(c.times == 0);
        signal.emit(type);
        CHECK(c.times == 0);  // relayed, never done at once
        l.context.poll();
        CHECK(c.times == 1);
        CHECK(c.code == asio::error::operation_aborted);
        CHECK_FALSE(c.on_tracker);  // the slot was free again when the handler was called
        CHECK_FALSE(signal.slot().has_handler());
        signal.emit(type);  // too late, and harmless
        l.context.restart();
        l.context.poll();
        CHECK(c.times == 1);
    }
}

TEST_CASE("the slot is free when the handler of an uncanceled operation is called", "[detail][spawn_on]") {
    loop l;
    asio::cancellation_signal signal;
    bool free = false;
    void_work work = []() -> asio::awaitable<void> { co_return; };
    const auto handler = [&](std::error_code) { free = !signal.slot().has_handler(); };
    spawn_on<void>(l.strand, std::move(work), asio::bind_cancellation_slot(signal.slot(), handler));
    CHECK(signal.slot().has_handler());
    l.context.run();
    CHECK(free);
}

TEST_CASE("a cancellation that comes after the end changes nothing", "[detail][spawn_on]") {
    loop l;
    asio::io_context theirs;
    asio::cancellation_signal signal;
    call c;
    text_work work = [] { return give("done"); };
    const auto handler = [&](std::error_code code, std::string value) {
        ++c.times;
        c.code = code;
        c.value = std::move(value);
    };
    spawn_on<std::string>(l.strand, std::move(work),
                          asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(theirs, handler)));
    l.context.run();  // the work has ended, the handler was not called yet
    signal.emit(asio::cancellation_type::terminal);
    l.context.restart();
    l.context.run();
    theirs.run();
    CHECK(c.times == 1);
    CHECK_FALSE(c.code);
    CHECK(c.value == "done");
}

TEST_CASE("an awaiting coroutine passes its own cancellation on", "[detail][spawn_on]") {
    loop l;
    const auto never = std::make_shared<detail::event>(l.strand);
    started caller(l.strand, [&]() -> asio::awaitable<void> {
        text_work work = [never] { return wait_and_give(never, "never"); };
        static_cast<void>(co_await spawn_on<std::string>(l.strand, std::move(work), asio::use_awaitable));
    });
    l.context.poll();
    caller.cancel();
    l.context.poll();
    CHECK(caller.thrown() == asio::error::operation_aborted);
}

TEST_CASE("canceling one operation leaves another alone", "[detail][spawn_on]") {
    loop l;
    asio::cancellation_signal signal;
    const auto until = std::make_shared<detail::event>(l.strand);
    const auto other_until = std::make_shared<detail::event>(l.strand);
    std::error_code first;
    std::error_code second = errc::stopped;
    text_work work = [until] { return wait_and_give(until, ""); };
    text_work other = [other_until] { return wait_and_give(other_until, ""); };
    const auto first_handler = [&](std::error_code code, const std::string&) { first = code; };
    spawn_on<std::string>(l.strand, std::move(work), asio::bind_cancellation_slot(signal.slot(), first_handler));
    spawn_on<std::string>(l.strand, std::move(other), [&](std::error_code code, const std::string&) { second = code; });
    l.context.poll();
    signal.emit(asio::cancellation_type::terminal);
    l.context.poll();
    CHECK(first == asio::error::operation_aborted);
    CHECK(second == errc::stopped);
    other_until->set();
    l.context.poll();
    CHECK_FALSE(second);
}

TEST_CASE("a context that is destroyed in the middle destroys handler and coroutine uncalled", "[detail][spawn_on]") {
    int alive = 0;
    int called = 0;
    std::future<std::string> promised;
    {
        auto l = std::make_unique<loop>();
        const witness one(alive);
        text_work work = [never = std::make_shared<detail::event>(l->strand), one] {
            return wait_and_give(never, "never");
        };
        spawn_on<std::string>(l->strand, std::move(work), [&, one](std::error_code, const std::string&) { ++called; });
        text_work other = [never = std::make_shared<detail::event>(l->strand), one] {
            return wait_and_give(never, "never");
        };
        promised = spawn_on<std::string>(l->strand, std::move(other), asio::use_future);
        l->context.poll();
        l.reset();
        CHECK(alive == 1);
    }
    CHECK(called == 0);
    CHECK_THROWS_AS(promised.get(), std::future_error);
}

TEST_CASE("values need not be copyable", "[detail][spawn_on]") {
    loop l;
    std::function<asio::awaitable<std::unique_ptr<int>>()> work = []() -> asio::awaitable<std::unique_ptr<int>> {
        co_return std::make_unique<int>(7);
    };
    auto promised = spawn_on<std::unique_ptr<int>>(l.strand, std::move(work), asio::use_future);
    l.context.run();
    CHECK(*promised.get() == 7);
}

TEST_CASE("handlers need not be copyable", "[detail][spawn_on]") {
    loop l;
    int got = 0;
    void_work work = []() -> asio::awaitable<void> { co_return; };
    spawn_on<void>(l.strand, std::move(work),
                   [&got, kept = std::make_unique<int>(5)](std::error_code) { got = *kept; });
    l.context.run();
    CHECK(got == 5);
}

}  // namespace
}  // namespace waybill::test
