// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/schema_1.hpp>

#include <sqlite3.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace waybill::bench {

/// SQLite alone, with the durability the store has.
class bare_connection {
public:
    explicit bare_connection(const std::string& path) {
        if (sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                            nullptr) != SQLITE_OK) {
            throw std::runtime_error("cannot open " + path);
        }
        run("PRAGMA locking_mode=EXCLUSIVE");
        run("PRAGMA journal_mode=WAL");
        run("PRAGMA synchronous=FULL");
    }
    bare_connection(const bare_connection&) = delete;
    bare_connection& operator=(const bare_connection&) = delete;
    ~bare_connection() { sqlite3_close(handle_); }

    void run(const char* sql) {
        if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
            throw std::runtime_error(sqlite3_errmsg(handle_));
        }
    }
    [[nodiscard]] sqlite3_stmt* prepare(const char* sql) {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr) != SQLITE_OK) {
            throw std::runtime_error(sqlite3_errmsg(handle_));
        }
        return statement;
    }
    void step(sqlite3_stmt* statement) {
        if (sqlite3_step(statement) != SQLITE_DONE) {
            throw std::runtime_error(sqlite3_errmsg(handle_));
        }
        sqlite3_reset(statement);
    }

private:
    sqlite3* handle_ = nullptr;
};

/// The floor: one small table.
class bare_database {
public:
    explicit bare_database(const std::string& path) : connection_(path) {
        connection_.run("CREATE TABLE job(seq INTEGER PRIMARY KEY, state INTEGER, body BLOB)");
        connection_.run("INSERT INTO job VALUES(0, 0, zeroblob(300))");
        insert_ = connection_.prepare("INSERT INTO job(state, body) VALUES(0, zeroblob(300))");
        update_ = connection_.prepare("UPDATE job SET state = state + 1 WHERE seq = 0");
    }
    bare_database(const bare_database&) = delete;
    bare_database& operator=(const bare_database&) = delete;
    ~bare_database() {
        sqlite3_finalize(insert_);
        sqlite3_finalize(update_);
    }

    void insert() { connection_.step(insert_); }
    void update() { connection_.step(update_); }

private:
    bare_connection connection_;
    sqlite3_stmt* insert_ = nullptr;
    sqlite3_stmt* update_ = nullptr;
};

/// The rows that jobs of one file are in the store's own schema, but their values written into the statements: no job
/// is looked at, nothing is encoded, and no checksum is computed.
class bare_rows {
public:
    explicit bare_rows(const std::string& path) : connection_(path) {
        for (const std::string_view statement : detail::schema_1) {
            connection_.run(std::string(statement).c_str());
        }
        connection_.run("INSERT INTO total VALUES(0, 0, 0)");
        begin_ = connection_.prepare("BEGIN IMMEDIATE");
        job_ = connection_.prepare(
            "INSERT INTO job "
            "VALUES(?1,printf('3abcdefgh%012d',?1),'','','http://127.0.0.1:9/upload','put',x'00',x'00',x'00',"
            "0,'',7,1,1790000000000,1234567890,x'',1234567890,0,0,0,1,0,0,0,0,-1,0,1790000000000,0,0,'',"
            "'0123456789abcdef0123456789abcdef',x'000000000000',x'',1234567890)");
        item_ = connection_.prepare(
            "INSERT INTO item "
            "VALUES(?1,0,0,x'2f746d702f776179626c6c2d746573742d3031323334352f66696c65',0,7,2049,1234567,7,"
            "1790000000000000000,1790000000000000000,x'66696c65',x'66696c65','application/"
            "octet-stream',x'',1234567890,0,0,x'',x'',"
            "1234567890)");
        total_ = connection_.prepare("UPDATE total SET jobs = jobs + 1 WHERE status = 0");
        commit_ = connection_.prepare("COMMIT");
    }
    bare_rows(const bare_rows&) = delete;
    bare_rows& operator=(const bare_rows&) = delete;
    ~bare_rows() {
        for (sqlite3_stmt* one : {begin_, job_, item_, total_, commit_}) {
            sqlite3_finalize(one);
        }
    }

    void insert(int count) {
        connection_.step(begin_);
        for (int i = 0; i < count; ++i) {
            ++last_;
            sqlite3_bind_int64(job_, 1, last_);
            connection_.step(job_);
            sqlite3_bind_int64(item_, 1, last_);
            connection_.step(item_);
        }
        connection_.step(total_);
        connection_.step(commit_);
    }

private:
    bare_connection connection_;
    sqlite3_stmt* begin_ = nullptr;
    sqlite3_stmt* job_ = nullptr;
    sqlite3_stmt* item_ = nullptr;
    sqlite3_stmt* total_ = nullptr;
    sqlite3_stmt* commit_ = nullptr;
    std::int64_t last_ = 0;
};

}  // namespace waybill::bench
