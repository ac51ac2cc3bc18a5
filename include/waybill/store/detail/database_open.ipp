// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/database.hpp>
#include <waybill/store/detail/rows.hpp>
#include <waybill/store/detail/sqlite_error.hpp>

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::detail {

WAYBILL_DECL database::database(const store_options& options, std::span<const store_format> formats)
    : formats_(formats) {
    try {
        open(options);
    } catch (const SQLite::Exception&) {
        rethrow_as_store_error(options.path);
    }
}

WAYBILL_DECL void database::open(const store_options& options) {
    file_ = std::make_unique<store_file>(options, formats_.back().major);
    try {
        const auto content = file_->inspect();
        db_ = std::make_unique<SQLite::Database>(file_->path(),
                                                 SQLite::OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX);
        configure();
        // A crash while it was being created: SQLite has just rolled that back to an empty file.
        if (content == store_file::content::fresh || is_empty()) {
            create();
        }
        check_version();
        db_->exec("PRAGMA journal_mode=WAL");
        migrate();
        check_schema(formats_.back().schema);
        quick_check();
        totals_ = pending_totals_ = read_totals();
        last_seq_ = read_last_seq();
        time_ = kept_time_ = read_time();
        recover_interrupted();
        mend_rules();
        reserve_.emplace(file_->path() + ".reserve").take();
        file_->note_opened();
        write_back_on_close(true);
    } catch (const std::exception& e) {
        const auto* const ours = dynamic_cast<const error*>(&e);
        const auto* const theirs = dynamic_cast<const SQLite::Exception*>(&e);
        const bool damaged = (ours != nullptr && ours->code() == errc::store_damaged) ||
                             (theirs != nullptr && to_errc(theirs->getErrorCode()) == errc::store_damaged);
        statements_.clear();
        db_.reset();
        if (!damaged || options.if_damaged == damaged_store::refuse || !moved_aside_.empty()) {
            throw;
        }
        moved_aside_ = file_->move_aside();
    }
    if (!db_) {
        file_.reset();  // releases the lock before it is taken again
        open(options);
    }
}

WAYBILL_DECL void database::configure() {
    sqlite3* const handle = db_->getHandle();
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    write_back_on_close(false);  // a rejected store is not changed, its WAL included
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 8 << 20);
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    // Exclusive before the first access: no shared memory, and no second connection can get in.
    db_->exec("PRAGMA locking_mode=EXCLUSIVE");
    // In WAL mode the same as FULL. Before it, while the store is created, the directory is synced
    // when the journal is removed, too: if a power cut brought that entry back, however late, it
    // would roll back the first page of a store in use.
    db_->exec("PRAGMA synchronous=EXTRA");
    db_->exec("PRAGMA temp_store=MEMORY");
    db_->exec("PRAGMA secure_delete=ON");  // nothing of what is removed stays, most of all a signed URL
    db_->exec("PRAGMA cell_size_check=ON");
    db_->exec("PRAGMA mmap_size=0");
    db_->exec("PRAGMA journal_size_limit=16777216");
}

WAYBILL_DECL void database::create() {
    // One transaction, still with a rollback journal: a crash leaves an empty file or a whole store.
    db_->exec("BEGIN IMMEDIATE");
    db_->exec("PRAGMA application_id=" + std::to_string(store_application_id));
    db_->exec("PRAGMA user_version=" + std::to_string(formats_.back().user_version()));
    for (const std::string_view statement : formats_.back().schema) {
        db_->exec(std::string(statement));
    }
    for (std::size_t i = 0; i < status_count; ++i) {
        db_->exec("INSERT INTO total VALUES(" + std::to_string(i) + ",0,0)");
    }
    db_->exec("INSERT INTO life VALUES(0,0,0)");
    db_->exec("COMMIT");
}

WAYBILL_DECL void database::write_back_on_close(bool does) {
    sqlite3_db_config(db_->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, does ? 0 : 1, nullptr);
}

/// The header alone is not enough: its newest page may be in the WAL.
WAYBILL_DECL void database::check_version() {
    if (db_->execAndGet("PRAGMA application_id").getInt() != store_application_id) {
        throw error(errc::store_unwritable, file_->path() + " belongs to another program");
    }
    if (user_version() / minor_versions > formats_.back().major) {
        throw error(errc::store_too_new, file_->path());
    }
}

WAYBILL_DECL bool database::is_empty() {
    return db_->execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0;
}

WAYBILL_DECL int database::user_version() {
    return db_->execAndGet("PRAGMA user_version").getInt();
}

/// Makes an older store one of the newest version, one version after the other. A newer minor version stays as it is:
/// some of its records may have fields that are not known here.
WAYBILL_DECL void database::migrate() {
    const int found = user_version();
    const auto known = std::find_if(formats_.begin(), formats_.end(),
                                    [found](const store_format& one) { return one.major == found / minor_versions; });
    if (known == formats_.end()) {
        throw error(errc::store_damaged,
                    file_->path() + " claims version " + std::to_string(found) + ", which does not exist");
    }
    for (auto next = std::next(known); next != formats_.end(); ++next) {
        check_schema(std::prev(next)->schema);  // a migration relies on the schema
        migrate_to(*next);
    }
    if (const int newest = formats_.back().user_version(); user_version() < newest) {
        db_->exec("PRAGMA user_version=" + std::to_string(newest));
    }
}

/// In one step, or not at all: a crash leaves a store of the version before, or of this one.
WAYBILL_DECL void database::migrate_to(const store_format& next) {
    db_->exec("BEGIN IMMEDIATE");
    try {
        next.migrate(*db_);
        db_->exec("PRAGMA user_version=" + std::to_string(next.user_version()));
        check_schema(next.schema);
        db_->exec("COMMIT");
    } catch (...) {
        static_cast<void>(db_->tryExec("ROLLBACK"));
        throw;
    }
}

WAYBILL_DECL void database::check_schema(std::span<const std::string_view> schema) {
    SQLite::Statement found(*db_, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'");
    std::size_t matching = 0;
    while (found.executeStep()) {
        const std::string text = found.getColumn(0).getString();
        if (std::find(schema.begin(), schema.end(), text) == schema.end()) {
            throw error(errc::store_damaged, file_->path() + " has an unknown schema");
        }
        ++matching;
    }
    if (matching != schema.size()) {
        throw error(errc::store_damaged, file_->path() + " lacks a table");
    }
}

WAYBILL_DECL void database::quick_check() {
    // Bounded: a large queue must open quickly. Its rows carry checksums and are checked when used.
    constexpr int most_pages = 4096;
    if (db_->execAndGet("PRAGMA page_count").getInt() > most_pages) {
        return;
    }
    const std::string verdict = db_->execAndGet("PRAGMA quick_check(1)").getString();
    if (verdict != "ok") {
        throw error(errc::store_damaged, file_->path() + " (" + verdict + ")");
    }
}

WAYBILL_DECL void database::recover_interrupted() {
    std::vector<job_record> interrupted;
    {
        const auto row = sql(texts_.interrupted);
        while (row->executeStep()) {
            job_record job;
            if (read_job(*row, job)) {
                interrupted.push_back(std::move(job));
            }
        }
    }
    if (interrupted.empty()) {
        return;
    }
    std::vector<database_change> changes(1);
    changes[0].apply = [&] {
        for (const job_record& job : interrupted) {
            job_change back;
            back.seq = job.seq;
            back.from = job.state.status;
            back.to = job.state;
            back.to.status = status::pending;
            apply(back);
        }
    };
    static_cast<void>(transact(changes));
    if (changes[0].outcome) {
        std::rethrow_exception(changes[0].outcome);
    }
}

WAYBILL_DECL totals database::read_totals() {
    totals result;
    const auto row = sql("SELECT status,jobs,bytes FROM total");
    while (row->executeStep()) {
        const std::int64_t at = row->getColumn(0).getInt64();
        if (at >= 0 && at < static_cast<std::int64_t>(status_count)) {
            result.by_status[static_cast<std::size_t>(at)] = {static_cast<std::uint64_t>(row->getColumn(1).getInt64()),
                                                              static_cast<std::uint64_t>(row->getColumn(2).getInt64())};
        }
    }
    return result;
}

WAYBILL_DECL store_time database::read_time() {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 4;
    const auto row = sql("SELECT open,closed,wall FROM life");
    if (!row->executeStep()) {
        throw error(errc::store_damaged, file_->path() + " has no store time");
    }
    column_reader from(*row);
    store_time found;
    found.open = std::chrono::milliseconds(from.number<std::int64_t>(0, most));
    found.closed = std::chrono::milliseconds(from.number<std::int64_t>(0, most));
    found.wall = from.time();
    if (!from.ok()) {
        throw error(errc::store_damaged, file_->path() + " has a time that cannot be");
    }
    return found;
}

/// Sums up the rows, one by one. Only damage makes this necessary: it takes a second for a million rows.
WAYBILL_DECL totals database::count_rows() {
    totals result;
    const auto row = sql("SELECT status,size FROM job");
    while (row->executeStep()) {
        const std::int64_t at = row->getColumn(0).getInt64();
        const std::int64_t size = row->getColumn(1).getInt64();
        if (at >= 0 && at < static_cast<std::int64_t>(status_count)) {
            result.by_status[static_cast<std::size_t>(at)].jobs += 1;
            result.by_status[static_cast<std::size_t>(at)].bytes +=
                static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0));
        }
    }
    return result;
}

// Includes rows that belong to no job, as a damaged file may have: a new job must not get their number.
WAYBILL_DECL std::int64_t database::read_last_seq() {
    std::int64_t last = 0;
    for (const std::string_view text :
         {"SELECT max(seq) FROM job", "SELECT max(job) FROM item", "SELECT max(job) FROM payload"}) {
        const auto row = sql(text);
        row->executeStep();
        last = std::max<std::int64_t>(last, row->getColumn(0).getInt64());  // NULL reads as 0
    }
    if (last > std::numeric_limits<std::int64_t>::max() / 2) {
        throw error(errc::store_damaged, file_->path() + " has a job after all that could have been accepted");
    }
    return last;
}

}  // namespace waybill::detail
