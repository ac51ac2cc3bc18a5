// SPDX-License-Identifier: BSL-1.0
//
// The rules that concern many jobs at once.

#include "support/catch.hpp"
#include "support/sample_store.hpp"
#include "support/temp_dir.hpp"

#include <SQLiteCpp/Database.h>

using namespace waybill;
using namespace waybill::test;
using namespace std::chrono_literals;

namespace {

hold a_hold(selection which, std::string why) {
    return {std::move(which), {unix_millis(std::chrono::hours(500'000)), 1h, std::move(why)}};
}

void keep(sample_store& store, hold what) {
    store.run<void>([&] { return store->put_hold(std::move(what)); });
}

}  // namespace

TEST_CASE("holds are there again when the store is opened again, until they are removed") {
    const temp_dir dir;
    {
        sample_store store(dir / "s.db");
        CHECK(store.open().holds.empty());
        keep(store, a_hold(selection::all(), "all of them"));
        keep(store, a_hold(selection::lane(""), "no name"));
        keep(store, a_hold(selection::lane("photos"), "first"));
        keep(store, a_hold(selection::lane("photos"), "second"));
        keep(store, {selection::lane("for ever"), {}});
        store.close();
    }
    sample_store store(dir / "s.db");
    const std::vector<hold> found = store.open().holds;
    REQUIRE(found.size() == 4);
    CHECK(found[0] == a_hold(selection::all(), "all of them"));
    CHECK(found[1] == a_hold(selection::lane(""), "no name"));
    CHECK(found[2] == hold{selection::lane("for ever"), {}});
    CHECK(found[3] == a_hold(selection::lane("photos"), "second"));
    store.run<void>([&] { return store->remove_hold(selection::all()); });
    store.run<void>([&] { return store->remove_hold(selection::lane("photos")); });
    store.run<void>([&] { return store->remove_hold(selection::lane("unknown")); });
    store.close();
    CHECK(store.open().holds.size() == 2);
}

TEST_CASE("a damaged hold still holds its jobs, without an end and without its words") {
    for (const std::string damage : {"value=x'01'", "crc=crc+1", "value=zeroblob(200)"}) {
        const temp_dir dir;
        {
            sample_store store(dir / "s.db");
            store.open();
            keep(store, a_hold(selection::lane("photos"), "why"));
            store.close();
        }
        SQLite::Database(dir / "s.db", SQLite::OPEN_READWRITE).exec("UPDATE rule SET " + damage);
        sample_store store(dir / "s.db");
        const std::vector<hold> found = store.open().holds;
        CAPTURE(damage);
        REQUIRE(found.size() == 1);
        CHECK(found[0].which == selection::lane("photos"));
        CHECK(found[0].pause.lasting == 0ms);
        CHECK(found[0].pause.why == "the record of this pause was damaged");
    }
}

TEST_CASE("limits are there again when the store is opened again; a damaged one is none") {
    const temp_dir dir;
    {
        sample_store store(dir / "s.db");
        store.open();
        for (const limit_scope& what : {limit_scope::total(), limit_scope::host("a.test"), limit_scope::lane("logs")}) {
            store.run<void>([&] { return store->put_limit({what, "1M"}); });
        }
        store.run<void>([&] { return store->put_limit({limit_scope::lane("logs"), "08:00,1M 18:00,off"}); });
        store.run<void>([&] { return store->remove_limit(limit_scope::total()); });
        store.close();
    }
    {
        sample_store store(dir / "s.db");
        const std::vector<bandwidth_limit> found = store.open().limits;
        REQUIRE(found.size() == 2);
        CHECK(found[0] == bandwidth_limit{limit_scope::host("a.test"), "1M"});
        CHECK(found[1] == bandwidth_limit{limit_scope::lane("logs"), "08:00,1M 18:00,off"});
        store.close();
    }
    SQLite::Database(dir / "s.db", SQLite::OPEN_READWRITE).exec("UPDATE rule SET crc=crc+1 WHERE name='logs'");
    sample_store store(dir / "s.db");
    CHECK(store.open().limits.size() == 1);
}
