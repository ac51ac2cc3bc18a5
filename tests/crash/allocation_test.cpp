// SPDX-License-Identifier: BSL-1.0
//
// Memory runs out at the n-th allocation of a transaction, for every n until none fails any more.

#include <waybill/store/detail/database.hpp>

#include "support/catch.hpp"
#include "support/sample_store.hpp"
#include "support/temp_dir.hpp"

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

namespace {

long allocations_left = 0;  // 0: none fails
bool allocation_failed = false;

void* allocate(std::size_t size) {
    if (allocations_left != 0 && --allocations_left == 0) {
        allocation_failed = true;
        throw std::bad_alloc();
    }
    if (void* const got = std::malloc(size == 0 ? 1 : size)) {
        return got;
    }
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
    return allocate(size);
}
void* operator new[](std::size_t size) {
    return allocate(size);
}
void operator delete(void* p) noexcept {
    std::free(p);
}
void operator delete[](void* p) noexcept {
    std::free(p);
}
void operator delete(void* p, std::size_t /*size*/) noexcept {
    std::free(p);
}
void operator delete[](void* p, std::size_t /*size*/) noexcept {
    std::free(p);
}

using namespace waybill;
using namespace waybill::test;

TEST_CASE("memory that runs out at any allocation of a transaction tears nothing, and the next one goes on") {
    for (long nth = 1;; ++nth) {
        const temp_dir dir;
        detail::database db({dir / "s.db", damaged_store::refuse});
        const auto add = [&db](const std::vector<new_job>& jobs) {
            detail::database_change one;
            one.apply = [&db, jobs] { static_cast<void>(db.add(jobs)); };
            return one;
        };
        std::vector<detail::database_change> first;
        first.push_back(add({sample_job("before")}));
        REQUIRE_FALSE(db.transact(first));
        const std::optional<loaded_job> before = db.load(static_cast<job_seq>(1));
        job_change begun;
        begun.seq = before->job.seq;
        begun.from = before->job.state.status;
        begun.to = before->job.state;
        begun.to.status = status::uploading;
        std::vector<detail::database_change> group;
        group.push_back(add({sample_job("one"), sample_job("other")}));
        group.emplace_back().apply = [&db, &begun] { db.apply(begun); };

        allocation_failed = false;
        allocations_left = nth;
        static_cast<void>(db.transact(group));
        allocations_left = 0;
        CAPTURE(nth);
        const auto holds = [&db](const std::string& id) { return db.find(job_id(id)).has_value(); };
        REQUIRE(holds("before"));
        REQUIRE(holds("one") == !group[0].outcome);
        REQUIRE(holds("other") == !group[0].outcome);
        const status now = db.load(static_cast<job_seq>(1))->job.state.status;
        REQUIRE(now == (group[1].outcome ? status::pending : status::uploading));

        std::vector<detail::database_change> after;
        after.push_back(add({sample_job("after")}));
        REQUIRE_FALSE(db.transact(after));
        REQUIRE_FALSE(after[0].outcome);
        REQUIRE(holds("after"));
        const std::vector<loaded_job> all = db.list(listing::all, std::nullopt, 100);
        REQUIRE(db.contents().totals.jobs() == all.size());
        if (!allocation_failed) {
            REQUIRE(nth > 10);
            break;
        }
        REQUIRE((group[0].outcome || group[1].outcome));
    }
}
