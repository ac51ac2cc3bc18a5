// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/database.hpp>
#include <waybill/store/detail/rows.hpp>

#include <limits>
#include <string>
#include <utility>

namespace waybill::detail {

WAYBILL_DECL database::texts::texts() {
    const std::string select = "SELECT " + std::string(job_columns) + " FROM job ";
    job = select + "WHERE seq=?";
    interrupted = select + "WHERE status IN (1, 2)";
    items = "SELECT " + std::string(item_columns) + " FROM item WHERE job=? ORDER BY idx";
    checkpoints = "SELECT " + std::string(checkpoint_columns) + " FROM checkpoint WHERE job=?";
    leftovers = "SELECT " + std::string(leftover_columns) + " FROM leftover ORDER BY not_before,id LIMIT 1";
    rules = "SELECT " + std::string(rule_columns) + " FROM rule";
    all = select + "WHERE seq>? ORDER BY seq LIMIT ?";
    open = select +
           "INDEXED BY job_open WHERE status < 4 AND (lane,origin,seq) > (?,?,?) ORDER BY lane,origin,seq LIMIT ?";
    parked = select + "INDEXED BY job_parked WHERE status IN (4, 5) AND seq>? ORDER BY seq LIMIT ?";
    finished = select +
               "INDEXED BY job_finished WHERE status > 5 AND (retired,seq) < (?,?) "
               "ORDER BY retired DESC,seq DESC LIMIT ?";
}

WAYBILL_DECL std::uint64_t database::size_of(job_seq seq, status expected) {
    const auto row = sql("SELECT size,status FROM job WHERE seq=?");
    binder(*row) << seq;
    if (!row->executeStep()) {
        throw error(errc::unknown_job);
    }
    if (row->getColumn(1).getInt64() != static_cast<std::int64_t>(expected)) {
        throw error(errc::not_allowed, "the job is not " + std::string(to_string(expected)));
    }
    return static_cast<std::uint64_t>(row->getColumn(0).getInt64());
}

// One that cannot be trusted is dropped: no request is made from damaged bytes.
WAYBILL_DECL std::optional<leftover> database::next_leftover() {
    for (;;) {
        leftover found;
        bool sound = false;
        {
            const auto row = sql(texts_.leftovers);
            if (!row->executeStep()) {
                return std::nullopt;
            }
            sound = read_leftover(*row, found);
        }
        if (sound) {
            return found;
        }
        remove_leftover(found.id);
    }
}

WAYBILL_DECL std::optional<job_seq> database::find(const job_id& id) {
    const auto row = sql("SELECT seq FROM job WHERE id=?");
    row->bindNoCopy(1, id.str());
    if (!row->executeStep()) {
        return std::nullopt;
    }
    return static_cast<job_seq>(row->getColumn(0).getInt64());
}

/// The job's own row, without its items; none when it cannot be trusted.
WAYBILL_DECL std::optional<job_record> database::read_sound(job_seq seq) {
    const auto row = sql(texts_.job);
    binder(*row) << seq;
    if (!row->executeStep()) {
        throw error(errc::unknown_job);
    }
    std::optional<job_record> found(std::in_place);
    if (!read_job(*row, *found)) {
        found.reset();
    }
    return found;
}

WAYBILL_DECL std::optional<loaded_job> database::load(job_seq seq) {
    const auto row = sql(texts_.job);
    binder(*row) << seq;
    if (!row->executeStep()) {
        return std::nullopt;
    }
    loaded_job result = read_whole(*row, true);
    read_checkpoints(result);
    return result;
}

WAYBILL_DECL void database::read_checkpoints(loaded_job& of) {
    const job_seq seq = of.job.seq;
    const auto checkpoints = sql(texts_.checkpoints);
    binder(*checkpoints) << seq;
    while (checkpoints->executeStep()) {
        checkpoint c;
        if (!read_checkpoint(*checkpoints, seq, c)) {
            // That it exists means that an upload was created; nothing else in it can be trusted. No protocol can
            // decode it like this, so its outcome is in doubt.
            of.damaged = of.damaged || (c.item != checkpoint::whole_job && c.item >= of.items.size());
            const std::size_t item = c.item;
            c = {};
            c.item = item;
        }
        of.checkpoints.push_back(std::move(c));
    }
}

WAYBILL_DECL loaded_job database::read_whole(SQLite::Statement& row, bool with_payload) {
    loaded_job result;
    result.damaged = !read_job(row, result.job);
    const job_seq seq = result.job.seq;
    const auto items = sql(texts_.items);
    binder(*items) << seq;
    while (items->executeStep()) {
        const std::size_t index = result.items.size();
        result.damaged = !read_item(*items, seq, index, result.items.emplace_back()) || result.damaged;
        item_spec& s = result.items.back().spec;
        if (with_payload && s.kind == source_kind::bytes && s.size > 0) {
            const auto payload = sql("SELECT data,crc FROM payload WHERE job=? AND idx=?");
            binder(*payload) << seq << index;
            if (payload->executeStep()) {
                column_reader from(*payload);
                s.data = from.bytes();
                result.damaged = result.damaged || from.number() != crc32c(0, s.data) || s.data.size() != s.size;
            } else {
                result.damaged = true;
            }
        }
    }
    result.damaged = result.damaged || result.items.size() != result.job.spec.item_count;
    return result;
}

WAYBILL_DECL std::vector<loaded_job> database::list(listing which, const std::optional<job_record>& after,
                                                    std::size_t most) {
    const std::string lane = after ? after->spec.lane : "";
    const std::string origin = after ? after->spec.origin : "";
    const job_seq seq = after ? after->seq : job_seq{};
    const auto row = sql(which == listing::all      ? texts_.all
                         : which == listing::open   ? texts_.open
                         : which == listing::parked ? texts_.parked
                                                    : texts_.finished);
    binder to(*row);
    if (which == listing::open) {
        to.text(lane).text(origin) << seq;
    } else if (which == listing::finished) {
        constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
        to << (after ? after->state.retired.count() : never) << (after ? static_cast<std::int64_t>(seq) : never);
    } else {
        to << seq;
    }
    to << most;
    std::vector<loaded_job> result;
    while (row->executeStep()) {
        const job_state& state = result.emplace_back(read_whole(*row, false)).job.state;
        const bool begun = state.attempt > 0 || state.epoch > 1;
        if (begun && !is_terminal(state.status)) {  // others have none: a long queue is not asked for them
            read_checkpoints(result.back());
        }
    }
    return result;
}

// Damage in it is found when the job is loaded.
[[nodiscard]] inline queued_job read_queued(SQLite::Statement& row) {
    column_reader from(row);
    queued_job job;
    job.seq = static_cast<job_seq>(from.number());
    job.lane = from.bytes();
    job.origin = from.bytes();
    job.not_before = from.time();
    job.reason = from.number<wait_reason>(0, last_wait_reason);
    job_state state;
    if (read_extra(from.bytes(), state)) {
        job.wait = state.wait;
    }
    return job;
}

WAYBILL_DECL std::vector<queued_job> database::lane(const std::string& name, const std::string& origin, job_seq after,
                                                    std::size_t most) {
    std::vector<queued_job> result;
    const auto row =
        sql("SELECT seq,lane,origin,not_before,reason,state_extra FROM job INDEXED BY job_open "
            "WHERE status < 4 AND lane=? AND origin=? AND seq>? ORDER BY seq LIMIT ?");
    binder(*row).text(name).text(origin) << after << most;
    while (row->executeStep()) {
        result.push_back(read_queued(*row));
    }
    return result;
}

// One index look-up for each lane and origin, however many jobs they have.
WAYBILL_DECL std::vector<queued_job> database::lane_heads() {
    constexpr std::string_view first =
        "SELECT seq,lane,origin,not_before,reason,state_extra FROM job INDEXED BY job_open WHERE status < 4 "
        "ORDER BY lane,origin,seq LIMIT 1";
    constexpr std::string_view next =
        "SELECT seq,lane,origin,not_before,reason,state_extra FROM job INDEXED BY job_open WHERE status < 4 "
        "AND (lane,origin) > (?,?) ORDER BY lane,origin,seq LIMIT 1";
    std::vector<queued_job> result;
    for (;;) {
        const auto row = sql(result.empty() ? first : next);
        if (!result.empty()) {
            binder(*row).text(result.back().lane).text(result.back().origin);
        }
        if (!row->executeStep()) {
            return result;
        }
        queued_job head = read_queued(*row);  // before the last one moves, whose texts are bound
        result.push_back(std::move(head));
    }
}

WAYBILL_DECL store_contents database::contents() {
    store_contents found{totals_, lane_heads(), moved_aside_, kept_time_, {}, {}};
    read_rules(found);
    return found;
}

}  // namespace waybill::detail
