// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/show/board.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace waybill::test {
namespace {

using namespace detail;

constexpr job_seq seq(int n) {
    return static_cast<job_seq>(n);
}

job_snapshot picture(int n, status now, std::uint64_t sent = 0, int finished = 0) {
    auto about = std::make_shared<job_snapshot::fixed>();
    about->id = job_id("job-" + std::to_string(n));
    about->size = 1'000;
    job_snapshot shown;
    shown.seq = seq(n);
    shown.about = about;
    shown.status = now;
    shown.sent = sent;
    shown.finished = unix_millis(std::chrono::milliseconds(finished));
    return shown;
}

std::vector<int> listed(const snapshot& s) {
    std::vector<int> out;
    for (const auto& job : s.jobs()) {
        out.push_back(static_cast<int>(job->seq));
    }
    return out;
}

TEST_CASE("a board shows jobs in the order of acceptance, under their ids", "[engine][board]") {
    board b(10);
    CHECK(b.show(picture(3, status::pending)));
    CHECK(b.show(picture(1, status::uploading, 10)));
    CHECK(b.show(picture(2, status::completed, 1'000, 5)));
    const auto s = b.take();
    CHECK(listed(*s) == std::vector<int>{1, 2, 3});
    CHECK(s->at(job_id("job-2")).status == status::completed);
    CHECK(b.find(seq(1))->sent == 10);
    CHECK(b.find(seq(9)) == nullptr);
}

TEST_CASE("versions grow with every snapshot, and old snapshots stay as they were", "[engine][board]") {
    board b(10);
    b.show(picture(1, status::pending));
    const auto first = b.take();
    b.show(picture(1, status::uploading, 500));
    b.show(picture(2, status::pending));
    const auto second = b.take();
    b.remove(seq(1));
    const auto third = b.take();
    CHECK(first->version() == 1);
    CHECK(second->version() == 2);
    CHECK(third->version() == 3);
    CHECK(first->at(job_id("job-1")).status == status::pending);
    CHECK(second->at(job_id("job-1")).sent == 500);
    CHECK(listed(*second) == std::vector<int>{1, 2});
    CHECK(listed(*third) == std::vector<int>{2});
    CHECK(third->find(job_id("job-1")) == nullptr);
}

TEST_CASE("a full board lists no new job unless another has finished", "[engine][board]") {
    board b(2);
    CHECK(b.show(picture(1, status::pending)));
    CHECK_FALSE(b.full());
    CHECK(b.show(picture(2, status::paused)));
    CHECK(b.full());
    CHECK_FALSE(b.show(picture(3, status::pending)));
    CHECK_FALSE(b.show(picture(3, status::completed)));
    CHECK(listed(*b.take()) == std::vector<int>{1, 2});

    CHECK(b.show(picture(1, status::failed, 0, 7)));  // known: always shown
    CHECK(b.show(picture(3, status::pending)));       // takes its place
    CHECK(listed(*b.take()) == std::vector<int>{2, 3});
}

TEST_CASE("the job that finished longest ago goes first, not the one accepted first", "[engine][board]") {
    board b(3);
    b.show(picture(1, status::completed, 1'000, 300));
    b.show(picture(2, status::failed, 0, 100));
    b.show(picture(3, status::canceled, 0, 200));
    b.show(picture(4, status::pending));
    CHECK(listed(*b.take()) == std::vector<int>{1, 3, 4});
    b.show(picture(5, status::pending));
    CHECK(listed(*b.take()) == std::vector<int>{1, 4, 5});
    b.show(picture(6, status::pending));
    CHECK(listed(*b.take()) == std::vector<int>{4, 5, 6});
    CHECK_FALSE(b.show(picture(7, status::pending)));
}

TEST_CASE("a job that finished and was retried is not in the way", "[engine][board]") {
    board b(2);
    b.show(picture(1, status::failed, 0, 100));
    b.show(picture(2, status::failed, 0, 200));
    b.show(picture(1, status::pending));
    CHECK(b.show(picture(3, status::pending)));
    CHECK(listed(*b.take()) == std::vector<int>{1, 3});
}

TEST_CASE("a job that runs is shown on a full board, and the board shrinks again behind it", "[engine][board]") {
    board b(2);
    b.show(picture(1, status::pending));
    b.show(picture(2, status::pending));
    int time = 0;
    // A long queue behind them: each is shown while it runs, and none of them stays for ever.
    for (int n = 3; n < 100; ++n) {
        CHECK(b.show(picture(n, status::uploading), board::place::beyond));
        CHECK(b.find(seq(n)) != nullptr);
        CHECK(b.show(picture(n, status::completed, 1'000, ++time), board::place::beyond));
        CHECK(b.find(seq(n)) != nullptr);  // its end is seen
        CHECK(b.take()->jobs().size() <= 3);
    }
    CHECK(b.find(seq(1)) != nullptr);
    CHECK(b.find(seq(2)) != nullptr);

    // Several at once make it larger for a while.
    for (int n = 200; n < 205; ++n) {
        CHECK(b.show(picture(n, status::uploading), board::place::beyond));
    }
    CHECK(b.take()->jobs().size() == 7);
    for (int n = 200; n < 205; ++n) {
        b.show(picture(n, status::completed, 1'000, ++time), board::place::beyond);
    }
    b.show(picture(300, status::uploading), board::place::beyond);
    CHECK(b.take()->jobs().size() == 3);
}

TEST_CASE("a job that was asked for is listed on a full board, in the place of the one that waits its turn longest",
          "[engine][board]") {
    board b(4);
    b.show(picture(1, status::uploading));
    b.show(picture(2, status::waiting));
    b.show(picture(3, status::unknown_outcome));
    b.show(picture(4, status::pending));
    CHECK_FALSE(b.show(picture(5, status::pending), board::place::asked));  // one is missing now
    CHECK(listed(*b.take()) == std::vector<int>{1, 2, 3, 5});
    CHECK_FALSE(b.show(picture(6, status::completed, 1'000, 1), board::place::asked));  // of an earlier run, say
    CHECK(listed(*b.take()) == std::vector<int>{1, 2, 3, 6});
    CHECK(b.show(picture(7, status::pending), board::place::asked));  // what is finished gives way first
    CHECK(listed(*b.take()) == std::vector<int>{1, 2, 3, 7});
    CHECK_FALSE(b.show(picture(8, status::uploading), board::place::asked));
    CHECK_FALSE(b.show(picture(9, status::uploading), board::place::asked));  // one that was tried goes last
    CHECK(listed(*b.take()) == std::vector<int>{1, 3, 8, 9});
    CHECK(b.show(picture(10, status::pending), board::place::asked));  // nothing waits: it is listed in addition
    CHECK(listed(*b.take()) == std::vector<int>{1, 3, 8, 9, 10});
    CHECK(b.take()->find(job_id("job-4")) == nullptr);
}

TEST_CASE("differences that go below zero correct the totals", "[engine][board]") {
    board b(10);
    b.count_new(status::pending, 100);
    b.count_new(status::pending, 50);
    totals by;
    by[status::pending].jobs -= 1;
    by[status::pending].bytes -= 100;
    by[status::failed] = {1, 7};
    b.correct(by);
    CHECK(b.overall()[status::pending].jobs == 1);
    CHECK(b.overall()[status::pending].bytes == 50);
    CHECK(b.overall()[status::failed].bytes == 7);
}

TEST_CASE("sent bytes are those of completed jobs and of what is listed", "[engine][board]") {
    board b(10);
    totals all;
    all[status::completed] = {3, 3'000};  // among them some that are not listed
    all[status::uploading] = {1, 1'000};
    all[status::failed] = {1, 1'000};
    b.set_totals(all);
    b.show(picture(1, status::completed, 1'000, 1));
    b.show(picture(2, status::uploading, 400));
    b.show(picture(3, status::failed, 250, 2));
    CHECK(b.take()->sent() == 3'000 + 400 + 250);
    CHECK(b.take()->size() == 5'000);
    b.show(picture(2, status::uploading, 600));
    CHECK(b.take()->sent() == 3'000 + 600 + 250);
    b.remove(seq(3));
    CHECK(b.take()->sent() == 3'000 + 600);
    b.remove(seq(99));
    CHECK(b.take()->sent() == 3'000 + 600);
}

TEST_CASE("totals count what comes and goes", "[engine][board]") {
    board b(10);
    b.count_new(status::pending, 100);
    b.count_new(status::pending, 50);
    b.count_gone(status::pending, 100);
    b.count_new(status::uploading, 100);
    CHECK(b.overall()[status::pending].jobs == 1);
    CHECK(b.overall()[status::pending].bytes == 50);
    CHECK(b.overall()[status::uploading].bytes == 100);
    CHECK(b.take()->overall().jobs() == 2);
}

TEST_CASE("whatever is shown and removed, the board's sums are those of its jobs", "[engine][board]") {
    std::mt19937 random(61);
    constexpr std::size_t capacity = 20;
    board b(capacity);
    std::map<int, job_snapshot> model;  // what is on the board
    const auto sent = [&] {
        std::uint64_t sum = 0;
        for (const auto& [n, shown] : model) {
            sum += shown.status == status::completed ? 0 : shown.sent;
        }
        return sum;
    };
    for (int step = 1; step <= 20'000; ++step) {
        const int n = static_cast<int>(random() % 60);
        if (random() % 6 == 0) {
            b.remove(seq(n));
            model.erase(n);
        } else {
            const auto now = static_cast<status>(random() % status_count);
            const bool must = now == status::uploading;
            const job_snapshot shown = picture(n, now, random() % 1'000, is_terminal(now) ? step : 0);
            if (!model.contains(n)) {
                while (model.size() >= capacity) {
                    auto first = model.end();
                    for (auto at = model.begin(); at != model.end(); ++at) {
                        if (at->second.terminal() &&
                            (first == model.end() || at->second.finished < first->second.finished)) {
                            first = at;
                        }
                    }
                    if (first == model.end()) {
                        break;
                    }
                    model.erase(first);
                }
            }
            const bool room = model.contains(n) || model.size() < capacity || must;
            REQUIRE(b.show(shown, must ? board::place::beyond : board::place::spare) == room);
            if (room) {
                model[n] = shown;
            }
        }
        REQUIRE(b.full() == (model.size() >= capacity));
        if (step % 50 == 0) {
            const auto s = b.take();
            std::vector<int> expected;
            for (const auto& [number, shown] : model) {
                expected.push_back(number);
                REQUIRE(s->find(shown.id())->status == shown.status);
            }
            REQUIRE(listed(*s) == expected);
            REQUIRE(s->sent() == sent());
        }
    }
}

}  // namespace
}  // namespace waybill::test
