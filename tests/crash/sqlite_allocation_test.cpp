// SPDX-License-Identifier: BSL-1.0
//
// SQLite's memory runs out at its n-th allocation, for every n until none fails any more: while the store is
// created, written, closed, and opened again.

#include "support/catch.hpp"
#include "support/sample_store.hpp"
#include "support/temp_dir.hpp"

#include <sqlite3.h>

#include <atomic>
#include <cstdlib>
#include <set>
#include <string>

#include <unistd.h>

using namespace waybill;
using namespace waybill::test;

namespace {

std::atomic<long> left = 0;  // 0: none fails
std::atomic<bool> failed = false;
sqlite3_mem_methods real;

bool fails() {
    if (left == 0 || --left != 0) {
        return false;
    }
    failed = true;
    return true;
}

void* allocate(int size) {
    return fails() ? nullptr : real.xMalloc(size);
}
void* reallocate(void* p, int size) {
    return fails() ? nullptr : real.xRealloc(p, size);
}

/// Thousands of stores are made: where nothing is synced, for that is no matter here.
const bool in_memory = access("/dev/shm", W_OK) == 0 && setenv("TMPDIR", "/dev/shm", 1) == 0;

/// SQLite takes other memory only before it is used for the first time.
const bool replaced = [] {
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);
    sqlite3_mem_methods mine = real;
    mine.xMalloc = allocate;
    mine.xRealloc = reallocate;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &mine) == SQLITE_OK;
}();

void fail_every(long stride) {
    REQUIRE(replaced);
    static_cast<void>(in_memory);
    long points = 0;
    for (long nth = 1;; nth += stride) {
        CAPTURE(nth);
        const temp_dir dir;
        const std::string path = dir / "s.db";
        std::set<std::string> acknowledged;
        failed = false;
        left = nth;
        for (int life = 0; life < 2; ++life) {
            try {
                sample_store store(path);
                store.open();
                const std::vector<added_job> added = store.add({sample_job("one"), sample_job("other")});
                acknowledged.insert({"one", "other"});
                store.commit(step(store, added[0].seq, life == 0 ? status::uploading : status::pending));
                store.add({sample_job("late")});
                acknowledged.insert("late");
                store.close();
            } catch (const error& e) {
                CAPTURE(e.what());
                REQUIRE((e.code() == cause::storage));
            }
        }
        left = 0;
        sample_store store(path);
        store.open();
        const std::string content = store.dump();
        CAPTURE(content);
        for (const std::string& id : acknowledged) {
            REQUIRE(content.find(" " + id + " ") != std::string::npos);
        }
        const bool one = content.find(" one ") != std::string::npos;
        const bool other = content.find(" other ") != std::string::npos;
        REQUIRE(one == other);
        REQUIRE(content.find("DAMAGED") == std::string::npos);
        store.add({sample_job("after")});
        if (!failed) {
            break;
        }
        ++points;
    }
    WARN(points << " allocations failed, one at a time");
    CHECK(points > 100);
}

}  // namespace

TEST_CASE("SQLite's memory that runs out in a store's life tears nothing, and the next life goes on") {
    fail_every(7);
}

TEST_CASE("SQLite's memory that runs out at each allocation of a store's life", "[.every]") {
    fail_every(1);
}
