// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/record_format.hpp>
#include <waybill/store/detail/rule_format.hpp>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

// Converts records to rows and back. A row's checksum covers every column that decides what is sent where, because
// SQLite's own checks do not see a flipped bit inside a value. A row that does not match, or has a value outside its
// type's range, marks its job as damaged; nothing is ever guessed.
namespace waybill::detail {

/// Writes parameters one after the other, numbering them itself.
class binder {
public:
    explicit binder(SQLite::Statement& statement) : statement_(statement) {}

    template <class Number>
    requires std::is_integral_v<Number> || std::is_enum_v<Number> binder& operator<<(Number value) {
        statement_.bind(++index_, static_cast<std::int64_t>(value));
        return *this;
    }
    binder& operator<<(unix_millis value) { return *this << value.time_since_epoch().count(); }
    binder& operator<<(std::chrono::milliseconds value) { return *this << value.count(); }
    /// As TEXT: only for values that were checked to be printable.
    binder& text(const std::string& value) {
        statement_.bindNoCopy(++index_, value);
        return *this;
    }
    /// As BLOB; the bytes must live until the statement was stepped.
    binder& blob(std::string_view value) {
        statement_.bindNoCopy(++index_, value.data() == nullptr ? "" : value.data(), static_cast<int>(value.size()));
        return *this;
    }

private:
    SQLite::Statement& statement_;
    int index_ = 0;
};

/// Reads columns one after the other and remembers whether all were in range.
class column_reader {
public:
    explicit column_reader(SQLite::Statement& statement) : statement_(statement) {}

    [[nodiscard]] std::int64_t number() { return statement_.getColumn(index_++).getInt64(); }

    template <class Number>
    [[nodiscard]] Number number(std::int64_t least, std::int64_t most) {
        const std::int64_t value = number();
        if (value < least || value > most) {
            ok_ = false;
            return Number{};
        }
        return static_cast<Number>(value);
    }
    [[nodiscard]] std::uint64_t size() { return number<std::uint64_t>(0, std::numeric_limits<std::int64_t>::max()); }
    [[nodiscard]] std::uint64_t word() { return static_cast<std::uint64_t>(number()); }
    [[nodiscard]] int count() { return number<int>(0, std::numeric_limits<int>::max()); }
    [[nodiscard]] std::chrono::milliseconds duration() { return std::chrono::milliseconds(number()); }
    [[nodiscard]] unix_millis time() { return unix_millis(std::chrono::milliseconds(number())); }

    [[nodiscard]] std::string bytes() {
        const SQLite::Column column = statement_.getColumn(index_++);
        const auto* const data = static_cast<const char*>(column.getBlob());
        return data == nullptr ? std::string() : std::string(data, static_cast<std::size_t>(column.getBytes()));
    }

    void require(bool condition) { ok_ = ok_ && condition; }
    [[nodiscard]] bool ok() const noexcept { return ok_; }

private:
    SQLite::Statement& statement_;
    int index_ = 0;
    bool ok_ = true;
};

/// `whole_job` is -1 in the database.
[[nodiscard]] inline std::int64_t to_column(std::size_t item) noexcept {
    return item == checkpoint::whole_job ? -1 : static_cast<std::int64_t>(item);
}
[[nodiscard]] inline std::size_t item_from_column(std::int64_t value) noexcept {
    return value < 0 ? checkpoint::whole_job : static_cast<std::size_t>(value);
}

inline constexpr std::string_view job_columns =
    "seq,id,lane,origin,url,protocol,settings,headers,fields,if_unknown,verifier,size,item_count,accepted,content,"
    "spec_extra,spec_crc,status,stage,reason,epoch,attempt,failures,early_cuts,intent_attempt,intent_item,not_before,"
    "epoch_began,finished,retired,negotiated,key,error,state_extra,state_crc";

/// The columns of what was accepted.
inline void read_spec(column_reader& from, job_spec& s) {
    const auto pairs = [&](string_pairs& to) {
        const std::string encoded = from.bytes();
        decoder in(encoded);
        to = in.pairs();
        from.require(in.finished());
    };
    s.id = job_id(from.bytes());
    s.lane = from.bytes();
    s.origin = from.bytes();
    s.url = from.bytes();
    s.protocol.name = from.bytes();
    pairs(s.protocol.settings);
    pairs(s.headers);
    pairs(s.fields);
    s.if_unknown = from.number<on_unknown>(0, 2);
    s.verifier = from.bytes();
    s.size = from.size();
    s.item_count = static_cast<std::size_t>(from.size());
    s.accepted = from.time();
    s.content = from.number<std::uint32_t>(0, std::numeric_limits<std::uint32_t>::max());
    from.require(read_extra(from.bytes(), s));
    from.require(from.number() == checksum(s) && s.id.valid());
}

/// The columns of what changes.
inline void read_state(column_reader& from, job_seq seq, job_state& t) {
    t.status = from.number<status>(0, status_count - 1);
    t.stage = from.number<stage>(0, 1);
    t.reason = from.number<wait_reason>(0, last_wait_reason);
    t.epoch = from.count();
    t.attempt = from.count();
    t.failures = from.count();
    t.early_cuts = from.count();
    const int intent_attempt = from.count();
    t.intent = intent(intent_attempt, item_from_column(from.number()));
    t.not_before = from.time();
    t.epoch_began = from.time();
    t.finished = from.time();
    t.retired = from.duration();
    t.negotiated_protocol = from.bytes();
    t.key = from.bytes();
    from.require(decode(from.bytes(), t.error));
    from.require(read_extra(from.bytes(), t));
    from.require(from.number() == checksum(seq, t));
}

/// Reads a row of `job_columns`. False: damaged; `seq`, `spec.id` and `state.status` are still set.
[[nodiscard]] inline bool read_job(SQLite::Statement& row, job_record& out) {
    column_reader from(row);
    out.seq = static_cast<job_seq>(from.number());
    read_spec(from, out.spec);
    read_state(from, out.seq, out.state);
    return from.ok();
}

inline constexpr std::string_view item_columns =
    "idx,kind,path,offset,size,device,inode,file_size,mtime_ns,ctime_ns,name,field,content_type,spec_extra,spec_crc,"
    "status,confirmed,receipt,state_extra,state_crc";

/// Reads a row of `item_columns`. False: damaged.
[[nodiscard]] inline bool read_item(SQLite::Statement& row, job_seq seq, std::size_t expected, item_record& out) {
    column_reader from(row);
    from.require(from.number() == static_cast<std::int64_t>(expected));
    item_spec& s = out.spec;
    s.kind = from.number<source_kind>(0, 2);
    s.path = from.bytes();
    s.offset = from.size();
    s.size = from.size();
    s.identity.device = from.word();
    s.identity.inode = from.word();
    s.identity.size = from.size();
    s.identity.mtime_ns = from.number();
    s.identity.ctime_ns = from.number();
    s.name = from.bytes();
    s.field = from.bytes();
    s.content_type = from.bytes();
    from.require(read_extra(from.bytes(), s));
    from.require(from.number() == checksum(seq, expected, s));
    item_state& t = out.state;
    t.status = from.number<item_status>(0, 3);
    t.confirmed = from.size();
    t.receipt = from.bytes();
    from.require(read_extra(from.bytes(), t));
    from.require(from.number() == checksum(seq, expected, t) && t.confirmed <= s.size);
    return from.ok();
}

inline constexpr std::string_view checkpoint_columns = "idx,resource,offset,state,expires,extra,crc";

/// Reads a row of `checkpoint_columns`. False: damaged; its item may still be in range.
[[nodiscard]] inline bool read_checkpoint(SQLite::Statement& row, job_seq seq, checkpoint& out) {
    column_reader from(row);
    out.item = item_from_column(from.number());
    out.resource = from.bytes();
    out.offset = from.size();
    out.state = from.bytes();
    out.expires_unix = from.number();
    from.require(read_extra(from.bytes(), out));
    from.require(from.number() == checksum(seq, out));
    return from.ok();
}

inline constexpr std::string_view leftover_columns =
    "id,job,idx,resource,offset,state,expires,extra,crc,attempts,since,not_before";

/// Reads a row of `leftover_columns`. False: damaged; only `id` can be trusted.
[[nodiscard]] inline bool read_leftover(SQLite::Statement& row, leftover& out) {
    column_reader from(row);
    out.id = from.number();
    from.require(decode(from.bytes(), out.job));
    out.reached.item = item_from_column(from.number());
    out.reached.resource = from.bytes();
    out.reached.offset = from.size();
    out.reached.state = from.bytes();
    out.reached.expires_unix = from.number();
    from.require(read_extra(from.bytes(), out.reached));
    from.require(from.number() == checksum(out));
    out.attempts = from.count();
    out.since = from.time();
    out.not_before = from.time();
    return from.ok();
}

/// A hold's pause, or a limit's rates.
struct stored_rule {
    rule_key key;
    job_pause pause;
    std::string rates;
};

inline constexpr std::string_view rule_columns = "kind,name,value,crc";

/// Reads a row of `rule_columns`. False: damaged; `key` is still set.
[[nodiscard]] inline bool read_rule(SQLite::Statement& row, stored_rule& out) {
    column_reader from(row);
    out.key.kind = static_cast<rule_kind>(from.number());
    out.key.name = from.bytes();
    const std::string value = from.bytes();
    const bool nameless = out.key.kind == rule_kind::hold_all || out.key.kind == rule_kind::limit_total;
    from.require(from.number() == checksum(out.key, value) && !has_control(out.key.name));
    from.require(!nameless || out.key.name.empty());
    from.require(selection_of(out.key) ? decode(value, out.pause)
                                       : scope_of(out.key) && decode_rates(value, out.rates));
    return from.ok();
}

}  // namespace waybill::detail
