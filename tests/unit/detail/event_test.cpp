// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/condition.hpp>
#include <waybill/detail/event.hpp>

#include "support/catch.hpp"
#include "unit/detail/loop.hpp"

#include <asio/error.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace waybill::test {
namespace {

using detail::condition;
using detail::event;
using std::chrono::steady_clock;

TEST_CASE("an event that was set before is not waited for", "[detail][event]") {
    loop l;
    event e(l.strand);
    CHECK_FALSE(e.is_set());
    e.set();
    CHECK(e.is_set());
    const started waiter(l.strand, [&] { return e.wait(); });
    l.context.run();
    CHECK(waiter.ended_well());
}

TEST_CASE("an event wakes the one who waits", "[detail][event]") {
    loop l;
    event e(l.strand);
    const started waiter(l.strand, [&] { return e.wait(); });
    l.context.poll();
    CHECK_FALSE(waiter.over());
    e.set();
    l.context.poll();
    CHECK(waiter.ended_well());
}

TEST_CASE("an event stays set until it is cleared", "[detail][event]") {
    loop l;
    event e(l.strand);
    e.set();
    const started first(l.strand, [&] { return e.wait(); });
    const started second(l.strand, [&] { return e.wait(); });
    l.context.poll();
    CHECK(first.ended_well());
    CHECK(second.ended_well());

    e.clear();
    CHECK_FALSE(e.is_set());
    const started third(l.strand, [&] { return e.wait(); });
    l.context.restart();
    l.context.poll();
    CHECK_FALSE(third.over());
    e.set();
    l.context.poll();
    CHECK(third.ended_well());
}

TEST_CASE("an event that was set and cleared before anybody looked wakes nobody", "[detail][event]") {
    loop l;
    event e(l.strand);
    const started waiter(l.strand, [&] { return e.wait(); });
    l.context.poll();
    e.set();
    e.clear();
    l.context.poll();
    CHECK_FALSE(waiter.over());
    e.set();
    l.context.poll();
    CHECK(waiter.ended_well());
}

TEST_CASE("waiting for an event can be canceled", "[detail][event]") {
    loop l;
    event e(l.strand);
    started waiter(l.strand, [&] { return e.wait(); });
    l.context.poll();
    waiter.cancel();
    l.context.poll();
    CHECK(waiter.thrown() == asio::error::operation_aborted);

    // It can be waited for again.
    const started next(l.strand, [&] { return e.wait(); });
    l.context.restart();
    l.context.poll();
    e.set();
    l.context.poll();
    CHECK(next.ended_well());
}

asio::awaitable<void> wait_once_canceled(event& turn, event& never) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await turn.wait_uncancellable();
    co_await never.wait();
}

TEST_CASE("a cancellation that came before the wait began is not lost", "[detail][event]") {
    loop l;
    event turn(l.strand);
    event never(l.strand);
    started waiter(l.strand, [&] { return wait_once_canceled(turn, never); });
    l.context.poll();
    waiter.cancel();
    turn.set();
    l.context.poll();
    CHECK(waiter.thrown() == asio::error::operation_aborted);
}

TEST_CASE("an event that is set and canceled at once counts as set", "[detail][event]") {
    loop l;
    event e(l.strand);
    started waiter(l.strand, [&] { return e.wait(); });
    l.context.poll();
    e.set();
    waiter.cancel();
    l.context.poll();
    CHECK(waiter.ended_well());
}

TEST_CASE("an uncancellable wait sees its event, whatever is asked meanwhile", "[detail][event]") {
    loop l;
    event e(l.strand);
    started waiter(l.strand, [&] { return e.wait_uncancellable(); });
    l.context.poll();
    waiter.cancel();
    l.context.poll();
    CHECK_FALSE(waiter.over());
    e.set();
    l.context.poll();
    CHECK(waiter.ended_well());
}

asio::awaitable<void> keep(asio::awaitable<bool> what, std::optional<bool>& result) {
    result = co_await std::move(what);
}

TEST_CASE("a wait with a deadline tells whether it was woken or it was time", "[detail][event]") {
    loop l;
    event e(l.strand);
    std::optional<bool> result;
    SECTION("a deadline in the past is over at once") {
        const started waiter(l.strand, [&] { return keep(e.wait_until(steady_clock::now()), result); });
        l.context.run();
        CHECK(result == false);
    }
    SECTION("nothing set it in time") {
        const auto deadline = steady_clock::now() + std::chrono::milliseconds(2);
        const started waiter(l.strand, [&] { return keep(e.wait_until(deadline), result); });
        l.context.run();
        CHECK(result == false);
        CHECK(steady_clock::now() >= deadline);
    }
    SECTION("it was set before its deadline") {
        const auto deadline = steady_clock::now() + std::chrono::hours(1);
        const started waiter(l.strand, [&] { return keep(e.wait_until(deadline), result); });
        l.context.poll();
        e.set();
        l.context.run();
        CHECK(result == true);
    }
    SECTION("it was set already, and the deadline is past") {
        e.set();
        const started waiter(l.strand, [&] { return keep(e.wait_until(steady_clock::time_point::min()), result); });
        l.context.run();
        CHECK(result == true);
    }
}

asio::awaitable<void> wait_with(std::shared_ptr<event> e, witness /*in_frame*/) {
    co_await e->wait();
}

TEST_CASE("a coroutine that waits is destroyed with its context", "[detail][event]") {
    int frames = 0;
    std::weak_ptr<event> seen;
    {
        auto l = std::make_unique<loop>();
        auto e = std::make_shared<event>(l->strand);
        seen = e;
        const witness one(frames);
        detail::spawn(l->strand, [e, one] { return wait_with(e, one); });
        e.reset();
        l->context.poll();
        CHECK(frames > 1);
        l.reset();
        CHECK(frames == 1);
    }
    CHECK(seen.expired());
}

TEST_CASE("a condition wakes all who wait, and nobody who comes later", "[detail][condition]") {
    loop l;
    condition changed(l.strand);
    changed.notify_all();  // nobody is there
    std::vector<started> waiters;
    for (int i = 0; i < 3; ++i) {
        waiters.emplace_back(l.strand, [&] { return changed.wait(); });
    }
    l.context.poll();
    for (const started& w : waiters) {
        CHECK_FALSE(w.over());
    }
    changed.notify_all();
    waiters.emplace_back(l.strand, [&] { return changed.wait(); });
    l.context.poll();
    CHECK(waiters[0].ended_well());
    CHECK(waiters[1].ended_well());
    CHECK(waiters[2].ended_well());
    CHECK_FALSE(waiters[3].over());
    changed.notify_all();
    l.context.poll();
    CHECK(waiters[3].ended_well());
}

asio::awaitable<void> until(condition& changed, const bool& ready) {
    while (!ready) {
        co_await changed.wait();
    }
}

TEST_CASE("a condition is waited for until what it guards is so", "[detail][condition]") {
    loop l;
    condition changed(l.strand);
    bool ready = false;
    const started waiter(l.strand, [&] { return until(changed, ready); });
    for (int i = 0; i < 3; ++i) {
        l.context.poll();
        changed.notify_all();
    }
    l.context.poll();
    CHECK_FALSE(waiter.over());
    ready = true;
    changed.notify_all();
    l.context.poll();
    CHECK(waiter.ended_well());
}

TEST_CASE("one who is canceled leaves the condition to the others", "[detail][condition]") {
    loop l;
    condition changed(l.strand);
    started first(l.strand, [&] { return changed.wait(); });
    started firm(l.strand, [&] { return changed.wait_uncancellable(); });
    const started second(l.strand, [&] { return changed.wait(); });
    l.context.poll();
    first.cancel();
    firm.cancel();
    l.context.poll();
    CHECK(first.thrown() == asio::error::operation_aborted);
    CHECK_FALSE(firm.over());
    CHECK_FALSE(second.over());
    changed.notify_all();
    l.context.poll();
    CHECK(firm.ended_well());
    CHECK(second.ended_well());
}

asio::awaitable<void> wait_for(std::shared_ptr<condition> changed, witness /*in_frame*/) {
    co_await changed->wait();
}

TEST_CASE("coroutines that wait for a condition are destroyed with their context", "[detail][condition]") {
    int frames = 0;
    std::weak_ptr<condition> seen;
    {
        auto l = std::make_unique<loop>();
        auto changed = std::make_shared<condition>(l->strand);
        seen = changed;
        const witness one(frames);
        for (int i = 0; i < 3; ++i) {
            detail::spawn(l->strand, [changed, one] { return wait_for(changed, one); });
        }
        changed.reset();
        l->context.poll();
        l.reset();
        CHECK(frames == 1);
    }
    CHECK(seen.expired());
}

}  // namespace
}  // namespace waybill::test
