// SPDX-License-Identifier: BSL-1.0
#pragma once

// Formats that there are not yet: 1.1 with one more tagged field, and 2.0 with that field in every job and one more
// table. What this library does with them, every later one does with its own.

#include <waybill/store/detail/format.hpp>
#include <waybill/store/detail/rows.hpp>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::test {

/// The tag of the planted field.
inline constexpr std::uint64_t planted_tag = 60;

/// The planted field alone, as a record keeps it that does not know it.
[[nodiscard]] inline std::string planted_field(const std::string& value) {
    detail::extension_writer out;
    out.text(planted_tag, value);
    return std::move(out).take({});
}

inline constexpr std::string_view planted_table =
    "CREATE TABLE step(job INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT";

[[nodiscard]] constexpr std::array<std::string_view, detail::schema_1.size() + 1> with_planted_table() {
    std::array<std::string_view, detail::schema_1.size() + 1> all{};
    std::copy(detail::schema_1.begin(), detail::schema_1.end(), all.begin());
    all.back() = planted_table;
    return all;
}
inline constexpr auto planted_schema = with_planted_table();

/// Every job gets the field, in its accepted part and in its state, and a row in the new table.
inline void migrate_to_planted(SQLite::Database& db) {
    db.exec(std::string(planted_table));
    std::vector<job_record> jobs;
    SQLite::Statement row(db, "SELECT " + std::string(detail::job_columns) + " FROM job");
    while (row.executeStep()) {
        job_record one;
        if (detail::read_job(row, one)) {  // a damaged one stays as it is
            jobs.push_back(std::move(one));
        }
    }
    SQLite::Statement job(db, "UPDATE job SET spec_extra=?,spec_crc=?,state_extra=?,state_crc=? WHERE seq=?");
    SQLite::Statement step(db, "INSERT INTO step VALUES(?,?)");
    for (job_record& one : jobs) {
        one.spec.unknown = one.state.unknown = planted_field(one.spec.id.str());
        const std::string spec = detail::extra_of(one.spec);
        const std::string state = detail::extra_of(one.state);
        job.reset();
        detail::binder to(job);
        to.blob(spec) << detail::checksum(one.spec);
        to.blob(state) << detail::checksum(one.seq, one.state) << one.seq;
        job.exec();
        step.reset();
        detail::binder(step) << one.seq;
        step.bind(2, "upload");
        step.exec();
    }
}

inline constexpr std::array<detail::store_format, 1> format_1_1 = {{{1, 1, detail::schema_1, nullptr}}};

inline constexpr std::array<detail::store_format, 2> format_2 = {
    {{1, 0, detail::schema_1, nullptr}, {2, 0, planted_schema, &migrate_to_planted}}};

}  // namespace waybill::test
