// SPDX-License-Identifier: BSL-1.0
//
// The disk fails at the n-th operation, for every n until nothing fails any more.

#include "support/recording_vfs.hpp"
#include "support/sample_store.hpp"
#include "support/temp_dir.hpp"

#include <atomic>
#include <filesystem>

using namespace waybill;
using namespace waybill::test;

namespace {

using kind = disk_operation::kind;

struct disk_fault {
    std::string name;
    kind what;
    int told;
    std::error_code seen;
};

/// Fails the `nth` operation of a kind, or all from it on, while `armed`.
struct failing_disk {
    recording_vfs disk;
    std::atomic<bool> armed{false};
    std::atomic<int> left{0};
    std::atomic<int> failed{0};
    bool for_ever = false;

    void arm(const disk_fault& how, int nth, bool ever) {
        left = nth;
        failed = 0;
        for_ever = ever;
        disk.fault = [this, how](const disk_operation& one) {
            if (!armed || one.what != how.what || --left > 0 || (left < 0 && !for_ever)) {
                return SQLITE_OK;
            }
            ++failed;
            return how.told;
        };
        armed = true;
    }
};

}  // namespace

TEST_CASE("whichever operation of the disk fails, what was acknowledged stays and what was refused does not appear") {
    const disk_fault how = GENERATE(values<disk_fault>({
        {"no space", kind::write, SQLITE_FULL, errc::store_full},
        {"a write fails", kind::write, SQLITE_IOERR_WRITE, errc::store_failed},
        {"a sync fails", kind::sync, SQLITE_IOERR_FSYNC, errc::store_failed},
    }));
    const bool for_ever = GENERATE(false, true);
    CAPTURE(how.name, for_ever);
    int points = 0;
    for (int nth = 1;; ++nth) {
        const temp_dir dir;
        failing_disk f;
        std::vector<std::string> accepted = {"before"};
        std::vector<std::string> refused;
        {
            sample_store store(dir / "s.db");
            store.open();
            store.add({sample_job("before")});
            f.arm(how, nth, for_ever);
            for (int i = 0; i < 3; ++i) {
                const std::string id = "job" + std::to_string(i);
                const std::error_code got = error_of([&] { store.add({sample_job(id), sample_job(id + "b")}); });
                CAPTURE(nth, id);
                REQUIRE((!got || got == how.seen));
                (got ? refused : accepted).push_back(id);
            }
            f.armed = false;
            if (how.told == SQLITE_FULL) {
                store.add({sample_job("after")});  // space is back: it goes on without a restart
                accepted.push_back("after");
            }
        }
        sample_store store(dir / "s.db");
        store.open();
        const std::string content = store.dump();
        CAPTURE(nth, content);
        for (const std::string& id : accepted) {
            REQUIRE(content.find(" " + id + " ") != std::string::npos);
        }
        for (const std::string& id : refused) {
            const bool one = content.find(" " + id + " ") != std::string::npos;
            const bool other = content.find(" " + id + "b ") != std::string::npos;
            // Whether a failed sync has reached the disk nobody knows; half of it has never.
            REQUIRE(one == other);
            REQUIRE((!one || how.what == kind::sync));
        }
        REQUIRE(content.find("DAMAGED") == std::string::npos);
        if (f.failed == 0) {
            break;
        }
        ++points;
    }
    CHECK(points >= 3);
}

TEST_CASE("a disk that fails while a crash is recovered from loses nothing, and the next start recovers") {
    const disk_fault how = GENERATE(values<disk_fault>({
        {"no space", kind::write, SQLITE_FULL, errc::store_full},
        {"a write fails", kind::write, SQLITE_IOERR_WRITE, errc::store_failed},
        {"a sync fails", kind::sync, SQLITE_IOERR_FSYNC, errc::store_failed},
        {"a truncation fails", kind::truncate, SQLITE_IOERR_TRUNCATE, errc::store_failed},
        {"a removal fails", kind::remove, SQLITE_IOERR_DELETE, errc::store_failed},
    }));
    const bool for_ever = GENERATE(false, true);
    CAPTURE(how.name, for_ever);
    const temp_dir dir;
    std::string before;
    {
        sample_store store(dir / "s.db");
        store.open();
        const std::vector<added_job> added = store.add({sample_job("one"), sample_job("other")});
        store.commit(step(store, added[0].seq, status::uploading));
        std::filesystem::copy(dir / "s.db", dir / "crashed.db");  // as a crash leaves it: all of it is in the WAL
        std::filesystem::copy(dir / "s.db-wal", dir / "crashed.db-wal");
        before = store.dump();
    }
    REQUIRE(std::filesystem::file_size(dir / "crashed.db-wal") > 0);
    for (int nth = 1;; ++nth) {
        CAPTURE(nth);
        const temp_dir place;
        std::filesystem::copy(dir / "crashed.db", place / "s.db");
        std::filesystem::copy(dir / "crashed.db-wal", place / "s.db-wal");
        failing_disk f;
        f.arm(how, nth, for_ever);
        {
            sample_store store(place / "s.db");
            const std::error_code got = error_of([&] { store.open(); });
            CAPTURE(got.message());
            REQUIRE((!got || got == cause::storage));
        }
        f.armed = false;
        sample_store store(place / "s.db");
        store.open();
        REQUIRE(store.dump() == before);
        store.add({sample_job("after")});
        if (f.failed == 0) {
            break;
        }
    }
}

TEST_CASE("a disk that fails while a store is opened is reported, and the store opens once it works again") {
    const disk_fault how = GENERATE(values<disk_fault>({
        {"no space", kind::write, SQLITE_FULL, errc::store_full},
        {"a sync fails", kind::sync, SQLITE_IOERR_FSYNC, errc::store_failed},
        {"a write fails", kind::write, SQLITE_IOERR_WRITE, errc::store_failed},
    }));
    CAPTURE(how.name);
    for (int nth = 1;; ++nth) {
        const temp_dir dir;
        failing_disk f;
        f.arm(how, nth, true);
        std::error_code got;
        {
            sample_store store(dir / "s.db");
            got = error_of([&] { store.open(); });
        }
        CAPTURE(nth, got.message());
        f.armed = false;
        sample_store store(dir / "s.db");
        REQUIRE(error_of([&] { store.open(); }) == std::error_code());
        store.add({sample_job("one")});
        if (f.failed == 0) {
            break;
        }
        if (got) {
            REQUIRE(got == cause::storage);
        }
    }
}
