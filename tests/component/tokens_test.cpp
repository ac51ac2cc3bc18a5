// SPDX-License-Identifier: BSL-1.0
#include "component/world.hpp"

#include <asio/bind_allocator.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/strand.hpp>
#include <asio/use_future.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

// Every completion token that Asio has, on an uploader in memory.
namespace waybill::test {
namespace {

#if __has_include(<asio/deferred.hpp>)
using asio::deferred;
#else
using asio::experimental::deferred;
#endif
using detail::as_tuple;

const std::string missing_file = "/photos/missing.jpg";

/// A job that is refused: its file does not exist.
job refused() {
    job j("http://server.test/files/");
    j.file(missing_file);
    return j;
}

job accepted(const std::string& name) {
    job j("http://server.test/files/");
    j.bytes(name, "x");
    return j;
}

/// What a coroutine caught: the library's exception, with the file's name.
struct caught {
    bool ours = false;
    std::string detail;
};

template <class Start>
caught thrown_by(world& w, Start start) {
    caught what;
    const auto body = [&]() -> asio::awaitable<void> {
        try {
            co_await start();
        } catch (const error& e) {
            what.ours = e.code() == errc::source_missing;
            what.detail = e.details().detail;
        } catch (const std::system_error&) {
            what.ours = false;
        }
    };
    run<void>(w.context(), body);
    return what;
}

/// Counts what is allocated by its copies.
template <class T>
struct counting_allocator {
    using value_type = T;
    explicit counting_allocator(int& alive) : count(&alive) {}
    template <class U>
    counting_allocator(const counting_allocator<U>& other) : count(other.count) {}
    T* allocate(std::size_t n) {
        ++*count;
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* at, std::size_t n) {
        --*count;
        std::allocator<T>().deallocate(at, n);
    }
    bool operator==(const counting_allocator& other) const { return count == other.count; }
    int* count;
};

}  // namespace

TEST_CASE("every token that throws throws the library's own exception, which names the file", "[tokens]") {
    surroundings around;
    world w(around);
    const auto expect = [](const caught& what) {
        CHECK(what.ours);
        CHECK_THAT(what.detail, Catch::Contains(missing_file));
    };
    const auto strand = asio::make_strand(w.context());
    asio::cancellation_signal signal;
    int allocated = 0;
    expect(thrown_by(w, [&] { return w.up().async_enqueue(refused()); }));
    expect(thrown_by(w, [&] { return w.up().async_enqueue(refused(), asio::use_awaitable); }));
    expect(thrown_by(
        w, [&] { return w.up().async_enqueue(refused(), asio::bind_executor(strand, asio::use_awaitable)); }));
    expect(thrown_by(w, [&] {
        return w.up().async_enqueue(refused(), asio::bind_cancellation_slot(signal.slot(), asio::use_awaitable));
    }));
    expect(thrown_by(w, [&] {
        const counting_allocator<void> own(allocated);
        return w.up().async_enqueue(refused(), asio::bind_allocator(own, asio::use_awaitable));
    }));
    expect(thrown_by(w, [&] { return w.up().async_enqueue(refused(), deferred)(asio::use_awaitable); }));
    std::future<job_id> later = w.up().async_enqueue(refused(), asio::use_future);
    w.settle();
    CHECK_THROWS_AS(later.get(), error);
#if __has_include(<asio/cancel_after.hpp>)
    using namespace std::chrono_literals;
    expect(thrown_by(w, [&] { return w.up().async_enqueue(refused(), deferred); }));
    expect(thrown_by(w, [&] { return w.up().async_enqueue(refused(), asio::cancel_after(5s, asio::use_awaitable)); }));
    expect(thrown_by(w, [&] { return w.up().async_enqueue(refused(), asio::cancel_after(5s)); }));
    asio::steady_timer timer(w.context());
    expect(thrown_by(
        w, [&] { return w.up().async_enqueue(refused(), asio::cancel_after(timer, 5s, asio::use_awaitable)); }));
#endif
    CHECK(allocated == 0);
}

TEST_CASE("tokens that name a code get the code, and throw nothing", "[tokens]") {
    surroundings around;
    world w(around);
    const auto as_code = [&]() -> asio::awaitable<void> {
        const auto [code, id] = co_await w.up().async_enqueue(refused(), as_tuple(asio::use_awaitable));
        CHECK(code == errc::source_missing);
        CHECK(id.empty());
        std::error_code redirected;
        const job_id none =
            co_await w.up().async_enqueue(refused(), asio::redirect_error(asio::use_awaitable, redirected));
        CHECK(redirected == errc::source_missing);
        CHECK(none.empty());
        const auto [bound, same] = co_await w.up().async_enqueue(
            refused(), as_tuple(asio::bind_executor(asio::make_strand(w.context()), asio::use_awaitable)));
        CHECK(bound == errc::source_missing);
    };
    run<void>(w.context(), as_code);
}

TEST_CASE("a callback is given the code, or, when it takes that, what was thrown with all its details", "[tokens]") {
    surroundings around;
    world w(around);
    std::error_code code;
    std::string text;
    std::string bound;
    w.up().async_enqueue(refused(), [&](std::error_code ec, const job_id&) { code = ec; });
    w.up().async_enqueue(refused(), [&](auto ec, const auto&) { CHECK(ec == errc::source_missing); });
    w.up().async_enqueue(
        refused(), [&](const std::exception_ptr& thrown, const job_id&) { text = to_error(thrown).details().detail; });
    w.up().async_enqueue(refused(), asio::bind_executor(w.context(), [&](std::exception_ptr thrown, job_id) {
                             bound = to_error(thrown).what();
                         }));
    std::exception_ptr no_failure = std::make_exception_ptr(0);
    w.up().async_enqueue(accepted("a"), [&](std::exception_ptr thrown, job_id) { no_failure = std::move(thrown); });
    w.settle();
    CHECK(code == errc::source_missing);
    CHECK_THAT(text, Catch::Contains(missing_file));
    CHECK_THAT(bound, Catch::Contains(missing_file));
    CHECK(no_failure == nullptr);
}

TEST_CASE("what is canceled is thrown as the library's exception, too", "[tokens]") {
    surroundings around;
    world w(around);
    const job_id id(w.add(accepted("a")));
    asio::cancellation_signal signal;
    std::error_code code;
    bool ours = false;
    const auto body = [&]() -> asio::awaitable<void> {
        try {
            co_await w.up().async_wait(id, asio::bind_cancellation_slot(signal.slot(), asio::use_awaitable));
        } catch (const error& e) {
            ours = true;
            code = e.code();
        }
    };
    asio::co_spawn(w.context(), body, asio::detached);
    w.settle();
    signal.emit(asio::cancellation_type::terminal);
    w.settle();
    CHECK(ours);
    CHECK(code == asio::error::operation_aborted);
    CHECK(code == cause::canceled);
}

TEST_CASE("a deferred operation that is started twice is two operations, each with its own copy of the job",
          "[tokens]") {
    surroundings around;
    world w(around);
    std::vector<job_id> ids;
    const auto note = [&](const std::exception_ptr& thrown, const job_id& id) {
        CHECK(thrown == nullptr);
        ids.push_back(id);
    };
    const auto twice = w.up().async_enqueue(accepted("a"), deferred);
    twice(note);
    twice(note);
    auto copied = twice;
    std::move(copied)(note);
    std::vector<job> two;
    two.push_back(accepted("b"));
    two.push_back(accepted("c"));
    const auto several = w.up().async_enqueue(std::move(two), deferred);
    std::size_t accepted_in_all = 0;
    for (int i = 0; i < 2; ++i) {
        several([&](const std::exception_ptr& thrown, const std::vector<job_id>& all) {
            CHECK(thrown == nullptr);
            accepted_in_all += all.size();
        });
    }
    w.settle();
    REQUIRE(ids.size() == 3);
    CHECK(ids[0] != ids[1]);
    CHECK(ids[1] != ids[2]);
    CHECK(accepted_in_all == 4);
    CHECK(w.now()->overall().jobs() == 7);
}

TEST_CASE("an uploader has an executor, is made from a context, and takes another default token", "[tokens]") {
    static_assert(std::is_same_v<uploader::executor_type, asio::any_io_executor>);
    using code_uploader = decltype(as_tuple(asio::use_awaitable))::as_default_on_t<uploader>;
    static_assert(std::is_constructible_v<code_uploader, asio::io_context&, options>);
    surroundings around;
    asio::io_context context;
    options how;
    how.replace.store = std::make_shared<testing::memory_store>(context.get_executor(), around.disk);
    how.replace.transport = std::make_shared<fake_transport>(
        context.get_executor(), [](const received_request&) { return fake_transport::respond(200); });
    how.replace.sources = std::make_shared<testing::memory_sources>(around.files);
    uploader plain(context, how);
    CHECK(plain.get_executor() == asio::any_io_executor(context.get_executor()));
    code_uploader up(std::move(plain));
    CHECK(asio::any_io_executor(up.get_executor()) == asio::any_io_executor(context.get_executor()));
    const auto body = [&]() -> asio::awaitable<void> {
        const auto [code, id] = co_await up.async_enqueue(refused());
        CHECK(code == errc::source_missing);
        const auto [none, good] = co_await up.async_enqueue(accepted("a"));
        CHECK_FALSE(none);
        CHECK_FALSE(good.empty());
        const auto [stopped] = co_await up.async_stop();
        CHECK_FALSE(stopped);
    };
    run<void>(context, body);
}

TEST_CASE("an operation lives in memory of its handler's allocator, and gives it back", "[tokens]") {
    surroundings around;
    world w(around);
    int alive = 0;
    int most = 0;
    bool called = false;
    const counting_allocator<void> own(alive);
    w.up().async_enqueue(accepted("a"),
                         asio::bind_allocator(own, [&](std::error_code, const job_id&) { called = true; }));
    most = alive;
    w.settle();
    CHECK(called);
    CHECK(most > 0);
    CHECK(alive == 0);
}

TEST_CASE("handlers that can only be moved are moved, through every adapter", "[tokens]") {
    surroundings around;
    world w(around);
    int sum = 0;
    w.up().async_enqueue(accepted("a"), [&, by = std::make_unique<int>(1)](std::error_code, job_id) { sum += *by; });
    w.up().async_enqueue(accepted("b"),
                         asio::bind_executor(w.context(), [&, by = std::make_unique<int>(10)](std::exception_ptr,
                                                                                              job_id) { sum += *by; }));
    w.settle();
    CHECK(sum == 11);
}

#if __has_include(<asio/cancel_after.hpp>)
TEST_CASE("cancel_after ends what takes too long, by code or by exception", "[tokens]") {
    using namespace std::chrono_literals;
    surroundings around;
    world w(around);
    const job_id id(w.add(accepted("a")));  // nobody delivers it
    const auto body = [&]() -> asio::awaitable<void> {
        const auto [code, gone] = co_await w.up().async_wait(id, asio::cancel_after(1ms, asio::as_tuple));
        CHECK(code == asio::error::operation_aborted);
        bool ours = false;
        try {
            co_await w.up().async_wait(id, asio::cancel_after(1ms, asio::use_awaitable));
        } catch (const error& e) {
            ours = e.code() == cause::canceled;
        }
        CHECK(ours);
    };
    run<void>(w.context(), body);
}
#endif

}  // namespace waybill::test
