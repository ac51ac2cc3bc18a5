// SPDX-License-Identifier: BSL-1.0
//
// Every operation is canceled at every turn of the loop: what is on the disk afterwards, whichever way it went, is what
// memory knows, and what was accepted is delivered without a restart.

#include "component/world.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

namespace {

/// Totals and pictures are those of the rows. Nothing may be under way.
void require_memory_to_be_the_disk(world& w) {
    totals rows;
    for (const auto& [seq, whole] : w.around().disk->jobs) {
        rows[whole.job.state.status].jobs += 1;
        rows[whole.job.state.status].bytes += whole.job.spec.size;
        if (const auto shown = w.now()->find(whole.job.spec.id)) {
            CAPTURE(whole.job.spec.id.str());
            REQUIRE(to_string(shown->status) == to_string(whole.job.state.status));
        }
    }
    for (std::size_t i = 0; i < status_count; ++i) {
        CAPTURE(to_string(static_cast<status>(i)));
        REQUIRE(w.now()->overall().by_status[i].jobs == rows.by_status[i].jobs);
        REQUIRE(w.now()->overall().by_status[i].bytes == rows.by_status[i].bytes);
    }
}

using done = std::function<void(std::error_code)>;

struct asked {
    std::string name;
    std::function<void(world&, asio::cancellation_slot, done)> begin;
};

/// The handler of an operation that can be canceled, whatever its result is.
template <class... Result>
auto heard(asio::cancellation_slot slot, done tell) {
    return asio::bind_cancellation_slot(slot, [tell](std::error_code ec, const Result&...) { tell(ec); });
}

std::vector<asked> every_operation() {
    return {
        {"enqueue, with some that are known",
         [](world& w, asio::cancellation_slot slot, done tell) {
             std::vector<job> jobs;
             jobs.push_back(put_job("done", {"/a"}));
             jobs.push_back(put_job("failed", {"/bad"}));
             jobs.push_back(put_job("new", {"/a"}).lane("its own"));
             w.up().async_enqueue(std::move(jobs), heard<std::vector<job_id>>(slot, tell));
         }},
        {"cancel", [](world& w, asio::cancellation_slot slot,
                      done tell) { w.up().async_cancel(job_id("queued"), heard<>(slot, tell)); }},
        {"retry", [](world& w, asio::cancellation_slot slot,
                     done tell) { w.up().async_retry(job_id("failed"), heard<>(slot, tell)); }},
        {"resolve, to be sent again",
         [](world& w, asio::cancellation_slot slot, done tell) {
             w.up().async_resolve(job_id("doubtful"), resolution::retry, heard<>(slot, tell));
         }},
        {"resolve, as completed",
         [](world& w, asio::cancellation_slot slot, done tell) {
             w.up().async_resolve(job_id("doubtful"), resolution::completed, heard<>(slot, tell));
         }},
        {"remove", [](world& w, asio::cancellation_slot slot,
                      done tell) { w.up().async_remove(job_id("done"), heard<>(slot, tell)); }},
        {"remove a damaged one", [](world& w, asio::cancellation_slot slot,
                                    done tell) { w.up().async_remove(job_id("damaged"), heard<>(slot, tell)); }},
        {"retry a damaged one", [](world& w, asio::cancellation_slot slot,
                                   done tell) { w.up().async_retry(job_id("damaged"), heard<>(slot, tell)); }},
        {"wait", [](world& w, asio::cancellation_slot slot,
                    done tell) { w.up().async_wait(job_id("queued"), heard<job_snapshot>(slot, tell)); }},
        {"find", [](world& w, asio::cancellation_slot slot,
                    done tell) { w.up().async_find(job_id("done"), heard<job_snapshot>(slot, tell)); }},
        {"list", [](world& w, asio::cancellation_slot slot,
                    done tell) { w.up().async_list(std::nullopt, 10, heard<std::vector<job_snapshot>>(slot, tell)); }},
    };
}

/// One job of each kind an operation may meet.
void fill(surroundings& around) {
    around.files->write("/a", "content");
    around.files->write("/bad", "refused");
    around.files->write("/form", "posted");
    world w(around);
    w.start();
    w.add(put_job("done", {"/a"}));
    w.until_idle();
    around.answers.push_back(fake_transport::respond(404));
    w.add(put_job("failed", {"/bad"}));
    w.until_idle();
    around.faults.push_back({fault::kind::response_lost, 0});
    w.add(form_job("doubtful", {"/form"}));
    w.until([&] { return w.at("doubtful").status == status::unknown_outcome; });
    around.faults.push_back({fault::kind::response_lost, 0});
    w.add(form_job("damaged", {"/form"}));
    w.until([&] { return w.at("damaged").status == status::unknown_outcome; });
    w.run(w.up().async_stop());
    for (auto& [seq, whole] : around.disk->jobs) {
        whole.damaged = whole.job.spec.id == job_id("damaged");
    }
    world later(around);
    later.add(put_job("queued", {"/a"}));
}

}  // namespace

TEST_CASE("whatever is canceled at whatever turn, memory is what the disk is, and what was accepted is delivered") {
    const bool running = GENERATE(false, true);  // else the operation is the one that opens the store
    const std::size_t listed = GENERATE(1, 1000);
    for (const asked& operation : every_operation()) {
        bool ended_first = false;
        for (int turns = 0; !ended_first; ++turns) {
            CAPTURE(operation.name, running, listed, turns);
            surroundings around;
            fill(around);
            world w(around, [&](options& o) { o.snapshot_jobs = listed; });
            if (running) {
                w.start();
                w.settle();
            }
            asio::cancellation_signal stop;
            std::optional<std::error_code> ended;
            operation.begin(w, stop.slot(), [&ended](std::error_code ec) { ended = ec; });
            if (!running) {
                w.start();
            }
            for (int i = 0; i < turns && !ended; ++i) {
                w.turn();
            }
            ended_first = ended.has_value();
            stop.emit(asio::cancellation_type::terminal);
            w.until([&] { return ended.has_value(); });
            w.until_idle();
            REQUIRE_FALSE(w.ended());
            require_memory_to_be_the_disk(w);
            for (const auto& [seq, whole] : around.disk->jobs) {
                CAPTURE(whole.job.spec.id.str());
                REQUIRE_FALSE(is_open(whole.job.state.status));
            }
            REQUIRE(turns < 1000);
        }
    }
}

TEST_CASE("who is canceled while it opens the store leaves the opening to the others that wait for it") {
    for (int turns = 0; turns < 40; ++turns) {
        CAPTURE(turns);
        surroundings around;
        around.files->write("/a", "x");
        world w(around);
        w.add(put_job("one", {"/a"}));
        // The disk fails once while nobody delivers: the next operation opens the store anew.
        bool fails = true;
        w.store().before_write = [&fails] {
            if (std::exchange(fails, false)) {
                throw error(errc::store_failed, "memory");
            }
        };
        CHECK(error_of([&] { w.add(put_job("two", {"/a"})); }) == errc::store_failed);
        asio::cancellation_signal stop;
        std::optional<std::error_code> found;
        w.up().async_find(job_id("one"),
                          asio::bind_cancellation_slot(
                              stop.slot(), [&found](std::error_code ec, const job_snapshot&) { found = ec; }));
        w.start();
        for (int i = 0; i < turns; ++i) {
            w.turn();
        }
        stop.emit(asio::cancellation_type::terminal);
        w.until_idle();
        REQUIRE_FALSE(w.ended());
        REQUIRE(w.at("one").status == status::completed);
        REQUIRE(found);
    }
}
