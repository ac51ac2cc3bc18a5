// SPDX-License-Identifier: BSL-1.0
//
// What else happens to a store's files: others plant some beside it, somebody removes them, a newer version was here.

#include "support/sample_store.hpp"
#include "support/temp_dir.hpp"

#include <SQLiteCpp/Database.h>

#include <filesystem>
#include <functional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace waybill;
using namespace waybill::test;

namespace {

constexpr uid_t another_user = 12'002;

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

std::size_t jobs_in(const std::string& path) {
    sample_store store(path);
    return store.open().totals.jobs();
}

}  // namespace

TEST_CASE("a store where others may make files beside it is refused, though the directory is sticky") {
    const temp_dir dir;
    const mode_t mode = GENERATE(01777, 01770, 0777, 0720);
    REQUIRE(::chmod(dir.path().c_str(), mode) == 0);
    CHECK(open_error(dir / "s.db") == errc::store_unsafe);
    CHECK(std::filesystem::is_empty(dir.path()));
    CHECK(open_error(dir / "mine/s.db") == std::error_code());  // a directory of its own is made there
}

TEST_CASE("nothing is read that another user has put there, also when we are root") {
    if (::geteuid() != 0) {
        WARN("not checked: only root can make files of another user");
        return;
    }
    const std::string suffix = GENERATE("", "-journal", "-wal", "-shm", ".lock", ".reserve");
    CAPTURE(suffix);
    const temp_dir dir;
    make_store(dir / "s.db");
    const std::string file = suffix.empty() ? dir / "s.db" : dir.write("s.db" + suffix, "planted");
    REQUIRE(::chown(file.c_str(), another_user, another_user) == 0);
    const std::string before = read_file(file);
    CHECK(open_error(dir / "s.db") == errc::store_unsafe);
    CHECK((read_file(file) == before));
}

TEST_CASE("what stands beside the store is one regular file by one name") {
    const std::string suffix = GENERATE("-journal", "-wal", "-shm", ".reserve");
    CAPTURE(suffix);
    const temp_dir dir;
    make_store(dir / "s.db");
    std::filesystem::remove(dir / ("s.db" + suffix));
    const std::string other = dir.write("other", "precious");
    std::error_code expected;
    SECTION("a symbolic link") {
        std::filesystem::create_symlink(other, dir / ("s.db" + suffix));
        expected = errc::store_unwritable;
    }
    SECTION("a hard link") {
        std::filesystem::create_hard_link(other, dir / ("s.db" + suffix));
        expected = errc::store_unsafe;
    }
    SECTION("a FIFO") {
        REQUIRE(::mkfifo((dir / ("s.db" + suffix)).c_str(), 0600) == 0);
        expected = errc::store_unwritable;
    }
    CHECK(open_error(dir / "s.db") == expected);
    CHECK(read_file(other) == "precious");
}

TEST_CASE("a store that has a second name is refused: each name would have a lock of its own") {
    const temp_dir dir;
    make_store(dir / "s.db");
    std::filesystem::create_hard_link(dir / "s.db", dir / "again.db");
    CHECK(open_error(dir / "s.db") == errc::store_unsafe);
    CHECK(open_error(dir / "again.db") == errc::store_unsafe);
}

TEST_CASE("a WAL that was copied with open permissions is closed to others before it is read") {
    const temp_dir dir;
    make_store(dir / "s.db");
    dir.write("s.db-wal", "");
    REQUIRE(::chmod((dir / "s.db-wal").c_str(), 0666) == 0);
    sample_store store(dir / "s.db");
    store.open();
    struct stat s {};
    REQUIRE(::stat((dir / "s.db-wal").c_str(), &s) == 0);
    CHECK((s.st_mode & 0777) == 0600);
}

TEST_CASE("a path that is longer than SQLite opens is refused by name, and no directory is made for it") {
    const temp_dir dir;
    std::string path = dir.path().string();
    while (path.size() < longest_store_path) {
        path += "/" + std::string(60, 'd');
    }
    CHECK(open_error(path + "/s.db") == errc::store_unwritable);
    CHECK(std::filesystem::is_empty(dir.path()));
}

TEST_CASE("the longest path there may be is opened") {
    const temp_dir dir;
    std::string path = dir.path().string();
    while (path.size() + 100 < longest_store_path) {
        path += "/" + std::string(60, 'd');
    }
    path += "/" + std::string(longest_store_path - path.size() - 1, 'f');
    make_store(path);
    CHECK(jobs_in(path) == 1);
}

TEST_CASE("nothing is accepted into a store that is not there any more") {
    const bool changes = GENERATE(false, true);
    const temp_dir dir;
    const std::string path = dir / "sub/s.db";
    sample_store store(path);
    store.open();
    store.add({sample_job("before")});
    std::size_t there = 0;
    SECTION("its files were removed") {
        for (const char* suffix : {"", "-wal", ".reserve", ".lock"}) {
            std::filesystem::remove(path + suffix);
        }
    }
    SECTION("its directory was removed") {
        std::filesystem::remove_all(dir / "sub");
    }
    SECTION("its directory was renamed") {
        std::filesystem::rename(dir / "sub", dir / "elsewhere");
    }
    SECTION("another store was put in its place") {
        make_store(dir / "sub/other.db", {"a", "b"});
        std::filesystem::remove(path + "-wal");
        std::filesystem::rename(dir / "sub/other.db", path);
        there = 2;
    }
    const job_change change = step(store, static_cast<job_seq>(1), status::uploading);
    const auto change_something = [&] {
        if (changes) {
            store.commit(change);
        } else {
            store.add({sample_job("after")});
        }
    };
    CHECK(error_of(change_something) == errc::store_failed);
    CHECK(store->failed());
    CHECK(error_of([&] { store.add({sample_job("after")}); }) == errc::store_failed);
    // Opened anew, it is what is there: what is accepted then is kept.
    CHECK(store.open().totals.jobs() == there);
    store.add({sample_job("later")});
    store.close();
    CHECK(jobs_in(path) == there + 1);
}

TEST_CASE("a store whose WAL was removed is written back before it is opened anew, and loses nothing") {
    const temp_dir dir;
    sample_store store(dir / "s.db");
    store.open();
    store.add({sample_job("before")});
    std::filesystem::remove(dir / "s.db-wal");
    CHECK(error_of([&] { store.add({sample_job("after")}); }) == errc::store_failed);
    CHECK(store.open().totals.jobs() >= 1);
    store.add({sample_job("later")});
    CHECK(store.dump().find(" before ") != std::string::npos);
}

TEST_CASE("closing a store that was removed says so") {
    const temp_dir dir;
    sample_store store(dir / "s.db");
    store.open();
    store.add({sample_job("one")});
    std::filesystem::remove(dir / "s.db");
    CHECK(error_of([&] { store.close(); }) == errc::store_failed);
    CHECK(error_of([&] { store.close(); }) == std::error_code());
}

TEST_CASE("a store whose newer major version is still in its WAL is refused, and neither of its files is touched") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    make_store(path);
    const std::string change =
        GENERATE(as<std::string>(), "PRAGMA user_version=2000",
                 "BEGIN; CREATE TABLE more(a INTEGER PRIMARY KEY); PRAGMA user_version=2000; COMMIT");
    {
        // Killed before it was written back: its files are copied while it runs.
        SQLite::Database newer(path, SQLite::OPEN_READWRITE);
        newer.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; " + change);
        std::filesystem::copy(path, dir / "killed.db");
        std::filesystem::copy(path + "-wal", dir / "killed.db-wal");
    }
    const std::string killed = dir / "killed.db";
    const std::string before = read_file(killed);
    const std::string wal = read_file(killed + "-wal");
    REQUIRE_FALSE(wal.empty());
    const damaged_store policy = GENERATE(damaged_store::refuse, damaged_store::move_aside);
    CHECK(open_error(killed, policy) == errc::store_too_new);
    CHECK((read_file(killed) == before));
    CHECK((read_file(killed + "-wal") == wal));
    CHECK(SQLite::Database(killed, SQLite::OPEN_READWRITE).execAndGet("PRAGMA user_version").getInt() == 2000);
}

TEST_CASE("a damaged store is refused with its WAL as it was") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    {
        sample_store store(path);
        store.open();
        store.add({sample_job("one")});
        std::filesystem::copy(path, dir / "killed.db");
        std::filesystem::copy(path + "-wal", dir / "killed.db-wal");
    }
    const std::string killed = dir / "killed.db";
    SQLite::Database(killed, SQLite::OPEN_READWRITE).exec("PRAGMA locking_mode=EXCLUSIVE");
    const std::string wal = read_file(killed + "-wal");
    std::string content = read_file(killed);
    REQUIRE(content.size() > 8192);
    content.resize(content.size() / 2);  // pages that the WAL does not have
    dir.write("killed.db", content);
    if (open_error(killed) == errc::store_damaged) {
        CHECK((read_file(killed) == content));
        CHECK((read_file(killed + "-wal") == wal));
    }
}
