// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/queue/due_jobs.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace waybill::test {
namespace {

using detail::due_jobs;
using std::chrono::seconds;

constexpr due_jobs::time_point start{std::chrono::hours(1)};
constexpr job_seq one{1};
constexpr job_seq two{2};

TEST_CASE("jobs are due in the order of their times", "[engine][due_jobs]") {
    due_jobs jobs;
    CHECK_FALSE(jobs.first());
    jobs.set(one, start + seconds(20));
    jobs.set(two, start + seconds(10));
    CHECK(jobs.first() == start + seconds(10));
    CHECK_FALSE(jobs.next(start + seconds(9)));
    CHECK(jobs.next(start + seconds(10)) == two);
    CHECK(jobs.next(start + seconds(30)) == two);  // until it is erased
    jobs.erase(two);
    CHECK(jobs.next(start + seconds(30)) == one);
}

TEST_CASE("a job that is set again has its new time only", "[engine][due_jobs]") {
    due_jobs jobs;
    jobs.set(one, start + seconds(10));
    jobs.set(one, start + seconds(30));
    CHECK_FALSE(jobs.next(start + seconds(20)));
    CHECK(jobs.first() == start + seconds(30));
    jobs.erase(one);
    jobs.erase(one);
    CHECK_FALSE(jobs.first());
}

}  // namespace
}  // namespace waybill::test
