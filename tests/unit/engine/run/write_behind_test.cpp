// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/run/write_behind.hpp>
#include <waybill/testing/manual_clock.hpp>
#include <waybill/testing/memory_store.hpp>

#include "support/catch.hpp"
#include "support/run.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {
namespace {

using namespace detail;
using namespace std::chrono_literals;

loaded_job accepted_job() {
    loaded_job whole;
    whole.job.spec.id = job_id("one");
    whole.job.spec.lane = "default";
    whole.job.spec.url = "http://server.test/";
    whole.job.spec.origin = "http://server.test";
    whole.job.spec.protocol.name = "tus";
    whole.items.resize(2);
    for (item_record& one : whole.items) {
        one.spec.size = 100;
    }
    whole.job.spec.size = 200;
    return whole;
}

/// A job that runs, and its store: each write is refused for want of space if the script says so.
struct running_job {
    running_job() {
        store.before_write = [this] {
            ++writes;
            if (!refusals.empty()) {
                const bool full = refusals.front();
                refusals.pop_front();
                if (full) {
                    throw error(errc::store_full, "test");
                }
            }
        };
        test::run(context, [](running_job& r) -> asio::awaitable<void> {
            co_await r.books.open();
            auto all = std::make_shared<std::vector<new_job>>();
            all->push_back({r.whole.job, r.whole.items});
            const std::vector<added_job> added = co_await r.books.add(all);
            r.whole.job.seq = added.front().seq;
        }(*this));
        writes = 0;
        pending.emplace(whole, books, *clock, home);
        pending->on_committed = [](const job_change&) {};
        pending->may_wait_for_space = [] { return true; };
    }

    void keep(std::size_t item, std::string resource) {
        std::erase_if(whole.checkpoints, [&](const checkpoint& c) { return c.item == item; });
        checkpoint reached;
        reached.item = item;
        reached.resource = std::move(resource);
        whole.checkpoints.push_back(std::move(reached));
        pending->checkpoint_changed(item);
    }

    /// Begins a commit; true in `done` when it is on the disk.
    void commit(bool& done) {
        asio::co_spawn(
            home,
            [](write_behind& of, job_state next, bool& is_done) -> asio::awaitable<void> {
                co_await of.commit(std::move(next));
                is_done = true;
            }(*pending, whole.job.state, done),
            asio::detached);
    }

    void settle() {
        context.restart();
        while (context.poll_one() != 0) {
        }
    }
    void a_second_later() {
        settle();
        clock->advance(1s);
        settle();
    }

    [[nodiscard]] std::string stored(std::size_t item) const {
        for (const checkpoint& c : disk->jobs.at(whole.job.seq).checkpoints) {
            if (c.item == item) {
                return c.resource;
            }
        }
        return "";
    }

    asio::io_context context{1};
    strand home = asio::make_strand(context.get_executor());
    std::shared_ptr<testing::manual_clock> clock = std::make_shared<testing::manual_clock>();
    std::shared_ptr<testing::memory_disk> disk = std::make_shared<testing::memory_disk>();
    testing::memory_store store{home, disk};
    board shown{10};
    ledger books{store, shown};
    loaded_job whole = accepted_job();
    std::deque<bool> refusals;
    int writes = 0;
    std::optional<write_behind> pending;
};

TEST_CASE("a commit that was refused for want of space does not overwrite a later one", "[engine][write_behind]") {
    running_job r;
    r.refusals = {true, false};  // the second write finds space, while the first commit still waits
    bool first = false;
    bool second = false;
    r.keep(0, "first");
    r.commit(first);
    r.settle();
    r.keep(0, "second");
    r.whole.job.state.troubles = 7;
    r.commit(second);
    r.settle();
    CHECK(r.stored(0) == "second");
    r.a_second_later();
    CHECK(first);
    CHECK(second);
    CHECK(r.stored(0) == "second");
    CHECK(r.disk->jobs.at(r.whole.job.seq).job.state.troubles == 7);
}

TEST_CASE("what a refused commit held is written by whichever commit finds space", "[engine][write_behind]") {
    running_job r;
    r.refusals = {true, false};
    bool first = false;
    bool second = false;
    r.keep(0, "of the first");
    r.commit(first);
    r.settle();
    r.keep(1, "of the second");
    r.commit(second);
    r.settle();
    CHECK(second);
    CHECK(r.stored(0) == "of the first");
    CHECK(r.stored(1) == "of the second");
    r.a_second_later();
    CHECK(first);
    CHECK(r.writes == 2);  // it had nothing more to write
}

TEST_CASE("commits that are asked for during a commit are written together", "[engine][write_behind]") {
    running_job r;
    std::array<bool, 5> done{};
    for (std::size_t i = 0; i < done.size(); ++i) {
        r.keep(i % 2, std::to_string(i));
        r.commit(done[i]);
    }
    r.settle();
    CHECK(done == std::array<bool, 5>{true, true, true, true, true});
    CHECK(r.writes <= 2);
    CHECK(r.stored(0) == "4");
    CHECK(r.stored(1) == "3");
}

TEST_CASE("a checkpoint that is dropped and made anew before the commit is the new one", "[engine][write_behind]") {
    running_job r;
    bool done = false;
    r.keep(0, "old");
    r.commit(done);
    r.settle();
    std::erase_if(r.whole.checkpoints, [](const checkpoint& c) { return c.item == 0; });
    r.pending->checkpoint_dropped(0);
    r.keep(0, "new");
    r.refusals = {true};
    done = false;
    r.commit(done);
    r.a_second_later();
    CHECK(done);
    CHECK(r.stored(0) == "new");
}

TEST_CASE("nothing is flushed while a commit waits for space", "[engine][write_behind]") {
    running_job r;
    r.refusals = {true};
    bool done = false;
    r.keep(0, "kept");
    r.commit(done);
    r.settle();
    CHECK(r.writes == 1);
    r.pending->item_changed(1);
    test::run(r.context, r.pending->flush());
    CHECK(r.writes == 1);
    CHECK_FALSE(done);
    r.a_second_later();
    CHECK(done);
    CHECK(r.writes == 2);
    CHECK_FALSE(r.pending->dirty());
}

TEST_CASE("new identities of files are not lost when a flush meets a full disk", "[engine][write_behind]") {
    running_job r;
    r.refusals = {true};
    r.pending->item_changed(0);
    asio::co_spawn(
        r.home, [&r] { return r.pending->flush(); }, asio::detached);
    std::vector<item_spec> found = {r.whole.items[0].spec, r.whole.items[1].spec};
    found[0].path = "/moved";
    bool done = false;
    asio::co_spawn(
        r.home,
        [](running_job& of, std::vector<item_spec> pins, bool& is_done) -> asio::awaitable<void> {
            co_await of.pending->commit_pins(std::move(pins));
            is_done = true;
        }(r, found, done),
        asio::detached);
    r.a_second_later();
    CHECK(done);
    CHECK(r.disk->jobs.at(r.whole.job.seq).items[0].spec.path == "/moved");
}

}  // namespace
}  // namespace waybill::test
