// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/queue/scheduler.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace waybill::test {
namespace {

using namespace detail;
using std::chrono::seconds;
using time_point = scheduler::time_point;

constexpr time_point t0{std::chrono::hours(100)};
constexpr job_seq seq(int n) {
    return static_cast<job_seq>(n);
}
std::optional<job_seq> none() {
    return std::nullopt;
}

TEST_CASE("jobs of one lane run one at a time and in order", "[engine][scheduler]") {
    scheduler s(10);
    for (const int n : {1, 2, 3}) {
        s.push({""}, seq(n), {t0});
    }
    for (const int n : {1, 2, 3}) {
        CHECK(s.next(t0) == seq(n));
        CHECK(s.running() == 1);
        CHECK(s.next(t0) == none());
        s.leave(seq(n));
        CHECK(s.running() == 0);
    }
    CHECK(s.next(t0) == none());
}

TEST_CASE("lanes run side by side up to the limit, the job accepted first goes first", "[engine][scheduler]") {
    scheduler s(2);
    s.push({"c"}, seq(3), {t0});
    s.push({"a"}, seq(2), {t0});
    s.push({"b"}, seq(1), {t0});
    CHECK(s.next(t0) == seq(1));
    CHECK(s.next(t0) == seq(2));
    CHECK(s.next(t0) == none());  // two run
    s.leave(seq(2));
    CHECK(s.next(t0) == seq(3));
    CHECK(s.running() == 2);
}

TEST_CASE("no job of a closed lane starts, and its first one does when the lane is opened", "[engine][scheduler]") {
    scheduler s(4);
    s.close_lane("a", true);  // before the lane has any job
    s.push({"a"}, seq(1), {t0});
    s.push({"a"}, seq(2), {t0});
    s.push({"b"}, seq(3), {t0});
    CHECK(s.next(t0) == seq(3));
    CHECK(s.next(t0) == none());
    CHECK_FALSE(s.deadline());
    s.close_lane("a", false);
    CHECK(s.deadline() == t0);
    CHECK(s.next(t0) == seq(1));
    CHECK(s.running_in("a") == seq(1));
    CHECK_FALSE(s.running_in("c"));
}

TEST_CASE("a running job of a lane that is closed runs on, and the next one does not start", "[engine][scheduler]") {
    scheduler s(4);
    s.push({"a"}, seq(1), {t0});
    s.push({"a"}, seq(2), {t0});
    CHECK(s.next(t0) == seq(1));
    s.close_lane("a", true);
    CHECK(s.running_in("a") == seq(1));
    s.wait(seq(1), {t0});
    CHECK(s.next(t0) == none());
    s.leave(seq(1));
    CHECK(s.next(t0) == none());
    s.close_lane("a", true);  // twice is once
    s.close_lane("a", false);
    CHECK(s.next(t0) == seq(2));
}

TEST_CASE("no job starts while everything is closed, and closed lanes stay closed afterwards", "[engine][scheduler]") {
    scheduler s(4);
    s.close(true);
    s.close_lane("b", true);
    s.push({"a"}, seq(1), {t0 + seconds(1)});
    s.push({"b"}, seq(2), {t0});
    CHECK(s.next(t0 + seconds(2)) == none());
    CHECK_FALSE(s.deadline());
    s.close(false);
    CHECK(s.next(t0 + seconds(2)) == seq(1));
    CHECK(s.next(t0 + seconds(2)) == none());
    s.clear();
    s.push({"b"}, seq(2), {t0});
    CHECK(s.next(t0) == none());
}

TEST_CASE("a job that waits keeps its place at the head of its lane", "[engine][scheduler]") {
    scheduler s(4);
    s.push({"a"}, seq(1), {t0});
    s.push({"a"}, seq(2), {t0});
    s.push({"b"}, seq(3), {t0});
    CHECK(s.next(t0) == seq(1));
    s.wait(seq(1), {t0 + seconds(60)});
    CHECK(s.next(t0) == seq(3));  // the other lane goes on
    CHECK(s.next(t0) == none());  // the one behind it does not
    CHECK(s.deadline() == t0 + seconds(60));
    CHECK(s.next(t0 + seconds(59)) == none());
    CHECK(s.next(t0 + seconds(60)) == seq(1));
}

TEST_CASE("a job that is set aside leaves the lane to the next", "[engine][scheduler]") {
    scheduler s(4);
    s.push({"a"}, seq(1), {t0});
    s.push({"a"}, seq(2), {t0});
    CHECK(s.next(t0) == seq(1));
    s.leave(seq(1));
    CHECK(s.next(t0) == seq(2));
    // Also one that waits, and one in the middle of the queue.
    s.push({"a"}, seq(4), {t0});
    s.push({"a"}, seq(5), {t0});
    s.wait(seq(2), {t0 + seconds(60)});
    s.leave(seq(4));
    s.leave(seq(2));
    CHECK(s.next(t0) == seq(5));
}

TEST_CASE("a retried job goes before those accepted after it", "[engine][scheduler]") {
    scheduler s(4);
    s.push({"a"}, seq(5), {t0});
    s.push({"a"}, seq(6), {t0});
    s.push({"a"}, seq(2), {t0});
    CHECK(s.next(t0) == seq(2));

    // But it does not interrupt the one that runs.
    scheduler busy(4);
    busy.push({"a"}, seq(5), {t0});
    busy.push({"a"}, seq(6), {t0});
    CHECK(busy.next(t0) == seq(5));
    busy.push({"a"}, seq(2), {t0});
    CHECK(busy.next(t0) == none());
    busy.wait(seq(5), {t0});
    CHECK(busy.next(t0) == seq(2));
    busy.leave(seq(2));
    CHECK(busy.next(t0) == seq(5));
}

TEST_CASE("a job that is held is not started, and nothing behind it", "[engine][scheduler]") {
    scheduler s(4);
    s.push({"a"}, seq(1), {t0});
    s.push({"a"}, seq(2), {t0});
    s.hold(seq(1));
    CHECK(s.next(t0) == none());
    CHECK_FALSE(s.deadline().has_value());
    s.release(seq(1));
    CHECK(s.next(t0) == seq(1));
}

TEST_CASE("a hold stays when the job comes later or waits again", "[engine][scheduler]") {
    scheduler s(4);
    s.hold(seq(1));  // not known yet
    s.push({"a"}, seq(1), {t0});
    CHECK(s.next(t0) == none());
    s.wait(seq(1), {t0});
    CHECK(s.next(t0) == none());
    s.release(seq(1));
    CHECK(s.next(t0) == seq(1));

    // A job that runs may be held: it is not started again after it.
    s.hold(seq(1));
    s.wait(seq(1), {t0});
    CHECK(s.running() == 0);
    CHECK(s.next(t0) == none());
    s.release(seq(1));
    CHECK(s.next(t0) == seq(1));
}

TEST_CASE("a job held twice is released twice, and leaving releases nothing", "[engine][scheduler]") {
    scheduler s(4);
    s.push({"a"}, seq(1), {t0});
    s.hold(seq(1));
    s.hold(seq(1));
    s.release(seq(1));
    CHECK(s.next(t0) == none());
    s.leave(seq(1));
    s.push({"a"}, seq(1), {t0});
    CHECK(s.next(t0) == none());
    s.release(seq(1));
    CHECK(s.next(t0) == seq(1));
    s.release(seq(1));  // once too often
    s.hold(seq(1));
    s.wait(seq(1), {t0});
    CHECK(s.next(t0) == none());
}

TEST_CASE("a job that left as the last one known comes back when it is retried", "[engine][scheduler]") {
    scheduler s(4);
    s.refill({"a"}, {{seq(3), {t0}}, {seq(5), {t0}}}, true);  // the store has more behind 5
    CHECK(s.next(t0) == seq(3));
    s.leave(seq(5));
    s.push({"a"}, seq(5), {t0});
    s.leave(seq(3));
    CHECK(s.next(t0) == seq(5));
}

TEST_CASE("a held job in the middle of its lane holds nobody up", "[engine][scheduler]") {
    scheduler s(4);
    s.push({"a"}, seq(1), {t0});
    s.push({"a"}, seq(2), {t0});
    s.hold(seq(2));
    CHECK(s.next(t0) == seq(1));
    s.leave(seq(1));
    CHECK(s.next(t0) == none());
    s.release(seq(2));
    CHECK(s.next(t0) == seq(2));
}

TEST_CASE("a lane whose known jobs are done asks for more", "[engine][scheduler]") {
    scheduler s(4);
    CHECK_FALSE(s.needs_refill().has_value());
    s.refill({"a"}, {{seq(1), {t0}}, {seq(4), {t0}}}, true);
    CHECK_FALSE(s.needs_refill().has_value());
    CHECK(s.next(t0) == seq(1));
    s.leave(seq(1));
    CHECK(s.next(t0) == seq(4));
    CHECK_FALSE(s.needs_refill().has_value());  // it runs: its lane is not empty
    s.leave(seq(4));
    REQUIRE(s.needs_refill().has_value());
    CHECK(s.needs_refill()->first == queue_name{"a"});
    CHECK(s.needs_refill()->second == seq(4));

    s.refill({"a"}, {{seq(7), {t0}}}, false);
    CHECK_FALSE(s.needs_refill().has_value());
    CHECK(s.next(t0) == seq(7));
    s.leave(seq(7));
    CHECK_FALSE(s.needs_refill().has_value());  // there is no more
}

TEST_CASE("lanes are asked for more in the order of their names, whichever came first", "[engine][scheduler]") {
    std::vector<std::string> names = {"a", "b", "c", "d", "e"};
    do {
        scheduler s(4);
        for (const std::string& name : names) {
            s.refill({name}, {}, true);
        }
        for (const std::string name : {"a", "b", "c", "d", "e"}) {
            REQUIRE(s.needs_refill().has_value());
            CHECK(s.needs_refill()->first == queue_name{name});
            s.refill({name}, {}, false);
        }
    } while (std::next_permutation(names.begin(), names.end()));
}

TEST_CASE("a lane that asked and got nothing is gone", "[engine][scheduler]") {
    scheduler s(4);
    s.refill({"a"}, {{seq(1), {t0}}}, true);
    s.leave(seq(1));
    REQUIRE(s.needs_refill().has_value());
    s.refill({"a"}, {}, false);
    CHECK_FALSE(s.needs_refill().has_value());
    CHECK(s.next(t0) == none());
    // And it can come back.
    s.push({"a"}, seq(9), {t0});
    CHECK(s.next(t0) == seq(9));
}

TEST_CASE("a job behind a gap is not known before the gap is", "[engine][scheduler]") {
    scheduler s(4);
    s.refill({"a"}, {{seq(1), {t0}}}, true);  // 2 and 3 are in the store, not here
    s.push({"a"}, seq(4), {t0});
    CHECK(s.next(t0) == seq(1));
    s.leave(seq(1));
    CHECK(s.next(t0) == none());  // not 4: 2 goes before it
    REQUIRE(s.needs_refill().has_value());
    CHECK(s.needs_refill()->second == seq(1));
    s.refill({"a"}, {{seq(2), {t0}}, {seq(3), {t0}}, {seq(4), {t0}}}, false);
    CHECK(s.next(t0) == seq(2));
    s.push({"a"}, seq(5), {t0});  // no gap any more
    s.leave(seq(2));
    s.leave(seq(3));
    s.leave(seq(4));
    CHECK(s.next(t0) == seq(5));
}

TEST_CASE("an earlier job is taken even while there is a gap", "[engine][scheduler]") {
    scheduler s(4);
    s.refill({"a"}, {{seq(5), {t0}}}, true);
    s.push({"a"}, seq(3), {t0});  // a retry
    CHECK(s.next(t0) == seq(3));
    s.leave(seq(3));
    CHECK(s.next(t0) == seq(5));
    s.leave(seq(5));
    // It still asks for what follows the last known one, not the last that ran.
    REQUIRE(s.needs_refill().has_value());
    CHECK(s.needs_refill()->second == seq(5));
}

TEST_CASE("what is unknown or known already is passed over", "[engine][scheduler]") {
    scheduler s(4);
    s.leave(seq(1));
    s.wait(seq(1), {t0});
    s.release(seq(1));
    CHECK(s.next(t0) == none());
    s.push({"a"}, seq(1), {t0 + seconds(60)});
    s.push({"a"}, seq(1), {t0});  // does not change when it is ready
    CHECK(s.next(t0) == none());
    CHECK(s.next(t0 + seconds(60)) == seq(1));
    s.push({"a"}, seq(1), {t0});  // nor start it twice
    CHECK(s.next(t0 + seconds(60)) == none());
    CHECK(s.running() == 1);
    s.leave(seq(1));
    s.leave(seq(1));
    CHECK(s.running() == 0);
}

TEST_CASE("the deadline is the first time at which something may be started", "[engine][scheduler]") {
    scheduler s(1);
    CHECK_FALSE(s.deadline().has_value());
    s.push({"a"}, seq(1), {t0 + seconds(30)});
    s.push({"b"}, seq(2), {t0 + seconds(10)});
    s.push({"b"}, seq(3), {t0});  // behind 2
    CHECK(s.next(t0) == none());
    CHECK(s.deadline() == t0 + seconds(10));
    CHECK(s.next(t0 + seconds(10)) == seq(2));
    CHECK_FALSE(s.deadline().has_value());  // one runs: time alone changes nothing
    s.leave(seq(2));
    CHECK(s.deadline() == t0);
}

TEST_CASE("a limit of no jobs starts none", "[engine][scheduler]") {
    scheduler s(0);
    s.push({"a"}, seq(1), {t0});
    CHECK(s.next(t0) == none());
    CHECK_FALSE(s.deadline().has_value());
}

TEST_CASE("a job that waits again and again runs each time", "[engine][scheduler]") {
    scheduler s(1);
    s.push({"a"}, seq(1), {t0});
    for (int i = 0; i < 100; ++i) {
        CHECK(s.next(t0 + seconds(i)) == seq(1));
        s.wait(seq(1), {t0 + seconds(i + 1)});
        CHECK(s.next(t0 + seconds(i)) == none());
    }
}

TEST_CASE("a job whose host is down lets those of other origins pass, and none of its own", "[engine][scheduler]") {
    scheduler s(4);
    s.push({"", "http://down"}, seq(1), {t0});
    s.push({"", "http://down"}, seq(2), {t0});
    s.push({"", "http://up"}, seq(3), {t0});
    CHECK(s.next(t0) == seq(1));
    CHECK(s.next(t0) == none());  // one at a time
    s.wait(seq(1), {t0 + seconds(60)});
    CHECK(s.next(t0) == seq(3));
    s.leave(seq(3));
    CHECK(s.next(t0) == none());
    CHECK(s.next(t0 + seconds(60)) == seq(1));
}

TEST_CASE("a job that waits aside lets everybody pass, and goes first when its time has come", "[engine][scheduler]") {
    scheduler s(4);
    for (const int n : {1, 2, 3}) {
        s.push({"a", "o"}, seq(n), {t0});
    }
    CHECK(s.next(t0) == seq(1));
    s.wait(seq(1), {t0 + seconds(60), true});
    CHECK(s.next(t0) == seq(2));
    s.leave(seq(2));
    s.hold(seq(1));
    CHECK(s.next(t0 + seconds(60)) == seq(3));
    s.release(seq(1));
    CHECK(s.next(t0 + seconds(60)) == none());
    s.leave(seq(3));
    CHECK(s.next(t0 + seconds(60)) == seq(1));
}

TEST_CASE("a queue whose known jobs all wait aside asks for more", "[engine][scheduler]") {
    scheduler s(4);
    s.refill({"a", "o"}, {{seq(1), {t0}}}, true);
    CHECK(s.next(t0) == seq(1));
    s.wait(seq(1), {t0 + seconds(60), true});
    REQUIRE(s.needs_refill().has_value());
    CHECK(s.needs_refill()->second == seq(1));
    s.refill({"a", "o"}, {{seq(2), {t0}}}, false);
    CHECK(s.next(t0) == seq(2));
}

// The same rules said naively: it knows the whole store at any time, and looks through all of it.
class reference {
public:
    explicit reference(std::size_t most) : most_(most) {}

    struct entry {
        queue_name queue;
        job_turn when;
        bool running = false;
    };

    [[nodiscard]] std::map<queue_name, job_seq> heads() const {
        std::map<queue_name, job_seq> first;
        for (const auto& [n, e] : open) {
            if (!e.when.aside) {
                first.try_emplace(e.queue, n);
            }
        }
        return first;
    }
    /// The first of each queue, and those that wait aside; of lanes that are free.
    [[nodiscard]] std::vector<job_seq> candidates() const {
        std::vector<job_seq> all;
        const std::map<queue_name, job_seq> first = heads();
        for (const auto& [n, e] : open) {
            const bool may = e.when.aside || first.at(e.queue) == n;
            if (may && !lane_runs(e.queue.lane) && !held.contains(n)) {
                all.push_back(n);
            }
        }
        return all;
    }
    [[nodiscard]] bool lane_runs(const std::string& lane) const {
        return std::any_of(open.begin(), open.end(),
                           [&](const auto& p) { return p.second.queue.lane == lane && p.second.running; });
    }
    [[nodiscard]] std::size_t running() const {
        return static_cast<std::size_t>(
            std::count_if(open.begin(), open.end(), [](const auto& p) { return p.second.running; }));
    }
    [[nodiscard]] std::optional<job_seq> next(time_point now) const {
        std::optional<job_seq> best;
        if (running() < most_) {
            for (const job_seq one : candidates()) {
                if (open.at(one).when.ready <= now && (!best || one < *best)) {
                    best = one;
                }
            }
        }
        return best;
    }
    [[nodiscard]] std::optional<time_point> deadline() const {
        std::optional<time_point> first;
        if (running() < most_) {
            for (const job_seq one : candidates()) {
                if (!first || open.at(one).when.ready < *first) {
                    first = open.at(one).when.ready;
                }
            }
        }
        return first;
    }

    std::map<job_seq, entry> open;
    std::multiset<job_seq> held;

private:
    std::size_t most_;
};

TEST_CASE("whatever happens, the scheduler decides as if it knew the whole store", "[engine][scheduler]") {
    constexpr std::size_t page = 3;
    const unsigned seed = GENERATE(1U, 2U, 3U, 4U);
    std::mt19937 random(seed);
    const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    const std::size_t most = 1 + seed;
    const int lanes = seed == 1 ? 1 : 6;

    scheduler s(most);
    reference model(most);
    std::map<job_seq, queue_name> closed;  // jobs that may be retried
    int last = 0;
    time_point now = t0;
    const auto some = [&]() -> std::optional<job_seq> {
        if (model.open.empty()) {
            return std::nullopt;
        }
        return std::next(model.open.begin(), pick(static_cast<int>(model.open.size())))->first;
    };
    const auto feed = [&] {
        while (const auto needs_refill = s.needs_refill()) {
            std::vector<std::pair<job_seq, job_turn>> following;
            for (auto at = model.open.upper_bound(needs_refill->second);
                 at != model.open.end() && following.size() < page; ++at) {
                if (at->second.queue == needs_refill->first) {
                    following.emplace_back(at->first, at->second.when);
                }
            }
            const bool more = following.size() == page;
            s.refill(needs_refill->first, following, more);
        }
    };

    const auto some_queue = [&] {
        return queue_name{"lane-" + std::to_string(pick(lanes)), "origin-" + std::to_string(pick(3))};
    };

    // A store that has jobs already: the scheduler is told the first of each queue.
    for (int i = 0; i < 20; ++i) {
        model.open[seq(++last)] = {some_queue(), {t0}, false};
    }
    for (const auto& [queue, head] : model.heads()) {
        s.refill(queue, {{head, model.open.at(head).when}}, true);
    }

    for (int step = 0; step < 25'000; ++step) {
        switch (pick(9)) {
            case 0:
            case 1: {  // accepted
                if (model.open.size() < 60) {
                    const queue_name queue = some_queue();
                    model.open[seq(++last)] = {queue, {now}, false};
                    s.push(queue, seq(last), {now});
                }
                break;
            }
            case 2: {  // finished or set aside, running or not
                if (const auto n = some()) {
                    closed[*n] = model.open.at(*n).queue;
                    model.open.erase(*n);
                    s.leave(*n);
                }
                break;
            }
            case 3: {  // an attempt failed
                for (auto& [n, e] : model.open) {
                    if (e.running) {
                        e.running = false;
                        e.when = {now + seconds(pick(20)), pick(3) == 0};
                        s.wait(n, e.when);
                        break;
                    }
                }
                break;
            }
            case 4: {  // retried
                if (!closed.empty() && model.open.size() < 60) {
                    const auto at = std::next(closed.begin(), pick(static_cast<int>(closed.size())));
                    model.open[at->first] = {at->second, {now}, false};
                    s.push(at->second, at->first, {now});
                    s.wait(at->first, {now});
                    closed.erase(at);
                }
                break;
            }
            case 5: {  // being changed
                if (const auto n = some(); n && model.held.size() < 4) {
                    model.held.insert(*n);
                    s.hold(*n);
                }
                break;
            }
            case 6: {  // changed
                if (!model.held.empty()) {
                    const auto at = std::next(model.held.begin(), pick(static_cast<int>(model.held.size())));
                    s.release(*at);
                    model.held.erase(at);
                }
                break;
            }
            default: now += seconds(pick(4)); break;
        }
        if (closed.size() > 100) {
            closed.erase(closed.begin());
        }
        feed();
        while (const auto should = model.next(now)) {
            const auto is = s.next(now);
            INFO("step " << step << ": " << (is ? static_cast<int>(*is) : 0) << " instead of "
                         << static_cast<int>(*should));
            REQUIRE(is == should);
            model.open.at(*is).running = true;
        }
        REQUIRE(s.next(now) == none());
        REQUIRE(s.running() == model.running());
        REQUIRE(s.deadline() == model.deadline());
    }
    CHECK(last > 1'000);
}

}  // namespace
}  // namespace waybill::test
