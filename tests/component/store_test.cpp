// SPDX-License-Identifier: BSL-1.0

#include "support/recording_vfs.hpp"
#include "support/sample_store.hpp"
#include "support/temp_dir.hpp"

#include <SQLiteCpp/Database.h>
#include <asio/co_spawn.hpp>

#include <filesystem>

#include <sys/stat.h>

using namespace waybill;
using namespace waybill::test;

namespace {

std::error_code open_error(const std::string& path, damaged_store policy = damaged_store::refuse) {
    return error_of([&] { sample_store(path, policy).open(); });
}

void make_store(const std::string& path, const std::vector<std::string>& ids = {"one"}) {
    sample_store store(path);
    store.open();
    for (const std::string& id : ids) {
        store.add({sample_job(id)});
    }
    store.close();
}

void edit(const std::string& path, const std::string& sql) {
    SQLite::Database db(path, SQLite::OPEN_READWRITE);
    db.exec(sql);
}

mode_t mode_of(const std::string& path) {
    struct stat s {};
    REQUIRE(::stat(path.c_str(), &s) == 0);
    return s.st_mode & 0777;
}

}  // namespace

TEST_CASE("a store opened again has everything it had") {
    const temp_dir dir;
    std::string before;
    {
        sample_store store(dir / "s.db");
        store.open();
        store.add({sample_job("one"), sample_job("two")});
        job_change change = step(store, static_cast<job_seq>(1), status::uploading);
        change.to.attempt = 3;
        change.to.intent = intent(3, 1);
        change.checkpoints.push_back({0, "https://server.test/u/1", 50, std::string("\0\xFF", 2), 9});
        store.commit(change);
        before = store.dump();
    }
    sample_store store(dir / "s.db");
    const store_contents found = store.open();
    CHECK(store.dump() == before);
    CHECK(found.totals[status::pending].jobs == 2);
    CHECK(found.totals[status::pending].bytes == 600);
    REQUIRE(found.lane_heads.size() == 1);
    CHECK(found.lane_heads[0].seq == static_cast<job_seq>(1));
    const std::optional<loaded_job> one = store.load(static_cast<job_seq>(1));
    CHECK(one->items[2].spec.data == sample_job("one").items[2].spec.data);
    CHECK(one->items[0].spec.name == "n\xFF\"0");
    CHECK(one->checkpoints.at(0).state == std::string("\0\xFF", 2));
    CHECK(one->job.state.intent == intent(3, 1));
}

TEST_CASE("a store keeps by what files are known, and what it is told of them anew") {
    const temp_dir dir;
    const file_fingerprint sampled{fingerprint_scope::sampled, std::string(15, '\0') + "\xFF"};
    const file_fingerprint whole{fingerprint_scope::whole, "fedcba9876543210"};
    {
        sample_store store(dir / "s.db");
        store.open();
        new_job made = sample_job("one");
        made.job.spec.if_item_fails = on_item_failure::go_on;
        made.items[0].spec.content = sampled;
        made.items[1].spec.append_only = true;
        store.add({made});
        job_change change = step(store, static_cast<job_seq>(1), status::uploading);
        store.commit(change);
        change.from = status::uploading;  // found to be the same in the middle of an attempt
        for (const item_record& one : made.items) {
            change.repinned.push_back(one.spec);
        }
        change.repinned[1].content = whole;
        change.repinned[1].identity.inode = 77;
        store.commit(change);
    }
    sample_store store(dir / "s.db");
    store.open();
    const std::optional<loaded_job> kept = store.load(static_cast<job_seq>(1));
    REQUIRE(kept);
    CHECK_FALSE(kept->damaged);
    CHECK(kept->job.spec.if_item_fails == on_item_failure::go_on);
    CHECK(kept->items[0].spec.content == sampled);
    CHECK_FALSE(kept->items[0].spec.append_only);
    CHECK(kept->items[1].spec.content == whole);
    CHECK(kept->items[1].spec.identity.inode == 77);
    CHECK(kept->items[1].spec.append_only);
    CHECK(kept->items[2].spec.content == file_fingerprint());
}

TEST_CASE("commits that wait together share one sync") {
    const temp_dir dir;
    recording_vfs disk;
    sample_store store(dir / "s.db");
    store.open();
    const auto syncs = [&] { return disk.count(disk_operation::kind::sync); };
    const std::size_t before = syncs();
    for (int i = 0; i < 8; ++i) {
        store.add({sample_job("single" + std::to_string(i))});
    }
    const std::size_t alone = syncs() - before;
    CHECK(alone >= 8);
    int ended = 0;
    for (int i = 0; i < 64; ++i) {
        auto work = [&store, i]() -> asio::awaitable<void> {
            std::vector<new_job> jobs{sample_job("together" + std::to_string(i))};
            co_await store->add(std::make_shared<const std::vector<new_job>>(std::move(jobs)));
        };
        asio::co_spawn(store.context(), std::move(work), [&ended](const std::exception_ptr& thrown) {
            CHECK(!thrown);
            ++ended;
        });
    }
    store.context().restart();
    while (ended < 64 && store.context().run_one() != 0) {
    }
    REQUIRE(ended == 64);
    CHECK(syncs() - before - alone < 16);
}

TEST_CASE("a change that fails among others leaves the others alone") {
    const temp_dir dir;
    sample_store store(dir / "s.db");
    store.open();
    store.add({sample_job("one")});
    new_job other = sample_job("one");
    other.job.spec.content += 1;
    CHECK(error_of([&] { store.add({sample_job("two"), other}); }) == errc::duplicate_id);
    CHECK(store.add({sample_job("one")}).at(0).existed);
    CHECK(store.dump().find("two") == std::string::npos);
}

TEST_CASE("a job that stands for one accepted before is not accepted in its place") {
    const temp_dir dir;
    sample_store store(dir / "s.db");
    store.open();
    new_job known;
    known.job.spec.id = sample_job("one").job.spec.id;
    known.job.spec.content = sample_job("one").job.spec.content;
    CHECK(error_of([&] { store.add({sample_job("two"), known}); }) == errc::unknown_job);
    CHECK(store.dump().find("two") == std::string::npos);
    store.add({sample_job("one")});
    CHECK(store.add({known}).at(0).existed);
}

TEST_CASE("items that belong to no job do not get in a new job's way") {
    const temp_dir dir;
    make_store(dir / "s.db", {"one", "two"});
    edit(dir / "s.db", "DELETE FROM job WHERE id='two'");
    sample_store store(dir / "s.db");
    store.open();
    store.add({sample_job("three")});
    const std::optional<loaded_job> third = store.load(static_cast<job_seq>(3));
    REQUIRE(third);
    CHECK(third->job.spec.id.str() == "three");
    CHECK_FALSE(third->damaged);
}

TEST_CASE("a store with a job after all that could have been accepted is damaged") {
    const temp_dir dir;
    make_store(dir / "s.db", {"one"});
    edit(dir / "s.db", "UPDATE item SET job=9223372036854775807");
    sample_store store(dir / "s.db");
    CHECK(error_of([&] { store.open(); }) == errc::store_damaged);
}

TEST_CASE("the store's files are for their owner alone, whatever the umask says") {
    const temp_dir dir;
    const mode_t before = ::umask(0);
    sample_store store(dir / "sub/s.db");
    store.open();
    store.add({sample_job("one")});
    ::umask(before);
    CHECK(mode_of(dir / "sub") == 0700);
    CHECK(mode_of(dir / "sub/s.db") == 0600);
    CHECK(mode_of(dir / "sub/s.db-wal") == 0600);
    CHECK(mode_of(dir / "sub/s.db.lock") == 0600);
}

TEST_CASE("a store says in its header what it is") {
    const temp_dir dir;
    make_store(dir / "s.db");
    SQLite::Database db(dir / "s.db", SQLite::OPEN_READONLY);
    CHECK(db.execAndGet("PRAGMA application_id").getInt() == detail::store_application_id);
    CHECK(db.execAndGet("PRAGMA user_version").getInt() == 1000);  // format 1.0
}

TEST_CASE("a store of a version there never was is damaged") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    make_store(path);
    edit(path, "PRAGMA user_version=" + std::to_string(GENERATE(0, 3, 999)));
    CHECK(open_error(path) == errc::store_damaged);
}

TEST_CASE("a store of a newer major version, or of another program, is refused untouched") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    make_store(path);
    std::error_code expected;
    SECTION("newer") {
        edit(path, "PRAGMA user_version=2000");
        expected = errc::store_too_new;
    }
    SECTION("another program's") {
        edit(path, "PRAGMA application_id=7");
        expected = errc::store_unwritable;
    }
    const std::string before = read_file(path);
    CHECK(open_error(path) == expected);
    CHECK(open_error(path, damaged_store::move_aside) == expected);
    CHECK((read_file(path) == before));
}

TEST_CASE("a damaged store is refused untouched, or set aside whole, and never emptied") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    make_store(path);
    std::string content = read_file(path);
    SECTION("it is no database") {
        content = "these are my notes, not a database";
    }
    SECTION("a table was changed") {
        edit(path, "ALTER TABLE job ADD COLUMN more INTEGER");
        content = read_file(path);
    }
    SECTION("a page is garbage") {
        content.replace(4096, 4096, random_bytes(4096));
    }
    SECTION("it was cut off") {
        content.resize(content.size() / 2);
    }
    dir.write("s.db", content);
    CHECK(open_error(path) == errc::store_damaged);
    CHECK((read_file(path) == content));
    sample_store store(path, damaged_store::move_aside);
    const store_contents found = store.open();
    REQUIRE_FALSE(found.moved_aside.empty());
    CHECK((read_file(found.moved_aside) == content));
    CHECK(found.totals.jobs() == 0);
    store.add({sample_job("one")});
    store.close();

    // Again within the same second: neither takes the other's place.
    dir.write("s.db", content);
    sample_store third(path, damaged_store::move_aside);
    const std::string again = third.open().moved_aside;
    CHECK(again != found.moved_aside);
    CHECK((read_file(found.moved_aside) == content));
    CHECK((read_file(again) == content));
}

TEST_CASE("a store that was cut off to nothing, or of which only the WAL is left, is damaged and not a new one") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    make_store(path, {"one"});
    SECTION("nothing is left but what stands beside it") {
        dir.write("s.db", "");
    }
    SECTION("its WAL was not written back") {
        dir.write("s.db", "");
        dir.write("s.db-wal", "frames");
        std::filesystem::remove(path + ".reserve");
    }
    SECTION("it is missing") {
        std::filesystem::remove(path);
        dir.write("s.db-wal", "frames");
    }
    CHECK(open_error(path) == errc::store_damaged);
    sample_store store(path, damaged_store::move_aside);
    CHECK_FALSE(store.open().moved_aside.empty());
}

TEST_CASE("a bit that flips inside a row is noticed, and hurts that job alone") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    make_store(path, {"one", "two"});
    const std::string sql = GENERATE(
        as<std::string>(), "UPDATE job SET url='https://evil.test/' WHERE seq=1", "UPDATE job SET status=6 WHERE seq=1",
        "UPDATE job SET attempt=-1 WHERE seq=1", "UPDATE job SET key='' WHERE seq=1",
        "UPDATE item SET path=x'2f78' WHERE job=1", "UPDATE item SET size=size+1 WHERE job=1 AND idx=0",
        "UPDATE item SET status=2 WHERE job=1 AND idx=1", "UPDATE payload SET data=zeroblob(100) WHERE job=1",
        "DELETE FROM payload WHERE job=1", "DELETE FROM item WHERE job=1 AND idx=2");
    edit(path, sql);
    CAPTURE(sql);
    sample_store store(path);
    store.open();
    CHECK(store.load(static_cast<job_seq>(1))->damaged);
    CHECK_FALSE(store.load(static_cast<job_seq>(2))->damaged);
    if (sql.find("status=6") == std::string::npos) {
        store.run<totals>([&] { return store->quarantine(static_cast<job_seq>(1)); });
        CHECK(store.load(static_cast<job_seq>(1))->job.state.status == status::failed);
    }
}

TEST_CASE("a damaged checkpoint stays, with nothing in it but whose it is: an upload was begun") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    {
        sample_store store(path);
        store.open();
        store.add({sample_job("one")});
        job_change change = step(store, static_cast<job_seq>(1), status::uploading);
        change.checkpoints.push_back({1, "https://server.test/u/1", 50, "state", 9});
        store.commit(change);
        store.close();
    }
    bool whose = true;
    SECTION("its URL") {
        edit(path, "UPDATE checkpoint SET resource=x'68747470733a2f2f6576696c2e746573742f'");
    }
    SECTION("its state") {
        edit(path, "UPDATE checkpoint SET state=x'00'");
    }
    SECTION("its optional fields") {
        edit(path, "UPDATE checkpoint SET extra=x'05'");
    }
    SECTION("its item") {
        edit(path, "UPDATE checkpoint SET idx=7");
        whose = false;
    }
    sample_store store(path);
    store.open();
    const std::optional<loaded_job> one = store.load(static_cast<job_seq>(1));
    REQUIRE(one);
    CHECK(one->damaged != whose);
    REQUIRE(one->checkpoints.size() == 1);
    CHECK(one->checkpoints[0] == checkpoint{whose ? std::size_t(1) : 7, "", 0, "", 0});
}

TEST_CASE("a store that somebody has open is locked to everybody else") {
    const temp_dir dir;
    sample_store first(dir / "s.db");
    first.open();
    CHECK(open_error(dir / "s.db") == errc::store_locked);
    first.add({sample_job("one")});
    first.close();
    CHECK(open_error(dir / "s.db") == std::error_code());
}

TEST_CASE("a store in a directory where others may rename files is refused") {
    const temp_dir dir;
    REQUIRE(::chmod(dir.path().c_str(), 0777) == 0);
    CHECK(open_error(dir / "s.db") == errc::store_unsafe);
}
