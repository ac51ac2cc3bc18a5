// SPDX-License-Identifier: BSL-1.0
//
// A migration that is interrupted: by a disk that fails, or by a power cut after any of its operations.

#include "crash_points/image.hpp"
#include "support/golden_store.hpp"
#include "support/planted_format.hpp"
#include "support/recording_vfs.hpp"
#include "support/temp_dir.hpp"

#include <filesystem>

using namespace waybill;
using namespace waybill::test;

namespace {

std::string golden() {
    return read_file(std::string(WAYBILL_GOLDEN) + "/format_1_0.db");
}

std::string dump_of(const std::string& path, std::span<const detail::store_format> formats) {
    sample_store store(path, damaged_store::refuse, formats);
    store.open();
    std::string text = store.dump();
    store.close();
    SQLite::Database db(path, SQLite::OPEN_READONLY);
    text += db.execAndGet("PRAGMA user_version").getString();
    if (formats.back().major == 2) {
        text += " " + db.execAndGet("SELECT count(*) FROM step").getString();
    }
    return text;
}

/// Everything that SQLite asks of the disk while a golden store is opened, migrated and closed.
std::vector<disk_operation> history_of(const std::string& path, std::span<const detail::store_format> formats) {
    recording_vfs disk;
    sample_store store(path, damaged_store::refuse, formats);
    store.open();
    store.close();
    return disk.log();
}

/// How many power cuts leave something that is not what `formats` would make of the golden store.
int broken_images(std::span<const detail::store_format> formats, int& images) {
    const temp_dir dir;
    const std::string recorded = dir.write("recorded.db", golden());
    const std::string path = dir / "s.db";
    dir.write("s.db", golden());
    const std::string expected = dump_of(path, format_2);
    testing::seeded_random random(1);
    disk_state disk;
    disk.holds(recorded, golden());
    int broken = 0;
    for (const disk_operation& one : history_of(recorded, formats)) {
        disk.happens(one);
        for (const unsynced fate : {unsynced::dropped, unsynced::kept, unsynced::torn, unsynced::torn}) {
            const auto image = disk.image(fate, random);
            for (const char* suffix : {"", "-wal", "-journal"}) {
                std::filesystem::remove(path + suffix);
                const auto found = image.find(recorded + suffix);
                if (found != image.end() && found->second) {
                    dir.write(std::string("s.db") + suffix, *found->second);
                }
            }
            ++images;
            std::string content;
            const std::error_code ec = error_of([&] { content = dump_of(path, format_2); });
            broken += !ec && content == expected ? 0 : 1;
        }
    }
    return broken;
}

/// Plants a bug: it commits what it has done so far.
void migrate_by_halves(SQLite::Database& db) {
    migrate_to_planted(db);
    db.exec("COMMIT");
    db.exec("BEGIN IMMEDIATE");
}

}  // namespace

TEST_CASE("a power cut at any operation of a migration leaves a store that is migrated, or that will be") {
    int images = 0;
    CHECK(broken_images(format_2, images) == 0);
    CHECK(images > 100);
}

TEST_CASE("a migration that commits half of its work is found by the power cuts") {
    const std::array<detail::store_format, 2> by_halves = {
        {{1, 0, detail::schema_1, nullptr}, {2, 0, planted_schema, &migrate_by_halves}}};
    int images = 0;
    CHECK(broken_images(by_halves, images) > 0);
}

TEST_CASE("whichever operation of the disk fails during a migration, the next opening completes it") {
    const temp_dir dir;
    const std::string path = dir.write("s.db", golden());
    const std::string expected = dump_of(path, format_2);
    for (int nth = 1, failed = 1; failed > 0; ++nth) {
        for (const char* suffix : {"-wal", "-journal", ".reserve"}) {
            std::filesystem::remove(path + suffix);
        }
        dir.write("s.db", golden());
        failed = 0;
        {
            recording_vfs disk;
            int left = nth;
            disk.fault = [&](const disk_operation& one) {
                const bool fails = one.what != disk_operation::kind::mark && --left <= 0;
                failed += fails ? 1 : 0;
                return fails ? SQLITE_IOERR_WRITE : SQLITE_OK;
            };
            sample_store store(path, damaged_store::refuse, format_2);
            static_cast<void>(error_of([&] { store.open(); }));
        }
        CAPTURE(nth);
        REQUIRE(dump_of(path, format_2) == expected);
    }
}

TEST_CASE("a migration that throws leaves the store as it was") {
    const temp_dir dir;
    const std::string path = dir.write("s.db", golden());
    const std::string before = dump_of(path, detail::store_formats);
    const std::array<detail::store_format, 2> throwing = {
        {{1, 0, detail::schema_1, nullptr}, {2, 0, planted_schema, [](SQLite::Database& db) {
                                                 migrate_to_planted(db);
                                                 throw error(errc::store_damaged, "planted");
                                             }}}};
    CHECK(error_of([&] { sample_store(path, damaged_store::refuse, throwing).open(); }) == errc::store_damaged);
    CHECK(dump_of(path, detail::store_formats) == before);
}
