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

}  // namespace

TEST_CASE("holds are there again when the store is opened again, until they are removed") {
    const temp_dir dir;
    {
        sample_store store(dir / "s.db");
        CHECK(store.open().holds.empty());
        store.put(a_hold(selection::all(), "all of them"));
        store.put(a_hold(selection::lane(""), "no name"));
        store.put(a_hold(selection::lane("photos"), "first"));
        store.put(a_hold(selection::lane("photos"), "second"));
        store.put(hold{selection::lane("for ever"), {}});
        store.close();
    }
    sample_store store(dir / "s.db");
    const std::vector<hold> found = store.open().holds;
    REQUIRE(found.size() == 4);
    CHECK(found[0] == a_hold(selection::all(), "all of them"));
    CHECK(found[1] == a_hold(selection::lane(""), "no name"));
    CHECK(found[2] == hold{selection::lane("for ever"), {}});
    CHECK(found[3] == a_hold(selection::lane("photos"), "second"));
    store.remove(selection::all());
    store.remove(selection::lane("photos"));
    store.remove(selection::lane("unknown"));
    store.close();
    CHECK(store.open().holds.size() == 2);
}

TEST_CASE("a damaged hold becomes one on all jobs, which can be ended") {
    const std::string control = "INSERT INTO rule SELECT 1,'a'||char(10),value,crc FROM rule";
    for (const std::string& damage :
         {std::string("UPDATE rule SET value=x'01'"), std::string("UPDATE rule SET crc=crc+1"),
          std::string("UPDATE rule SET value=zeroblob(200)"), std::string("UPDATE rule SET name='phptos'"),
          std::string("UPDATE rule SET kind=0"), std::string("UPDATE rule SET kind=65"), control}) {
        const temp_dir dir;
        {
            sample_store store(dir / "s.db");
            store.open();
            store.put(a_hold(selection::lane("photos"), "why"));
            store.close();
        }
        SQLite::Database(dir / "s.db", SQLite::OPEN_READWRITE).exec(damage);
        sample_store store(dir / "s.db");
        const std::vector<hold> found = store.open().holds;
        CAPTURE(damage);
        REQUIRE_FALSE(found.empty());
        CHECK(found[0].which.is_all());
        CHECK(found[0].pause.lasting == 0ms);
        CHECK(found[0].pause.why == "the record of a pause was damaged");
        CHECK(found.size() == (damage == control ? 2U : 1U));
        store.remove(selection::all());
        store.close();
        CHECK(store.open().holds.size() == found.size() - 1);
    }
}

TEST_CASE("a time that no pause can have, and words that no terminal may see, count as damage") {
    const hold beyond{selection::lane("a"), {{}, longest_pause + 1ms, ""}};
    const hold escape{selection::lane("a"), {{}, 0ms, "\x1b]0;title\a"}};
    for (const hold& one : {beyond, escape}) {
        const temp_dir dir;
        {
            sample_store store(dir / "s.db");
            store.open();
            store.put(one);
            store.close();
        }
        sample_store store(dir / "s.db");
        const std::vector<hold> found = store.open().holds;
        REQUIRE(found.size() == 1);
        CHECK(found[0].which.is_all());
        CHECK(found[0].pause.lasting == 0ms);
    }
}

TEST_CASE("limits are there again when the store is opened again; a damaged one is none") {
    const temp_dir dir;
    {
        sample_store store(dir / "s.db");
        store.open();
        for (const limit_scope& what : {limit_scope::total(), limit_scope::host("a.test"), limit_scope::lane("logs")}) {
            store.put(bandwidth_limit{what, "1M"});
        }
        store.put(bandwidth_limit{limit_scope::lane("logs"), "08:00,1M 18:00,off"});
        store.remove(limit_scope::total());
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
