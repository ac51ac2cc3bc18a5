// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <string_view>

namespace waybill::detail {

// The schema of format 1. Never edited once it is released: a change of any table is a new major version, with a schema
// in a file of its own and a migration (format.hpp). Until 0.1 is released only the tests have such a store.
//
// The text is compared with the schema that the file reports, so a tampered schema is noticed.
// Numbers of enumerations are those of the model; times are milliseconds since 1970, except `retired`, which is the
// store's own time (`store_time`). The columns that end in `extra` hold tagged optional fields (extension.hpp).
inline constexpr std::array<std::string_view, 12> schema_1 = {
    // A seq that was the highest may be reused after a restart when its job was deleted: nothing refers to it then.
    R"(CREATE TABLE job(
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  lane TEXT NOT NULL,
  origin TEXT NOT NULL,
  url TEXT NOT NULL,
  protocol TEXT NOT NULL,
  settings BLOB NOT NULL,
  headers BLOB NOT NULL,
  fields BLOB NOT NULL,
  if_unknown INTEGER NOT NULL,
  verifier TEXT NOT NULL,
  size INTEGER NOT NULL,
  item_count INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  content INTEGER NOT NULL,
  spec_extra BLOB NOT NULL,
  spec_crc INTEGER NOT NULL,
  status INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  reason INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  early_cuts INTEGER NOT NULL,
  intent_attempt INTEGER NOT NULL,
  intent_item INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  epoch_began INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  retired INTEGER NOT NULL,
  negotiated TEXT NOT NULL,
  key TEXT NOT NULL,
  error BLOB NOT NULL,
  state_extra BLOB NOT NULL,
  state_crc INTEGER NOT NULL
) STRICT)",
    // A queue's cost must not grow with what is finished: only open jobs are in it.
    "CREATE INDEX job_open ON job(lane, origin, seq) WHERE status < 4",
    // What a crash interrupted is found without looking at the queue.
    "CREATE INDEX job_running ON job(status) WHERE status IN (1, 2)",
    "CREATE INDEX job_parked ON job(seq) WHERE status IN (4, 5)",
    "CREATE INDEX job_finished ON job(retired) WHERE status > 5",
    R"(CREATE TABLE item(
  job INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  path BLOB NOT NULL,
  offset INTEGER NOT NULL,
  size INTEGER NOT NULL,
  device INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  file_size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  name BLOB NOT NULL,
  field BLOB NOT NULL,
  content_type TEXT NOT NULL,
  spec_extra BLOB NOT NULL,
  spec_crc INTEGER NOT NULL,
  status INTEGER NOT NULL,
  confirmed INTEGER NOT NULL,
  receipt BLOB NOT NULL,
  state_extra BLOB NOT NULL,
  state_crc INTEGER NOT NULL,
  PRIMARY KEY(job, idx)
) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE payload(
  job INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  data BLOB NOT NULL,
  crc INTEGER NOT NULL,
  UNIQUE(job, idx)
) STRICT)",
    R"(CREATE TABLE checkpoint(
  job INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  resource BLOB NOT NULL,
  offset INTEGER NOT NULL,
  state BLOB NOT NULL,
  expires INTEGER NOT NULL,
  extra BLOB NOT NULL,
  crc INTEGER NOT NULL,
  PRIMARY KEY(job, idx)
) STRICT, WITHOUT ROWID)",
    // What servers still have of abandoned uploads; job is the encoded specification.
    R"(CREATE TABLE leftover(
  id INTEGER PRIMARY KEY,
  job BLOB NOT NULL,
  idx INTEGER NOT NULL,
  resource BLOB NOT NULL,
  offset INTEGER NOT NULL,
  state BLOB NOT NULL,
  expires INTEGER NOT NULL,
  extra BLOB NOT NULL,
  crc INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  since INTEGER NOT NULL,
  not_before INTEGER NOT NULL
) STRICT)",
    // Counting a million rows takes longer than everything else at start: the sums are kept.
    R"(CREATE TABLE total(
  status INTEGER PRIMARY KEY,
  jobs INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT)",
    // What concerns many jobs at once: one row, however many they are. The name is that of a lane or a host.
    R"(CREATE TABLE rule(
  kind INTEGER NOT NULL,
  name TEXT NOT NULL,
  value BLOB NOT NULL,
  crc INTEGER NOT NULL,
  PRIMARY KEY(kind, name)
) STRICT, WITHOUT ROWID)",
    // One row: for how long the store has been open, and closed as far as that counts, when it was noted last.
    R"(CREATE TABLE life(
  open INTEGER NOT NULL,
  closed INTEGER NOT NULL,
  wall INTEGER NOT NULL
) STRICT)",
};

}  // namespace waybill::detail
