// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/database.hpp>
#include <waybill/store/detail/rows.hpp>
#include <waybill/store/detail/sqlite_error.hpp>

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <algorithm>
#include <exception>

namespace waybill::detail {

WAYBILL_DECL database::use database::sql(std::string_view text) {
    auto& kept = statements_[text];
    if (!kept) {
        kept = std::make_unique<SQLite::Statement>(*db_, std::string(text));
    }
    return use(*kept);
}

WAYBILL_DECL std::exception_ptr database::transact(std::vector<database_change>& changes) noexcept {
    for (database_change& one : changes) {
        one.outcome = nullptr;
    }
    try {
        try {
            sql("BEGIN IMMEDIATE")->exec();
            for (database_change& one : changes) {
                run_alone(one);
            }
            write_totals();
            write_time(std::chrono::minutes(1));
            sql("COMMIT")->exec();
            require_in_place(true);
            totals_ = pending_totals_;
            return nullptr;
        } catch (const SQLite::Exception&) {
            rethrow_as_store_error(file_->path());
        }
    } catch (...) {  // no memory is a failure like any other
        const std::exception_ptr failed = std::current_exception();
        if (sqlite3_get_autocommit(db_->getHandle()) == 0) {
            static_cast<void>(db_->tryExec("ROLLBACK"));
        }
        pending_totals_ = totals_;
        for (database_change& one : changes) {
            one.outcome = failed;
        }
        return failed;
    }
}

WAYBILL_DECL void database::run_alone(database_change& one) {
    const totals before = pending_totals_;
    sql("SAVEPOINT one")->exec();
    try {
        try {
            one.apply();
        } catch (const SQLite::Exception&) {
            if (sqlite3_get_autocommit(db_->getHandle()) != 0) {
                throw;  // SQLite has rolled everything back: a full disk, an I/O error
            }
            rethrow_as_store_error(file_->path());
        }
    } catch (const SQLite::Exception&) {
        throw;
    } catch (...) {
        one.outcome = std::current_exception();
        sql("ROLLBACK TO one")->exec();
        pending_totals_ = before;
    }
    sql("RELEASE one")->exec();
}

WAYBILL_DECL void database::write_totals() {
    for (std::size_t i = 0; i < status_count; ++i) {
        const totals::row& now = pending_totals_.by_status[i];
        const totals::row& before = totals_.by_status[i];
        if (now.jobs != before.jobs || now.bytes != before.bytes) {
            const auto row = sql("UPDATE total SET jobs=?,bytes=? WHERE status=?");
            binder(*row) << now.jobs << now.bytes << i;
            row->exec();
        }
    }
}

// A crash may lose a minute of it: ages are too young by that much.
WAYBILL_DECL void database::write_time(std::chrono::milliseconds least) {
    if (time_.all() - kept_time_.all() >= least) {
        const auto row = sql("UPDATE life SET open=?,closed=?,wall=?");
        binder(*row) << time_.open << time_.closed << time_.wall;
        row->exec();
        kept_time_ = time_;
    }
}

WAYBILL_DECL void database::make_room() noexcept {
    reserve_->give();
    static_cast<void>(db_->tryExec("PRAGMA wal_checkpoint(RESTART)"));
}

WAYBILL_DECL void database::write_back() {
    try {
        write_time(std::chrono::milliseconds(1));
    } catch (const SQLite::Exception&) {
        // A full disk: the time of this run is not counted.
    }
    static_cast<void>(db_->tryExec("PRAGMA wal_checkpoint(TRUNCATE)"));
    require_in_place(false);
}

// Two calls of stat for each transaction, a thousandth of its sync.
WAYBILL_DECL void database::require_in_place(bool with_wal) const {
    if (!file_->in_place()) {
        throw error(errc::store_failed, file_->path() + " was removed or replaced while it was in use");
    }
    if (with_wal && !file_->wal_in_place()) {
        throw error(errc::store_failed, file_->path() + "-wal was removed or replaced while it was in use");
    }
}

}  // namespace waybill::detail
