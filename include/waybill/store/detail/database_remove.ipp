// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/database.hpp>
#include <waybill/store/detail/rows.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::detail {

WAYBILL_DECL void database::insert_leftover(const leftover& what) {
    const std::string job = encode(what.job);
    const checkpoint& c = what.reached;
    const std::string extra = extra_of(c);
    const auto row =
        sql("INSERT INTO leftover(job,idx,resource,offset,state,expires,extra,crc,attempts,since,not_before) "
            "VALUES(?,?,?,?,?,?,?,?,?,?,?)");
    binder to(*row);
    to.blob(job) << to_column(c.item);
    to.blob(c.resource) << c.offset;
    to.blob(c.state) << c.expires_unix;
    to.blob(extra) << checksum(what) << what.attempts << what.since << what.not_before;
    row->exec();
}

WAYBILL_DECL void database::postpone(const leftover& what) {
    const auto row = sql("UPDATE leftover SET attempts=?,not_before=? WHERE id=?");
    binder(*row) << what.attempts << what.not_before << what.id;
    row->exec();
}

WAYBILL_DECL void database::remove_leftover(std::int64_t id) {
    const auto row = sql("DELETE FROM leftover WHERE id=?");
    binder(*row) << id;
    row->exec();
}

WAYBILL_DECL void database::erase(job_seq seq) {
    for (const std::string_view text : {"DELETE FROM item WHERE job=?", "DELETE FROM payload WHERE job=?",
                                        "DELETE FROM checkpoint WHERE job=?", "DELETE FROM job WHERE seq=?"}) {
        const auto row = sql(text);
        binder(*row) << seq;
        row->exec();
    }
}

// A job of any status leaves the queue, and stays until it is removed: it never expires. The row's
// status and size may be the damaged part: then all rows are counted.
WAYBILL_DECL totals database::quarantine(job_seq seq) {
    const totals before = pending_totals_;
    const std::optional<job_record> sound = read_sound(seq);
    job_state state;
    state.status = status::failed;
    state.error.code = errc::record_damaged;
    state.finished = time_.wall;
    state.retired = never_retired;
    update_state(seq, state);
    if (sound) {
        move_total(sound->state.status, status::failed, sound->spec.size);
    } else {
        const auto row = sql("UPDATE job SET size=0 WHERE seq=? AND size NOT BETWEEN 0 AND 4611686018427387903");
        binder(*row) << seq;
        row->exec();
        pending_totals_ = count_rows();
    }
    totals difference;
    for (std::size_t i = 0; i < status_count; ++i) {
        difference.by_status[i].jobs = pending_totals_.by_status[i].jobs - before.by_status[i].jobs;
        difference.by_status[i].bytes = pending_totals_.by_status[i].bytes - before.by_status[i].bytes;
    }
    return difference;
}

WAYBILL_DECL removed_job database::remove(job_seq seq) {
    const auto row = sql("SELECT status,size FROM job WHERE seq=?");
    binder(*row) << seq;
    if (!row->executeStep()) {
        throw error(errc::unknown_job);
    }
    const auto now = static_cast<status>(row->getColumn(0).getInt64());
    const auto size = static_cast<std::uint64_t>(row->getColumn(1).getInt64());
    if (!is_terminal(now)) {
        throw error(errc::not_allowed, "the job is not finished");
    }
    erase(seq);
    pending_totals_[now].jobs -= 1;
    pending_totals_[now].bytes -= size;
    return {seq, now, size, false};
}

WAYBILL_DECL std::vector<removed_job> database::remove_finished(std::chrono::milliseconds before, unix_millis now) {
    std::vector<job_seq> old;
    {
        const auto row = sql("SELECT seq FROM job WHERE status > 5 AND retired < ? ORDER BY retired LIMIT 1000");
        binder(*row) << before;
        while (row->executeStep()) {
            old.push_back(static_cast<job_seq>(row->getColumn(0).getInt64()));
        }
    }
    std::vector<removed_job> gone;
    for (const job_seq seq : old) {
        if (!read_sound(seq)) {
            gone.push_back({seq, status::failed, 0, true});
            continue;
        }
        keep_leftovers(seq, now);
        gone.push_back(remove(seq));
    }
    return gone;
}

// What a server still has of a job must not be lost with the job. Few finished jobs have checkpoints: those that
// failed.
WAYBILL_DECL void database::keep_leftovers(job_seq seq, unix_millis now) {
    {
        const auto any = sql("SELECT 1 FROM checkpoint WHERE job=? LIMIT 1");
        binder(*any) << seq;
        if (!any->executeStep()) {
            return;
        }
    }
    const std::optional<loaded_job> whole = load(seq);
    if (!whole || whole->damaged) {
        return;  // no request is made from damaged bytes
    }
    for (const checkpoint& c : whole->checkpoints) {
        insert_leftover(leftover_of(whole->job, c, now));
    }
}

}  // namespace waybill::detail
