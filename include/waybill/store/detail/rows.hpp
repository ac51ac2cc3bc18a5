// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>
#include <waybill/detail/crc32c.hpp>
#include <waybill/model/leftover.hpp>
#include <waybill/model/record.hpp>
#include <waybill/store/detail/extension.hpp>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

// Records to rows and back. A row's checksum covers every column that decides what is sent where,
// because SQLite's own checks do not see a flipped bit inside a value. What does not match, or lies
// outside its type's range, marks its job as damaged; nothing is ever guessed.
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

[[nodiscard]] inline std::string encode(const string_pairs& list) {
    encoder out;
    out.pairs(list);
    return std::move(out).take();
}

[[nodiscard]] inline std::string encode(const stored_error& e) {
    if (!e) {
        return {};
    }
    encoder out;
    out.text(e.code.category().name()).number(static_cast<std::uint32_t>(e.code.value()));
    out.number(e.item == checkpoint::whole_job ? 0 : e.item + 1);
    out.number(static_cast<std::uint32_t>(e.details.http_status));
    out.number(static_cast<std::uint32_t>(e.details.transport_code));
    out.text(e.details.transport_text).text(e.details.excerpt).text(e.details.detail);
    return std::move(out).take();
}

[[nodiscard]] inline const std::error_category& category_named(std::string_view name) noexcept {
    if (name == http_category().name()) {
        return http_category();
    }
    if (name == std::generic_category().name()) {
        return std::generic_category();
    }
    return name == std::system_category().name() ? std::system_category() : error_category();
}

[[nodiscard]] inline bool decode(std::string_view in, stored_error& e) {
    e = {};
    if (in.empty()) {
        return true;
    }
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    decoder from(in);
    const std::string category = from.text();
    const auto value = static_cast<int>(static_cast<std::uint32_t>(from.number(most)));
    e.code = std::error_code(value, category_named(category));
    const std::uint64_t item = from.number();
    e.item = item == 0 ? checkpoint::whole_job : static_cast<std::size_t>(item - 1);
    e.details.http_status = static_cast<int>(from.number(999));
    e.details.transport_code = static_cast<int>(static_cast<std::uint32_t>(from.number(most)));
    e.details.transport_text = from.text();
    e.details.excerpt = from.text();
    e.details.detail = from.text();
    return from.finished();
}

// Tags of the optional fields. Never reuse one.
enum class spec_tag : std::uint64_t { if_item_fails = 1 };
enum class item_tag : std::uint64_t { fingerprint = 1, append_only = 2 };
enum class state_tag : std::uint64_t { wait = 1, began = 2, troubles = 3, refused_since = 4 };

[[nodiscard]] inline std::string extra_of(const job_spec& s) {
    extension_writer out;
    out.number(static_cast<std::uint64_t>(spec_tag::if_item_fails), static_cast<std::uint64_t>(s.if_item_fails));
    return std::move(out).take(s.unknown);
}
[[nodiscard]] inline bool read_extra(std::string_view in, job_spec& s) {
    bool good = true;
    const bool whole = read_extension(in, s.unknown, [&](std::uint64_t tag, const std::string& value) {
        const bool known = static_cast<spec_tag>(tag) == spec_tag::if_item_fails;
        if (known) {
            read_number(value, s.if_item_fails, static_cast<std::uint64_t>(on_item_failure::go_on), good);
        }
        return known;
    });
    return whole && good;
}

[[nodiscard]] inline std::string extra_of(const job_state& s) {
    const auto number = [](std::chrono::milliseconds t) { return static_cast<std::uint64_t>(t.count()); };
    extension_writer out;
    out.number(static_cast<std::uint64_t>(state_tag::wait), number(s.wait));
    out.number(static_cast<std::uint64_t>(state_tag::began), number(s.began));
    out.number(static_cast<std::uint64_t>(state_tag::troubles), static_cast<std::uint64_t>(s.troubles));
    out.number(static_cast<std::uint64_t>(state_tag::refused_since), number(s.refused_since));
    return std::move(out).take(s.unknown);
}
[[nodiscard]] inline bool read_extra(std::string_view in, job_state& s) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / 4);
    bool good = true;
    const auto time = [&](const std::string& value, std::chrono::milliseconds& to) {
        std::int64_t count = 0;
        read_number(value, count, most, good);
        to = std::chrono::milliseconds(count);
        return true;
    };
    const bool whole = read_extension(in, s.unknown, [&](std::uint64_t tag, const std::string& value) {
        switch (static_cast<state_tag>(tag)) {
            case state_tag::wait: return time(value, s.wait);
            case state_tag::began: return time(value, s.began);
            case state_tag::refused_since: return time(value, s.refused_since);
            case state_tag::troubles:
                read_number(value, s.troubles, std::numeric_limits<int>::max(), good);
                return true;
        }
        return false;
    });
    return whole && good;
}

[[nodiscard]] inline std::string extra_of(const item_spec& s) {
    extension_writer out;
    out.text(static_cast<std::uint64_t>(item_tag::fingerprint), s.content.encode());
    out.number(static_cast<std::uint64_t>(item_tag::append_only), s.append_only ? 1 : 0);
    return std::move(out).take(s.unknown);
}
[[nodiscard]] inline bool read_extra(std::string_view in, item_spec& s) {
    bool good = true;
    const bool whole = read_extension(in, s.unknown, [&](std::uint64_t tag, const std::string& value) {
        switch (static_cast<item_tag>(tag)) {
            case item_tag::fingerprint: good = s.content.decode(value) && good; return true;
            case item_tag::append_only: read_number(value, s.append_only, 1, good); return true;
        }
        return false;
    });
    return whole && good;
}

/// What is not there changes no checksum: records without it have the one that they had before there was any.
inline void add_if_any(checksummer& to, std::uint64_t which, const std::string& value) {
    if (!value.empty()) {
        to.number(which).text(value);
    }
}

[[nodiscard]] inline std::uint32_t checksum(const job_spec& s) {
    checksummer e;
    e.text(s.id.str()).text(s.lane).text(s.url).text(s.protocol.name).pairs(s.protocol.settings);
    e.pairs(s.headers).pairs(s.fields).number(static_cast<std::uint64_t>(s.if_unknown)).text(s.verifier);
    e.number(s.size).number(s.item_count).number(static_cast<std::uint64_t>(s.accepted.time_since_epoch().count()));
    e.number(s.content);
    add_if_any(e, 1, s.origin);
    add_if_any(e, 2, extra_of(s));
    return e.value();
}

[[nodiscard]] inline std::uint32_t checksum(job_seq seq, const job_state& s) {
    const auto time = [](unix_millis t) { return static_cast<std::uint64_t>(t.time_since_epoch().count()); };
    checksummer e;
    e.number(static_cast<std::uint64_t>(seq)).number(static_cast<std::uint64_t>(s.now));
    e.number(static_cast<std::uint64_t>(s.stage)).number(static_cast<std::uint64_t>(s.reason));
    for (const int n : {s.epoch, s.attempt, s.failures, s.early_cuts, s.intent.attempt()}) {
        e.number(static_cast<std::uint64_t>(n));
    }
    e.number(s.intent.item()).number(time(s.not_before)).number(time(s.epoch_began)).number(time(s.finished));
    e.text(s.spoken).text(s.key).text(encode(s.error));
    add_if_any(e, 1, s.retired.count() == 0 ? std::string() : std::to_string(s.retired.count()));
    add_if_any(e, 2, extra_of(s));
    return e.value();
}

[[nodiscard]] inline std::uint32_t checksum(job_seq seq, std::size_t index, const item_spec& s) {
    checksummer e;
    e.number(static_cast<std::uint64_t>(seq)).number(index).number(static_cast<std::uint64_t>(s.kind)).text(s.path);
    e.number(s.offset).number(s.size).number(s.identity.device).number(s.identity.inode).number(s.identity.size);
    e.number(static_cast<std::uint64_t>(s.identity.mtime_ns)).number(static_cast<std::uint64_t>(s.identity.ctime_ns));
    e.text(s.name).text(s.field).text(s.content_type);
    add_if_any(e, 2, extra_of(s));
    return e.value();
}

[[nodiscard]] inline std::uint32_t checksum(job_seq seq, std::size_t index, const item_state& s) {
    checksummer e;
    e.number(static_cast<std::uint64_t>(seq)).number(index).number(static_cast<std::uint64_t>(s.now));
    e.number(s.confirmed).text(s.receipt);
    return e.value();
}

[[nodiscard]] inline std::uint32_t checksum(job_seq seq, const checkpoint& c) {
    checksummer e;
    e.number(static_cast<std::uint64_t>(seq)).number(c.item).text(c.resource).number(c.offset).text(c.state);
    e.number(static_cast<std::uint64_t>(c.expires_unix));
    return e.value();
}

/// `whole_job` is -1 in the database.
[[nodiscard]] inline std::int64_t to_column(std::size_t item) noexcept {
    return item == checkpoint::whole_job ? -1 : static_cast<std::int64_t>(item);
}
[[nodiscard]] inline std::size_t item_from_column(std::int64_t value) noexcept {
    return value < 0 ? checkpoint::whole_job : static_cast<std::size_t>(value);
}

inline constexpr std::string_view job_columns =
    "seq,id,lane,origin,url,protocol,settings,headers,fields,if_unknown,verifier,size,item_count,accepted,content,spec_"
    "extra,"
    "spec_crc,"
    "status,stage,reason,epoch,attempt,failures,early_cuts,tail_attempt,tail_item,not_before,epoch_began,finished,"
    "retired,spoken,key,error,state_extra,state_crc";

/// Reads a row of `job_columns`. False: damaged; `seq`, `spec.id` and `state.now` are still set.
[[nodiscard]] inline bool read_job(SQLite::Statement& row, job_record& out) {
    column_reader from(row);
    const auto pairs = [&](string_pairs& to) {
        const std::string encoded = from.bytes();
        decoder in(encoded);
        to = in.pairs();
        from.require(in.finished());
    };
    job_spec& s = out.spec;
    out.seq = static_cast<job_seq>(from.number());
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

    job_state& t = out.state;
    t.now = from.number<status>(0, status_count - 1);
    t.stage = from.number<stage>(0, 1);
    t.reason = from.number<wait_reason>(0, last_wait_reason);
    t.epoch = from.count();
    t.attempt = from.count();
    t.failures = from.count();
    t.early_cuts = from.count();
    const int tail_attempt = from.count();
    t.intent = intent(tail_attempt, item_from_column(from.number()));
    t.not_before = from.time();
    t.epoch_began = from.time();
    t.finished = from.time();
    t.retired = from.duration();
    t.spoken = from.bytes();
    t.key = from.bytes();
    from.require(decode(from.bytes(), t.error));
    from.require(read_extra(from.bytes(), t));
    from.require(from.number() == checksum(out.seq, t));
    return from.ok();
}

inline constexpr std::string_view item_columns =
    "idx,kind,path,offset,size,device,inode,file_size,mtime_ns,ctime_ns,name,field,content_type,spec_extra,"
    "spec_crc,"
    "status,confirmed,receipt,state_crc";

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
    t.now = from.number<item_status>(0, 3);
    t.confirmed = from.size();
    t.receipt = from.bytes();
    from.require(from.number() == checksum(seq, expected, t) && t.confirmed <= s.size);
    return from.ok();
}

/// The part of a job's specification that cleaning up after it needs.
[[nodiscard]] inline std::string encode(const job_spec& s) {
    encoder e;
    e.text(s.id.str()).text(s.url).text(s.protocol.name).pairs(s.protocol.settings).pairs(s.headers);
    return std::move(e).take();
}

[[nodiscard]] inline bool decode(std::string_view in, job_spec& s) {
    decoder from(in);
    s.id = job_id(from.text());
    s.url = from.text();
    s.protocol.name = from.text();
    s.protocol.settings = from.pairs();
    s.headers = from.pairs();
    return from.finished();
}

[[nodiscard]] inline std::uint32_t checksum(const leftover& l) {
    return crc32c(checksum(job_seq{}, l.reached), encode(l.job));
}

inline constexpr std::string_view leftover_columns =
    "id,job,idx,resource,offset,state,expires,crc,attempts,since,not_before";

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
    from.require(from.number() == checksum(out));
    out.attempts = from.count();
    out.since = from.time();
    out.not_before = from.time();
    return from.ok();
}

}  // namespace waybill::detail
