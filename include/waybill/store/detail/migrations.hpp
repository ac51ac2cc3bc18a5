// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/schema.hpp>

#include <string_view>
#include <vector>

namespace waybill::detail {

/// The statements that make a store of version `from` one of the next version. They run in one transaction with those
/// of all later versions, so that a crash leaves the old store or the new one. Empty: there is no such version.
[[nodiscard]] inline std::vector<std::string_view> migration(int from) {
    switch (from) {
        case 1:
            // Version 1 let SQLite remember the highest seq there ever was, which costs each new job a look-up and a
            // write in a table of SQLite's own.
            return {"DROP INDEX job_open",
                    "DROP INDEX job_running",
                    "DROP INDEX job_parked",
                    "DROP INDEX job_finished",
                    "ALTER TABLE job RENAME TO job_1",
                    store_schema[0],
                    "INSERT INTO job SELECT * FROM job_1",
                    "DROP TABLE job_1",
                    store_schema[1],
                    store_schema[2],
                    store_schema[3],
                    store_schema[4]};
        default: return {};
    }
}

}  // namespace waybill::detail
