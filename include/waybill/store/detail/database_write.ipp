// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/apply.hpp>
#include <waybill/store/detail/database.hpp>
#include <waybill/store/detail/rows.hpp>

#include <utility>

namespace waybill::detail {

WAYBILL_DECL std::vector<added_job> database::add(const std::vector<new_job>& jobs) {
    std::vector<added_job> result;
    result.reserve(jobs.size());
    for (const new_job& j : jobs) {
        const auto seq = static_cast<job_seq>(last_seq_ + 1);
        if (!j.items.empty() && insert(j, seq)) {
            ++last_seq_;
            result.push_back({seq, false});
            continue;
        }
        const auto known = sql("SELECT seq,content FROM job WHERE id=?");
        known->bindNoCopy(1, j.job.spec.id.str());
        if (!known->executeStep()) {
            // The id is taken but belongs to no row: its index is broken, and looking it up again would never end.
            throw error(j.items.empty() ? errc::unknown_job : errc::store_damaged, j.job.spec.id.str());
        }
        if (known->getColumn(1).getInt64() != j.job.spec.content) {
            throw error(errc::duplicate_id, j.job.spec.id.str());
        }
        result.push_back({static_cast<job_seq>(known->getColumn(0).getInt64()), true});
    }
    return result;
}

/// False when its id is taken.
WAYBILL_DECL bool database::insert(const new_job& job, job_seq seq) {
    const job_spec& s = job.job.spec;
    const job_state& t = job.job.state;
    const std::string settings = encode(s.protocol.settings);
    const std::string headers = encode(s.headers);
    const std::string fields = encode(s.fields);
    const std::string failure = encode(t.error);
    const std::string spec_extra = extra_of(s);
    const std::string state_extra = extra_of(t);
    const auto row =
        sql("INSERT INTO job VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
            "ON CONFLICT(id) DO NOTHING");
    binder to(*row);
    to << seq;
    to.text(s.id.str())
        .text(s.lane)
        .text(s.origin)
        .text(s.url)
        .text(s.protocol.name)
        .blob(settings)
        .blob(headers)
        .blob(fields);
    to << s.if_unknown;
    to.text(s.verifier) << s.size << s.item_count << s.accepted << s.content;
    to.blob(spec_extra) << checksum(s);
    to << t.status << t.stage << t.reason << t.epoch << t.attempt << t.failures << t.early_cuts << t.intent.attempt()
       << to_column(t.intent.item());
    to << t.not_before << t.epoch_began << t.finished << t.retired;
    to.text(t.negotiated_protocol).text(t.key).blob(failure).blob(state_extra) << checksum(seq, t);
    if (row->exec() == 0) {
        return false;
    }
    for (std::size_t i = 0; i < job.items.size(); ++i) {
        insert_item(seq, i, job.items[i]);
    }
    pending_totals_[t.status].jobs += 1;
    pending_totals_[t.status].bytes += s.size;
    return true;
}

WAYBILL_DECL void database::insert_item(job_seq seq, std::size_t index, const item_record& item) {
    const item_spec& s = item.spec;
    const item_state& t = item.state;
    const std::string spec_extra = extra_of(s);
    const std::string state_extra = extra_of(t);
    const auto row = sql("INSERT INTO item VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    binder to(*row);
    to << seq << index << s.kind;
    to.blob(s.path) << s.offset << s.size << s.identity.device << s.identity.inode << s.identity.size
                    << s.identity.mtime_ns << s.identity.ctime_ns;
    to.blob(s.name).blob(s.field).text(s.content_type).blob(spec_extra) << checksum(seq, index, s);
    to << t.status << t.confirmed;
    to.blob(t.receipt).blob(state_extra) << checksum(seq, index, t);
    row->exec();
    if (s.kind == source_kind::bytes && !s.data.empty()) {
        const auto payload = sql("INSERT INTO payload VALUES(?,?,?,?)");
        binder bytes(*payload);
        bytes << seq << index;
        bytes.blob(s.data) << crc32c(0, s.data);
        payload->exec();
    }
}

WAYBILL_DECL void database::apply(const job_change& change) {
    const bool stays = change.from == change.to.status && change.repinned.empty();
    if (!stays || !update_within_status(change.seq, change.to)) {
        change_status(change);
    }
    for (const auto& [index, state] : change.items) {
        const std::string extra = extra_of(state);
        const auto row =
            sql("UPDATE item SET status=?,confirmed=?,receipt=?,state_extra=?,state_crc=? WHERE job=? AND idx=?");
        binder to(*row);
        to << state.status << state.confirmed;
        to.blob(state.receipt).blob(extra) << checksum(change.seq, index, state) << change.seq << index;
        row->exec();
    }
    if (change.drop_checkpoints) {
        const auto row = sql("DELETE FROM checkpoint WHERE job=?");
        binder(*row) << change.seq;
        row->exec();
    }
    for (const std::size_t item : change.dropped) {
        const auto row = sql("DELETE FROM checkpoint WHERE job=? AND idx=?");
        binder(*row) << change.seq << to_column(item);
        row->exec();
    }
    for (const leftover& l : change.leftovers) {
        insert_leftover(l);
    }
    for (const checkpoint& c : change.checkpoints) {
        const std::string extra = extra_of(c);
        const auto row = sql("INSERT OR REPLACE INTO checkpoint VALUES(?,?,?,?,?,?,?,?)");
        binder to(*row);
        to << change.seq << to_column(c.item);
        to.blob(c.resource) << c.offset;
        to.blob(c.state) << c.expires_unix;
        to.blob(extra) << checksum(change.seq, c);
        row->exec();
    }
}

WAYBILL_DECL void database::change_status(const job_change& change) {
    std::uint64_t size = size_of(change.seq, change.from);
    require_possible(change);
    if (!change.repinned.empty()) {
        pending_totals_[change.from].bytes -= size;
        repin(change);
        size = size_of(change.seq, change.from);
        pending_totals_[change.from].bytes += size;
    }
    update_state(change.seq, change.to);
    move_total(change.from, change.to.status, size);
}

/// Sets columns that no index is about: otherwise SQLite would remove the row from each index whose condition names a
/// column that is set, and insert it again. False when the job does not have this status.
WAYBILL_DECL bool database::update_within_status(job_seq seq, const job_state& t) {
    const std::string failure = encode(t.error);
    const std::string extra = extra_of(t);
    const auto row =
        sql("UPDATE job SET stage=?,reason=?,epoch=?,attempt=?,failures=?,early_cuts=?,intent_attempt=?,intent_item=?,"
            "not_before=?,epoch_began=?,negotiated=?,key=?,error=?,state_extra=?,state_crc=? "
            "WHERE seq=? AND status=? AND finished=? AND retired=?");
    binder to(*row);
    to << t.stage << t.reason << t.epoch << t.attempt << t.failures << t.early_cuts << t.intent.attempt()
       << to_column(t.intent.item()) << t.not_before << t.epoch_began;
    to.text(t.negotiated_protocol).text(t.key).blob(failure).blob(extra)
        << checksum(seq, t) << seq << t.status << t.finished;
    to << t.retired;
    return row->exec() == 1;
}

WAYBILL_DECL void database::update_state(job_seq seq, const job_state& t) {
    const std::string failure = encode(t.error);
    const std::string extra = extra_of(t);
    const auto row =
        sql("UPDATE job SET "
            "status=?,stage=?,reason=?,epoch=?,attempt=?,failures=?,early_cuts=?,intent_attempt=?,intent_item=?,not_"
            "before=?,"
            "epoch_began=?,finished=?,retired=?,negotiated=?,key=?,error=?,state_extra=?,state_crc=? WHERE seq=?");
    binder to(*row);
    to << t.status << t.stage << t.reason << t.epoch << t.attempt << t.failures << t.early_cuts << t.intent.attempt()
       << to_column(t.intent.item()) << t.not_before << t.epoch_began << t.finished << t.retired;
    to.text(t.negotiated_protocol).text(t.key).blob(failure).blob(extra) << checksum(seq, t) << seq;
    row->exec();
}

// A retry sends the files as they are now: new identities, new sizes, a new checksum for the job.
WAYBILL_DECL void database::repin(const job_change& change) {
    std::optional<loaded_job> whole = load(change.seq);
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < change.repinned.size(); ++i) {
        const item_spec& s = change.repinned[i];
        size += s.size;
        const std::string extra = extra_of(s);
        const auto row =
            sql("UPDATE item SET size=?,device=?,inode=?,file_size=?,mtime_ns=?,ctime_ns=?,spec_extra=?,spec_crc=? "
                "WHERE job=? AND idx=?");
        binder to(*row);
        to << s.size << s.identity.device << s.identity.inode << s.identity.size << s.identity.mtime_ns
           << s.identity.ctime_ns;
        to.blob(extra) << checksum(change.seq, i, s) << change.seq << i;
        row->exec();
    }
    whole->job.spec.size = size;
    const auto row = sql("UPDATE job SET size=?,spec_crc=? WHERE seq=?");
    binder(*row) << size << checksum(whole->job.spec) << change.seq;
    row->exec();
}

WAYBILL_DECL void database::move_total(status from, status to, std::uint64_t bytes) {
    pending_totals_[from].jobs -= 1;
    pending_totals_[from].bytes -= bytes;
    pending_totals_[to].jobs += 1;
    pending_totals_[to].bytes += bytes;
}

}  // namespace waybill::detail
