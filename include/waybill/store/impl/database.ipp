// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/database.hpp>
#include <waybill/store/detail/rows.hpp>

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

namespace waybill::detail {

[[nodiscard]] inline errc to_errc(int sqlite_code) noexcept {
    switch (sqlite_code & 0xFF) {
        case SQLITE_FULL: return errc::store_full;
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return errc::store_locked;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return errc::store_damaged;
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH: return errc::store_unwritable;
        default: return errc::store_failed;
    }
}

/// Rethrows what SQLiteCpp threw in this library's words. Call in a catch block.
[[noreturn]] WAYBILL_DECL void rethrow_as_store_error(const std::string& path) {
    try {
        throw;
    } catch (const SQLite::Exception& e) {
        throw error(to_errc(e.getErrorCode()), path + " (" + e.what() + ")");
    }
}

WAYBILL_DECL database::database(const store_options& options) {
    try {
        open(options);
    } catch (const SQLite::Exception&) {
        rethrow_as_store_error(options.path);
    }
}

WAYBILL_DECL void database::open(const store_options& options) {
    file_ = std::make_unique<store_file>(options);
    try {
        const auto content = file_->inspect();
        db_ = std::make_unique<SQLite::Database>(file_->path(),
                                                 SQLite::OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX);
        configure();
        // A crash while it was being created: SQLite has just rolled that back to an empty file.
        if (content == store_file::content::fresh || is_empty()) {
            create();
        }
        db_->exec("PRAGMA journal_mode=WAL");
        check_schema();
        quick_check();
        totals_ = pending_totals_ = read_totals();
        last_seq_ = db_->execAndGet("SELECT coalesce(max(seq),0) FROM sqlite_sequence WHERE name='job'").getInt64();
        recover_interrupted();
    } catch (const std::exception& e) {
        const auto* const ours = dynamic_cast<const error*>(&e);
        const auto* const theirs = dynamic_cast<const SQLite::Exception*>(&e);
        const bool damaged = (ours != nullptr && ours->code() == errc::store_damaged) ||
                             (theirs != nullptr && to_errc(theirs->getErrorCode()) == errc::store_damaged);
        statements_.clear();
        db_.reset();
        if (!damaged || options.if_damaged == damaged_store::refuse || !set_aside_.empty()) {
            throw;
        }
        set_aside_ = file_->set_aside();
    }
    if (!db_) {
        file_.reset();  // gives the lock back before it is taken anew
        open(options);
    }
}

WAYBILL_DECL void database::configure() {
    sqlite3* const handle = db_->getHandle();
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 8 << 20);
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    // Exclusive before the first access: no shared memory, and no second connection can get in.
    db_->exec("PRAGMA locking_mode=EXCLUSIVE");
    db_->exec("PRAGMA synchronous=FULL");
    db_->exec("PRAGMA temp_store=MEMORY");
    db_->exec("PRAGMA cell_size_check=ON");
    db_->exec("PRAGMA mmap_size=0");
    db_->exec("PRAGMA journal_size_limit=16777216");
}

WAYBILL_DECL void database::create() {
    // One transaction, still with a rollback journal: a crash leaves an empty file or a whole store.
    db_->exec("BEGIN IMMEDIATE");
    db_->exec("PRAGMA application_id=" + std::to_string(store_application_id));
    db_->exec("PRAGMA user_version=" + std::to_string(store_version));
    for (const std::string_view statement : store_schema) {
        db_->exec(std::string(statement));
    }
    for (std::size_t i = 0; i < status_count; ++i) {
        db_->exec("INSERT INTO total VALUES(" + std::to_string(i) + ",0,0)");
    }
    db_->exec("COMMIT");
}

WAYBILL_DECL bool database::is_empty() {
    return db_->execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0;
}

WAYBILL_DECL void database::check_schema() {
    SQLite::Statement found(*db_, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'");
    std::size_t matching = 0;
    while (found.executeStep()) {
        const std::string text = found.getColumn(0).getString();
        if (std::find(store_schema.begin(), store_schema.end(), text) == store_schema.end()) {
            throw error(errc::store_damaged, file_->path() + " has a foreign schema");
        }
        ++matching;
    }
    if (matching != store_schema.size()) {
        throw error(errc::store_damaged, file_->path() + " lacks a table");
    }
}

WAYBILL_DECL void database::quick_check() {
    // Bounded: a large queue must open at once. Its rows carry checksums and are checked when used.
    constexpr int most_pages = 4096;
    if (db_->execAndGet("PRAGMA page_count").getInt() > most_pages) {
        return;
    }
    const std::string verdict = db_->execAndGet("PRAGMA quick_check(1)").getString();
    if (verdict != "ok") {
        throw error(errc::store_damaged, file_->path() + " (" + verdict + ")");
    }
}

WAYBILL_DECL database::use database::sql(std::string_view text) {
    auto& kept = statements_[text];
    if (!kept) {
        kept = std::make_unique<SQLite::Statement>(*db_, std::string(text));
    }
    return use(*kept);
}

WAYBILL_DECL void database::transact(std::vector<database_change>& changes) {
    std::vector<std::exception_ptr> outcome(changes.size());
    try {
        sql("BEGIN IMMEDIATE")->exec();
        for (std::size_t i = 0; i < changes.size(); ++i) {
            const totals before = pending_totals_;
            sql("SAVEPOINT one")->exec();
            try {
                changes[i].apply();
            } catch (const SQLite::Exception& e) {
                if (sqlite3_get_autocommit(db_->getHandle()) != 0) {
                    throw;  // SQLite has rolled everything back: a full disk, an I/O error
                }
                outcome[i] =
                    std::make_exception_ptr(error(to_errc(e.getErrorCode()), file_->path() + " (" + e.what() + ")"));
            } catch (const error&) {
                outcome[i] = std::current_exception();
            }
            if (outcome[i]) {
                sql("ROLLBACK TO one")->exec();
                pending_totals_ = before;
            }
            sql("RELEASE one")->exec();
        }
        write_totals();
        sql("COMMIT")->exec();
        totals_ = pending_totals_;
    } catch (const SQLite::Exception& e) {
        if (sqlite3_get_autocommit(db_->getHandle()) == 0) {
            static_cast<void>(db_->tryExec("ROLLBACK"));
        }
        pending_totals_ = totals_;
        const auto failed =
            std::make_exception_ptr(error(to_errc(e.getErrorCode()), file_->path() + " (" + e.what() + ")"));
        std::fill(outcome.begin(), outcome.end(), failed);
    }
    for (std::size_t i = 0; i < changes.size(); ++i) {
        changes[i].settled(outcome[i]);
    }
}

WAYBILL_DECL std::vector<added_job> database::add(const std::vector<new_job>& jobs) {
    std::vector<added_job> result;
    result.reserve(jobs.size());
    for (const new_job& j : jobs) {
        const auto known = sql("SELECT seq,content FROM job WHERE id=?");
        known->bindNoCopy(1, j.job.spec.id.str());
        if (known->executeStep()) {
            if (known->getColumn(1).getInt64() != j.job.spec.content) {
                throw error(errc::duplicate_id, j.job.spec.id.str());
            }
            result.push_back({static_cast<job_seq>(known->getColumn(0).getInt64()), true});
            continue;
        }
        const auto seq = static_cast<job_seq>(++last_seq_);
        insert(j, seq);
        result.push_back({seq, false});
    }
    return result;
}

WAYBILL_DECL void database::insert(const new_job& job, job_seq seq) {
    const job_spec& s = job.job.spec;
    const job_state& t = job.job.state;
    const std::string settings = encode(s.protocol.settings);
    const std::string headers = encode(s.headers);
    const std::string fields = encode(s.fields);
    const std::string failure = encode(t.error);
    const auto row = sql("INSERT INTO job VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    binder to(*row);
    to << seq;
    to.text(s.id.str()).text(s.lane).text(s.url).text(s.protocol.name).blob(settings).blob(headers).blob(fields);
    to << s.if_unknown;
    to.text(s.verifier) << s.size << s.item_count << s.accepted << s.content << checksum(s);
    to << t.now << t.stage << t.reason << t.epoch << t.attempt << t.failures << t.early_cuts << t.tail_attempt
       << to_column(t.tail_item);
    to << t.not_before << t.epoch_began << t.finished;
    to.text(t.spoken).text(t.key).blob(failure) << checksum(seq, t);
    row->exec();
    for (std::size_t i = 0; i < job.items.size(); ++i) {
        insert_item(seq, i, job.items[i]);
    }
    pending_totals_[t.now].jobs += 1;
    pending_totals_[t.now].bytes += s.size;
}

WAYBILL_DECL void database::insert_item(job_seq seq, std::size_t index, const item_record& item) {
    const item_spec& s = item.spec;
    const item_state& t = item.state;
    const auto row = sql("INSERT OR REPLACE INTO item VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    binder to(*row);
    to << seq << index << s.kind;
    to.blob(s.path) << s.offset << s.size << s.identity.device << s.identity.inode << s.identity.size
                    << s.identity.mtime_ns << s.identity.ctime_ns;
    to.blob(s.name).blob(s.field).text(s.content_type) << checksum(seq, index, s);
    to << t.now << t.confirmed;
    to.blob(t.receipt) << checksum(seq, index, t);
    row->exec();
    if (s.kind == source_kind::bytes && !s.data.empty()) {
        const auto payload = sql("INSERT OR REPLACE INTO payload VALUES(?,?,?,?)");
        binder bytes(*payload);
        bytes << seq << index;
        bytes.blob(s.data) << crc32c(0, s.data);
        payload->exec();
    }
}

WAYBILL_DECL void database::apply(const job_change& change) {
    std::uint64_t size = size_of(change.seq, change.from);
    if (change.from != change.to.now && !can_become(change.from, change.to.now)) {
        throw error(errc::not_allowed,
                    std::string(to_string(change.from)) + " to " + std::string(to_string(change.to.now)));
    }
    if (!change.repinned.empty()) {
        pending_totals_[change.from].bytes -= size;
        repin(change);
        size = size_of(change.seq, change.from);
        pending_totals_[change.from].bytes += size;
    }
    update_state(change.seq, change.to);
    move_total(change.from, change.to.now, size);
    for (const auto& [index, state] : change.items) {
        const auto row = sql("UPDATE item SET status=?,confirmed=?,receipt=?,state_crc=? WHERE job=? AND idx=?");
        binder to(*row);
        to << state.now << state.confirmed;
        to.blob(state.receipt) << checksum(change.seq, index, state) << change.seq << index;
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
        const auto row = sql("INSERT OR REPLACE INTO checkpoint VALUES(?,?,?,?,?,?,?)");
        binder to(*row);
        to << change.seq << to_column(c.item);
        to.blob(c.resource) << c.offset;
        to.blob(c.state) << c.expires_unix << checksum(change.seq, c);
        row->exec();
    }
}

WAYBILL_DECL void database::update_state(job_seq seq, const job_state& t) {
    const std::string failure = encode(t.error);
    const auto row = sql(
        "UPDATE job SET "
        "status=?,stage=?,reason=?,epoch=?,attempt=?,failures=?,early_cuts=?,tail_attempt=?,tail_item=?,not_before=?,"
        "epoch_began=?,finished=?,spoken=?,key=?,error=?,state_crc=? WHERE seq=?");
    binder to(*row);
    to << t.now << t.stage << t.reason << t.epoch << t.attempt << t.failures << t.early_cuts << t.tail_attempt
       << to_column(t.tail_item) << t.not_before << t.epoch_began << t.finished;
    to.text(t.spoken).text(t.key).blob(failure) << checksum(seq, t) << seq;
    row->exec();
}

// A retry sends the files as they are now: new identities, new sizes, a new checksum for the job.
WAYBILL_DECL void database::repin(const job_change& change) {
    std::optional<loaded_job> whole = load(change.seq);
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < change.repinned.size(); ++i) {
        const item_spec& s = change.repinned[i];
        size += s.size;
        const auto row =
            sql("UPDATE item SET size=?,device=?,inode=?,file_size=?,mtime_ns=?,ctime_ns=?,spec_crc=? "
                "WHERE job=? AND idx=?");
        binder to(*row);
        to << s.size << s.identity.device << s.identity.inode << s.identity.size << s.identity.mtime_ns
           << s.identity.ctime_ns << checksum(change.seq, i, s) << change.seq << i;
        row->exec();
    }
    whole->job.spec.size = size;
    const auto row = sql("UPDATE job SET size=?,spec_crc=? WHERE seq=?");
    binder(*row) << size << checksum(whole->job.spec) << change.seq;
    row->exec();
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

WAYBILL_DECL void database::move_total(status from, status to, std::uint64_t bytes) {
    pending_totals_[from].jobs -= 1;
    pending_totals_[from].bytes -= bytes;
    pending_totals_[to].jobs += 1;
    pending_totals_[to].bytes += bytes;
}

WAYBILL_DECL void database::insert_leftover(const leftover& what) {
    const std::string job = encode(what.job);
    const checkpoint& c = what.reached;
    const auto row =
        sql("INSERT INTO leftover(job,idx,resource,offset,state,expires,crc,attempts,since,not_before) "
            "VALUES(?,?,?,?,?,?,?,?,?,?)");
    binder to(*row);
    to.blob(job) << to_column(c.item);
    to.blob(c.resource) << c.offset;
    to.blob(c.state) << c.expires_unix << checksum(what) << what.attempts << what.since << what.not_before;
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

// One that cannot be trusted is dropped: no request is made from damaged bytes.
WAYBILL_DECL std::optional<leftover> database::next_leftover() {
    static const std::string text =
        "SELECT " + std::string(leftover_columns) + " FROM leftover ORDER BY not_before,id LIMIT 1";
    for (;;) {
        leftover found;
        bool sound = false;
        {
            const auto row = sql(text);
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

WAYBILL_DECL void database::erase(job_seq seq) {
    for (const std::string_view text : {"DELETE FROM item WHERE job=?", "DELETE FROM payload WHERE job=?",
                                        "DELETE FROM checkpoint WHERE job=?", "DELETE FROM job WHERE seq=?"}) {
        const auto row = sql(text);
        binder(*row) << seq;
        row->exec();
    }
}

// Whatever the row says of its state, it leaves the queue; only the totals need it to be sane.
WAYBILL_DECL void database::quarantine(job_seq seq) {
    const auto row = sql("SELECT status,size FROM job WHERE seq=?");
    binder(*row) << seq;
    if (!row->executeStep()) {
        throw error(errc::unknown_job);
    }
    const std::int64_t before = row->getColumn(0).getInt64();
    const std::int64_t size = row->getColumn(1).getInt64();
    job_state state;
    state.now = status::failed;
    state.error.code = errc::record_damaged;
    update_state(seq, state);
    if (before >= 0 && before < static_cast<std::int64_t>(status_count)) {
        move_total(static_cast<status>(before), status::failed, static_cast<std::uint64_t>(size));
    }
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
    return {seq, now, size};
}

WAYBILL_DECL std::vector<removed_job> database::remove_finished(unix_millis before) {
    std::vector<job_seq> old;
    {
        const auto row = sql("SELECT seq FROM job WHERE status > 5 AND finished < ? ORDER BY finished LIMIT 1000");
        binder(*row) << before;
        while (row->executeStep()) {
            old.push_back(static_cast<job_seq>(row->getColumn(0).getInt64()));
        }
    }
    std::vector<removed_job> gone;
    for (const job_seq seq : old) {
        gone.push_back(remove(seq));
    }
    return gone;
}

WAYBILL_DECL std::optional<job_seq> database::find(const job_id& id) {
    const auto row = sql("SELECT seq FROM job WHERE id=?");
    row->bindNoCopy(1, id.str());
    if (!row->executeStep()) {
        return std::nullopt;
    }
    return static_cast<job_seq>(row->getColumn(0).getInt64());
}

WAYBILL_DECL std::optional<loaded_job> database::load(job_seq seq) {
    static const std::string text = "SELECT " + std::string(job_columns) + " FROM job WHERE seq=?";
    const auto row = sql(text);
    binder(*row) << seq;
    if (!row->executeStep()) {
        return std::nullopt;
    }
    loaded_job result = read_whole(*row, true);
    const auto checkpoints = sql("SELECT idx,resource,offset,state,expires,crc FROM checkpoint WHERE job=?");
    binder(*checkpoints) << seq;
    while (checkpoints->executeStep()) {
        column_reader from(*checkpoints);
        checkpoint c;
        c.item = item_from_column(from.number());
        c.resource = from.bytes();
        c.offset = from.size();
        c.state = from.bytes();
        c.expires_unix = from.number();
        // A checkpoint that cannot be trusted is dropped: the server is asked instead.
        if (from.number() == checksum(seq, c) && from.ok()) {
            result.checkpoints.push_back(std::move(c));
        }
    }
    return result;
}

WAYBILL_DECL loaded_job database::read_whole(SQLite::Statement& row, bool with_payload) {
    static const std::string text = "SELECT " + std::string(item_columns) + " FROM item WHERE job=? ORDER BY idx";
    loaded_job result;
    result.damaged = !read_job(row, result.job);
    const job_seq seq = result.job.seq;
    const auto items = sql(text);
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
    static const std::string select = "SELECT " + std::string(job_columns) + " FROM job ";
    static const std::string all = select + "WHERE seq>? ORDER BY seq LIMIT ?";
    static const std::string open =
        select + "INDEXED BY job_open WHERE status < 4 AND (lane,seq) > (?,?) ORDER BY lane,seq LIMIT ?";
    static const std::string parked =
        select + "INDEXED BY job_parked WHERE status IN (4, 5) AND seq>? ORDER BY seq LIMIT ?";
    static const std::string finished = select +
                                        "INDEXED BY job_finished WHERE status > 5 AND (finished,seq) < (?,?) "
                                        "ORDER BY finished DESC,seq DESC LIMIT ?";
    const std::string lane = after ? after->spec.lane : "";
    const job_seq seq = after ? after->seq : job_seq{};
    const auto row = sql(which == listing::all      ? all
                         : which == listing::open   ? open
                         : which == listing::parked ? parked
                                                    : finished);
    binder to(*row);
    if (which == listing::open) {
        to.text(lane) << seq;
    } else if (which == listing::finished) {
        constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
        to << (after ? after->state.finished.time_since_epoch().count() : never)
           << (after ? static_cast<std::int64_t>(seq) : never);
    } else {
        to << seq;
    }
    to << most;
    std::vector<loaded_job> result;
    while (row->executeStep()) {
        result.push_back(read_whole(*row, false));
    }
    return result;
}

WAYBILL_DECL std::vector<queued_job> database::lane(const std::string& name, job_seq after, std::size_t most) {
    std::vector<queued_job> result;
    const auto row =
        sql("SELECT seq,not_before FROM job INDEXED BY job_open WHERE status < 4 AND lane=? AND seq>? "
            "ORDER BY seq LIMIT ?");
    binder(*row).text(name) << after << most;
    while (row->executeStep()) {
        column_reader from(*row);
        const auto seq = static_cast<job_seq>(from.number());
        result.push_back({seq, name, from.time()});
    }
    return result;
}

// One index look-up for each lane, however many jobs it has.
WAYBILL_DECL std::vector<queued_job> database::lane_heads() {
    std::vector<queued_job> result;
    const std::string_view first =
        "SELECT lane,seq,not_before FROM job INDEXED BY job_open WHERE status < 4 AND lane >= ? "
        "ORDER BY lane,seq LIMIT 1";
    const std::string_view next =
        "SELECT lane,seq,not_before FROM job INDEXED BY job_open WHERE status < 4 AND lane > ? "
        "ORDER BY lane,seq LIMIT 1";
    for (std::string lane;;) {
        const auto row = sql(result.empty() ? first : next);
        row->bindNoCopy(1, lane);
        if (!row->executeStep()) {
            return result;
        }
        column_reader from(*row);
        queued_job head;
        head.lane = from.bytes();
        head.seq = static_cast<job_seq>(from.number());
        head.not_before = from.time();
        result.push_back(head);
        lane = std::move(head.lane);
    }
}

WAYBILL_DECL void database::recover_interrupted() {
    static const std::string text = "SELECT " + std::string(job_columns) + " FROM job WHERE status IN (1, 2)";
    std::vector<job_record> interrupted;
    {
        const auto row = sql(text);
        while (row->executeStep()) {
            job_record job;
            if (read_job(*row, job)) {
                interrupted.push_back(std::move(job));
            }
        }
    }
    if (interrupted.empty()) {
        return;
    }
    std::vector<database_change> changes(1);
    std::exception_ptr thrown;
    changes[0].apply = [&] {
        for (const job_record& job : interrupted) {
            job_change back;
            back.seq = job.seq;
            back.from = job.state.now;
            back.to = job.state;
            back.to.now = status::pending;
            apply(back);
        }
    };
    changes[0].settled = [&](std::exception_ptr e) { thrown = std::move(e); };
    transact(changes);
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

WAYBILL_DECL totals database::read_totals() {
    totals result;
    const auto row = sql("SELECT status,jobs,bytes FROM total");
    while (row->executeStep()) {
        const std::int64_t at = row->getColumn(0).getInt64();
        if (at >= 0 && at < static_cast<std::int64_t>(status_count)) {
            result.by_status[static_cast<std::size_t>(at)] = {static_cast<std::uint64_t>(row->getColumn(1).getInt64()),
                                                              static_cast<std::uint64_t>(row->getColumn(2).getInt64())};
        }
    }
    return result;
}

WAYBILL_DECL void database::write_totals() {
    for (std::size_t i = 0; i < status_count; ++i) {
        const totals::row& now = pending_totals_.by_status[i];
        const totals::row& before = totals_.by_status[i];
        if (now.jobs != before.jobs || now.bytes != before.bytes) {
            const auto row = sql("UPDATE total SET jobs=?,bytes=? WHERE status=?");
            binder(*row) << now.jobs << now.bytes << i;
            row->exec();
        }
    }
}

WAYBILL_DECL store_contents database::contents() {
    return {totals_, lane_heads(), set_aside_};
}

WAYBILL_DECL void database::write_back() {
    static_cast<void>(db_->tryExec("PRAGMA wal_checkpoint(TRUNCATE)"));
}

}  // namespace waybill::detail
