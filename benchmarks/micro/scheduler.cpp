// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/queue/scheduler.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <string>

namespace waybill {
namespace {

using namespace detail;

/// A scheduler that knows `count` jobs, spread over `lanes` lanes.
class known_queue {
public:
    known_queue(std::int64_t count, std::int64_t lanes) : count_(count), lanes_(lanes) {
        for (std::int64_t seq = 0; seq < count; ++seq) {
            add(seq);
        }
    }

    /// The next job begins and ends, and another one is queued behind its lane's last.
    void step() {
        const auto seq = scheduler_.next(scheduler::time_point());
        add(static_cast<std::int64_t>(*seq) + count_);
        scheduler_.leave(*seq);
    }

private:
    void add(std::int64_t seq) {
        scheduler_.refill({"lane " + std::to_string(seq % lanes_)}, {{job_seq{seq}, {}}}, true);
    }

    scheduler scheduler_{4};
    std::int64_t count_;
    std::int64_t lanes_;
};

TEST_CASE("a scheduling step does not depend on the length of the queue", "[scheduler]") {
    known_queue few(100, 1);
    known_queue many(1'000'000, 1);
    known_queue few_lanes(100, 100);
    known_queue many_lanes(1'000'000, 1'000'000);

    BENCHMARK("100 jobs in one lane") {
        few.step();
    };
    BENCHMARK("1,000,000 jobs in one lane") {
        many.step();
    };
    BENCHMARK("100 lanes of one job") {
        few_lanes.step();
    };
    BENCHMARK("1,000,000 lanes of one job") {
        many_lanes.step();
    };
}

}  // namespace
}  // namespace waybill
