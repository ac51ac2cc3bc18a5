// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/schema.hpp>

#include <string_view>
#include <vector>

namespace waybill::detail {

/// The statements that make a store of version `from` one of the present version. They run in one transaction, so that
/// a crash leaves the old store or the new one. Empty: there is no such version.
[[nodiscard]] inline std::vector<std::string_view> migration(int from) {
    if (from != 1 && from != 2) {
        return {};
    }
    // Version 1 let SQLite remember the highest seq there ever was; version 2 knew neither optional fields nor
    // origins, and took the time from the wall clock alone. Jobs of both keep strict order in their lanes.
    return {
        "DROP INDEX job_open",
        "DROP INDEX job_running",
        "DROP INDEX job_parked",
        "DROP INDEX job_finished",
        "ALTER TABLE job RENAME TO job_2",
        store_schema[0],
        "INSERT INTO job SELECT seq,id,lane,'',url,protocol,settings,headers,fields,if_unknown,verifier,size,"
        "item_count,accepted,content,x'',spec_crc,status,stage,reason,epoch,attempt,failures,early_cuts,tail_attempt,"
        "tail_item,not_before,epoch_began,finished,0,spoken,key,error,x'',state_crc FROM job_2",
        "DROP TABLE job_2",
        store_schema[1],
        store_schema[2],
        store_schema[3],
        store_schema[4],
        "ALTER TABLE item RENAME TO item_2",
        store_schema[5],
        "INSERT INTO item SELECT job,idx,kind,path,offset,size,device,inode,file_size,mtime_ns,ctime_ns,name,field,"
        "content_type,x'',spec_crc,status,confirmed,receipt,state_crc FROM item_2",
        "DROP TABLE item_2",
        store_schema[10],
        "INSERT INTO life VALUES(0,0,0)",
    };
}

}  // namespace waybill::detail
