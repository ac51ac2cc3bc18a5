// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <SQLiteCpp/Database.h>

#include <string>

namespace waybill::test {

/// Makes of a store of the present version what the library's first or second version would have made of it. Optional
/// fields are lost.
inline void make_older(const std::string& path, int version) {
    std::string job = R"(CREATE TABLE job(
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  lane TEXT NOT NULL,
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
  spec_crc INTEGER NOT NULL,
  status INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  reason INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  early_cuts INTEGER NOT NULL,
  tail_attempt INTEGER NOT NULL,
  tail_item INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  epoch_began INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  spoken TEXT NOT NULL,
  key TEXT NOT NULL,
  error BLOB NOT NULL,
  state_crc INTEGER NOT NULL
) STRICT)";
    const std::string item = R"(CREATE TABLE item(
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
  spec_crc INTEGER NOT NULL,
  status INTEGER NOT NULL,
  confirmed INTEGER NOT NULL,
  receipt BLOB NOT NULL,
  state_crc INTEGER NOT NULL,
  PRIMARY KEY(job, idx)
) STRICT, WITHOUT ROWID)";
    if (version == 1) {
        const std::string key = "seq INTEGER PRIMARY KEY";
        job.insert(job.find(key) + key.size(), " AUTOINCREMENT");
    }
    SQLite::Database db(path, SQLite::OPEN_READWRITE);
    db.exec(
        "BEGIN; DROP INDEX job_open; DROP INDEX job_running; DROP INDEX job_parked; DROP INDEX job_finished; "
        "ALTER TABLE job RENAME TO job_3; " +
        job +
        "; INSERT INTO job SELECT seq,id,lane,url,protocol,settings,headers,fields,if_unknown,verifier,size,"
        "item_count,accepted,content,spec_crc,status,stage,reason,epoch,attempt,failures,early_cuts,tail_attempt,"
        "tail_item,not_before,epoch_began,finished,spoken,key,error,state_crc FROM job_3; DROP TABLE job_3; "
        "CREATE INDEX job_open ON job(lane, seq) WHERE status < 4; "
        "CREATE INDEX job_running ON job(status) WHERE status IN (1, 2); "
        "CREATE INDEX job_parked ON job(seq) WHERE status IN (4, 5); "
        "CREATE INDEX job_finished ON job(finished) WHERE status > 5; "
        "ALTER TABLE item RENAME TO item_3; " +
        item +
        "; INSERT INTO item SELECT job,idx,kind,path,offset,size,device,inode,file_size,mtime_ns,ctime_ns,name,field,"
        "content_type,spec_crc,status,confirmed,receipt,state_crc FROM item_3; DROP TABLE item_3; "
        "DROP TABLE life; PRAGMA user_version=" +
        std::to_string(version) + "; COMMIT");
}

}  // namespace waybill::test
