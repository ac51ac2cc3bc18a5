// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sqlite3.h>

#include <stdexcept>
#include <string>

namespace waybill::bench {

/// The floor: SQLite alone, with the durability the store has and one small table.
class bare_database {
public:
    explicit bare_database(const std::string& path) {
        if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) {
            throw std::runtime_error("cannot open " + path);
        }
        run("PRAGMA locking_mode=EXCLUSIVE");
        run("PRAGMA journal_mode=WAL");
        run("PRAGMA synchronous=FULL");
        run("CREATE TABLE job(seq INTEGER PRIMARY KEY, state INTEGER, body BLOB)");
        run("INSERT INTO job VALUES(0, 0, zeroblob(300))");
        sqlite3_prepare_v2(handle_, "INSERT INTO job(state, body) VALUES(0, zeroblob(300))", -1, &insert_, nullptr);
        sqlite3_prepare_v2(handle_, "UPDATE job SET state = state + 1 WHERE seq = 0", -1, &update_, nullptr);
    }
    bare_database(const bare_database&) = delete;
    bare_database& operator=(const bare_database&) = delete;
    ~bare_database() {
        sqlite3_finalize(insert_);
        sqlite3_finalize(update_);
        sqlite3_close(handle_);
    }

    void insert() { step(insert_); }
    void update() { step(update_); }

private:
    void run(const char* sql) {
        if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
            throw std::runtime_error(sqlite3_errmsg(handle_));
        }
    }
    void step(sqlite3_stmt* statement) {
        if (sqlite3_step(statement) != SQLITE_DONE) {
            throw std::runtime_error(sqlite3_errmsg(handle_));
        }
        sqlite3_reset(statement);
    }

    sqlite3* handle_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
    sqlite3_stmt* update_ = nullptr;
};

}  // namespace waybill::bench
