// SPDX-License-Identifier: BSL-1.0
#include "component/world.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

TEST_CASE("while the disk is full nothing is lost, and everything goes on when there is space again") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    w.add(put_job("one", {"/a"}));
    bool full = false;
    w.store().before_write = [&] {
        if (full) {
            throw error(errc::store_full, "memory");
        }
    };
    w.start();
    w.until([&] { return w.at("one").status == status::uploading; });
    full = true;
    for (int i = 0; i < 20; ++i) {
        w.settle();
        around.clock->advance(1s);
    }
    w.settle();
    CHECK(around.objects.size() == 1);
    CHECK(w.at("one").status == status::uploading);  // delivered, and not yet committed
    CHECK(error_of([&] { w.add(put_job("two", {"/a"})); }) == errc::store_full);
    full = false;
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(around.requests.size() == 1);
    CHECK_FALSE(w.ended());
}

TEST_CASE("a disk that fails once is opened anew, and everything arrives without a restart") {
    for (int nth = 1;; ++nth) {
        surroundings around;
        around.files->write("/a", "x");
        around.files->write("/b", "y");
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.add(form_job("two", {"/b"}));
        int left = nth;
        w.store().before_write = [&left] {
            if (--left == 0) {
                throw error(errc::store_failed, "memory");
            }
        };
        w.start();
        w.until_idle();
        CAPTURE(nth);
        REQUIRE_FALSE(w.ended());
        REQUIRE(w.at("one").status == status::completed);
        // The form's answer may be what could not be kept: then it must not be sent again unasked.
        REQUIRE((w.at("two").status == status::completed || w.at("two").status == status::unknown_outcome));
        const auto posts = std::count_if(around.requests.begin(), around.requests.end(), [](const received_request& r) {
            return r.whole && r.url.ends_with("/posts");
        });
        REQUIRE(posts == 1);
        if (left > 0) {
            REQUIRE(nth > 5);
            break;
        }
    }
}

TEST_CASE("whenever a full disk meets the end of a job, the job ends with all that is known of it") {
    // What items have come to is committed every tenth of a second: the job's own end falls before, into, or after
    // that.
    for (std::size_t turns = 70; turns < 120; ++turns) {
        for (int most = 1; most <= 3; ++most) {
            CAPTURE(turns, most);
            surroundings around;
            around.files->write("/a", "x");
            around.files->write("/b", std::string(turns * 1000, 'y'));
            world w(around);
            w.add(put_job("one", {"/a", "/b"}));
            int writes = 0;
            w.store().before_write = [&] {
                ++writes;
                if (writes > 1 && writes <= 1 + most) {
                    throw error(errc::store_full, "memory");
                }
            };
            w.start();
            w.until_idle();
            REQUIRE_FALSE(w.ended());
            REQUIRE(w.at("one").status == status::completed);
            for (const item_record& i : around.disk->jobs.begin()->second.items) {
                REQUIRE(i.state.status == item_status::completed);
            }
        }
    }
}

TEST_CASE("an operation that meets the failing disk is refused, and the next one finds it opened anew") {
    const bool delivers = GENERATE(false, true);
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    if (delivers) {
        w.start();
        w.settle();
    }
    bool fails = true;
    w.store().before_write = [&fails] {
        if (fails) {
            throw error(errc::store_failed, "memory");
        }
    };
    CHECK(error_of([&] { w.add(put_job("one", {"/a"})); }) == errc::store_failed);
    fails = false;
    w.add(put_job("two", {"/a"}));
    CHECK_FALSE(w.now()->find(job_id("one")));
    CHECK(w.at("two").status == status::pending);
    if (!delivers) {
        w.start();
    }
    w.until_idle();
    CHECK(w.at("two").status == status::completed);
    CHECK_FALSE(w.ended());
}

TEST_CASE("a disk that goes on failing ends the run with its error and leaves the job as it was committed") {
    surroundings around;
    around.files->write("/a", "x");
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.start();
        w.until([&] { return w.at("one").status == status::uploading; });
        w.store().before_write = [] { throw error(errc::store_failed, "memory"); };
        w.until([&] { return w.ended().has_value(); });
        CHECK(*w.ended() == errc::store_failed);
        CHECK(*w.ended() == cause::storage);
    }
    world w(around);
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a run that is canceled while its disk fails can be begun again, whenever that is") {
    bool finished = false;
    for (int turns = 0; !finished; ++turns) {
        CAPTURE(turns);
        surroundings around;
        around.files->write("/a", "x");
        world w(around);
        w.add(put_job("one", {"/a"}));
        int writes = 0;
        w.store().before_write = [&writes] {
            if (++writes == 2) {
                throw error(errc::store_failed, "memory");
            }
        };
        std::optional<std::error_code> ended;
        asio::cancellation_signal cancel;
        w.up().async_run(asio::bind_cancellation_slot(cancel.slot(), [&ended](std::error_code ec) { ended = ec; }));
        for (int i = 0; i < turns && w.turn(); ++i) {
        }
        finished = w.at("one").terminal();
        cancel.emit(asio::cancellation_type::terminal);
        w.until([&] { return ended.has_value(); });
        REQUIRE((*ended == asio::error::operation_aborted || *ended == errc::store_failed));
        w.start();
        w.until_idle();
        REQUIRE_FALSE(w.ended());
        REQUIRE(w.at("one").status == status::completed);
    }
}

namespace {

/// The disk fails at the `nth` reading. `reads` counts them, and must live as long as the world.
void fail_at_reading(world& w, int nth, int& reads) {
    w.store().before_read = [nth, &reads] {
        if (++reads == nth) {
            throw error(errc::store_failed, "memory");
        }
    };
}

}  // namespace

TEST_CASE("a disk that fails at any one reading is opened anew, whoever was reading") {
    bool finished = false;
    for (int fails = 1; !finished; ++fails) {
        CAPTURE(fails);
        surroundings around;
        around.files->write("/a", "x");
        {
            world before(around);
            before.add(put_job("one", {"/a"}));
            before.add(put_job("two", {"/a"}));
        }
        int reads = 0;
        world w(around);
        fail_at_reading(w, fails, reads);
        w.start();
        w.until_idle();
        finished = reads < fails;
        REQUIRE_FALSE(w.ended());
        REQUIRE(w.at("one").status == status::completed);
        REQUIRE(w.at("two").status == status::completed);
        REQUIRE(around.requests.size() == 2);
    }
}

TEST_CASE("who waits for the first snapshot gets it, or hears that the disk failed") {
    bool finished = false;
    bool heard = false;
    for (int fails = 1; !finished; ++fails) {
        CAPTURE(fails);
        surroundings around;
        around.files->write("/a", "x");
        {
            world before(around);
            before.add(put_job("one", {"/a"}));
        }
        int reads = 0;
        world w(around);
        fail_at_reading(w, fails, reads);
        feed watching = w.up().snapshots();
        std::optional<std::error_code> told;
        watching.async_next([&](std::error_code ec, const std::shared_ptr<const snapshot>&) { told = ec; });
        bool listed = false;
        w.up().async_list(std::nullopt, 1, [&](std::error_code, const std::vector<job_snapshot>&) { listed = true; });
        w.until([&] { return listed && told.has_value(); });  // and nobody runs it
        REQUIRE((!*told || *told == errc::store_failed));
        heard = heard || *told == errc::store_failed;
        finished = reads < fails;
        w.start();
        w.until_idle();
        REQUIRE(w.at("one").status == status::completed);
    }
    CHECK(heard);
}

TEST_CASE("a damaged record fails its own job only") {
    surroundings around;
    around.files->write("/a", "x");
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.add(put_job("two", {"/a"}));
    }
    around.disk->jobs.begin()->second.damaged = true;
    world w(around);
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(w.at("one").error.code == errc::record_damaged);
    CHECK(w.at("two").status == status::completed);
    CHECK(around.requests.size() == 1);
}

TEST_CASE("feeds end with the error that ended the run, and go on when it is begun again") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").status == status::uploading; });
    bool fails = true;
    w.store().before_write = [&fails] {
        if (fails) {
            throw error(errc::store_failed, "memory");
        }
    };
    feed watching = w.up().snapshots();
    std::optional<std::error_code> ended;
    std::function<void()> next = [&] {
        watching.async_next([&](std::error_code ec, const std::shared_ptr<const snapshot>& seen) {
            if (ec || !seen) {
                ended = ec;
            } else {
                next();
            }
        });
    };
    next();
    w.until([&] { return ended.has_value(); });
    CHECK(*ended == errc::store_failed);
    fails = false;
    ended.reset();
    w.start();
    w.settle();
    next();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK_FALSE(ended);
}

TEST_CASE("whenever it is stopped, or its jobs are canceled, the run ends well and can be gone on with") {
    const bool cancels = GENERATE(false, true);
    bool finished = false;
    for (int turns = 0; !finished; ++turns) {
        CAPTURE(turns);
        surroundings around;
        around.files->write("/a", "x");
        around.files->write("/b", "y");
        {
            world w(around);
            w.add(put_job("one", {"/a", "/b"}));
            w.add(form_job("two", {"/a"}));
            w.start();
            for (int i = 0; i < turns && w.turn(); ++i) {
            }
            finished = w.now()->version() > 0 && w.now()->idle();
            if (cancels && !finished) {
                // The second may have been completed meanwhile: then it cannot be canceled any more.
                w.up().async_cancel(job_id("one"), [](std::error_code) {});
                w.up().async_cancel(job_id("two"), [](std::error_code) {});
                w.settle();
                w.until_idle();
                REQUIRE(w.ended().value_or(std::error_code()).message() == std::error_code().message());
            }
            w.run(w.up().async_stop());
            w.settle();
            REQUIRE(w.ended().value().message() == std::error_code().message());
        }
        world next(around);
        next.start();
        next.until_idle();
        REQUIRE_FALSE(next.ended());
        // A form that was stopped behind its last byte is undecided, and was not sent again.
        const auto posts = std::count_if(around.requests.begin(), around.requests.end(), [](const received_request& r) {
            return r.whole && r.url.ends_with("/posts");
        });
        REQUIRE(posts <= 1);
    }
}
