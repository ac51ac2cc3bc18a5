// SPDX-License-Identifier: BSL-1.0
//
// Rows of the store in which one column was changed: whatever it was changed to, the row is either
// called damaged, or it says what it said before.

#include <waybill/store/detail/rows.hpp>

#include "fuzz/property.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <string>
#include <variant>
#include <vector>

namespace waybill::fuzz {
namespace {

using column = std::variant<std::monostate, std::int64_t, std::string>;
using row = std::vector<column>;

/// The row as SQLite would give it, without a table.
template <class Read>
bool read(const row& columns, Read into) {
    static SQLite::Database db(":memory:", SQLite::OPEN_READWRITE);
    std::string text = "SELECT ?";
    for (std::size_t i = 1; i < columns.size(); ++i) {
        text += ",?";
    }
    SQLite::Statement select(db, text);
    int index = 0;
    for (const column& c : columns) {
        ++index;
        if (const auto* const number = std::get_if<std::int64_t>(&c)) {
            select.bind(index, *number);
        } else if (const auto* const bytes = std::get_if<std::string>(&c)) {
            select.bindNoCopy(index, bytes->data(), static_cast<int>(bytes->size()));
        }
    }
    require(select.executeStep(), "a row is there");
    return into(select);
}

column number(auto value) {
    return static_cast<std::int64_t>(value);
}
column time(unix_millis t) {
    return t.time_since_epoch().count();
}

job_record sample_job(std::string_view bytes) {
    job_record j;
    j.seq = static_cast<job_seq>(7);
    job_spec& s = j.spec;
    s.id = job_id("post-7");
    s.lane = bytes.substr(0, 5);
    s.origin = "https://server.test:443";
    s.url = "https://server.test/posts?x=1";
    s.protocol = {"multipart", {{"setting", "value"}}};
    s.headers = {{"X-Name", "v"}};
    s.fields = {{"caption", std::string(bytes)}};
    s.size = 300;
    s.item_count = 3;
    s.accepted = unix_millis(std::chrono::milliseconds(1'893'456'000'123));
    s.content = 5;
    j.state.status = status::waiting;
    j.state.attempt = 2;
    j.state.wait = std::chrono::milliseconds(5);
    detail::extension_writer later;
    later.text(99, bytes.substr(0, 9));
    j.state.unknown = std::move(later).take({});
    j.state.key = "0123456789abcdef0123456789abcdef";
    j.state.error = {make_http_error(503), {503, 0, "", std::string(bytes), ""}, 1};
    return j;
}

row columns_of(const job_record& j) {
    const job_spec& s = j.spec;
    const job_state& t = j.state;
    return {number(j.seq),
            s.id.str(),
            s.lane,
            s.origin,
            s.url,
            s.protocol.name,
            detail::encode(s.protocol.settings),
            detail::encode(s.headers),
            detail::encode(s.fields),
            number(s.if_unknown),
            s.verifier,
            number(s.size),
            number(s.item_count),
            time(s.accepted),
            number(s.content),
            detail::extra_of(s),
            number(detail::checksum(s)),
            number(t.status),
            number(t.stage),
            number(t.reason),
            number(t.epoch),
            number(t.attempt),
            number(t.failures),
            number(t.early_cuts),
            number(t.intent.attempt()),
            number(detail::to_column(t.intent.item())),
            time(t.not_before),
            time(t.epoch_began),
            time(t.finished),
            number(t.retired.count()),
            t.negotiated_protocol,
            t.key,
            detail::encode(t.error),
            detail::extra_of(t),
            number(detail::checksum(j.seq, t))};
}

/// All that a job says, without its checksums.
row said_by(const job_record& j) {
    row all = columns_of(j);
    all[16] = all[33] = all[34] = {};  // an optional field may be written in a longer way
    return all;
}

item_record sample_item(std::string_view bytes) {
    item_record i;
    i.spec.path = "/home/me/a.jpg";
    i.spec.size = 100;
    i.spec.identity = {1, 2, 4096, 1'700'000'000'000'000'001, -5};
    i.spec.name = bytes;
    i.spec.field = "file";
    i.spec.content_type = "image/jpeg";
    i.state.confirmed = 50;
    i.state.receipt = bytes;
    return i;
}

row columns_of(job_seq seq, std::size_t index, const item_record& i) {
    const item_spec& s = i.spec;
    const item_state& t = i.state;
    return {number(index),
            number(s.kind),
            s.path,
            number(s.offset),
            number(s.size),
            number(s.identity.device),
            number(s.identity.inode),
            number(s.identity.size),
            number(s.identity.mtime_ns),
            number(s.identity.ctime_ns),
            s.name,
            s.field,
            s.content_type,
            detail::extra_of(s),
            number(detail::checksum(seq, index, s)),
            number(t.status),
            number(t.confirmed),
            t.receipt,
            detail::extra_of(t),
            number(detail::checksum(seq, index, t))};
}

leftover sample_leftover(std::string_view bytes) {
    leftover l;
    l.id = 3;
    l.job = sample_job("").spec;
    l.reached = {checkpoint::whole_job, "https://server.test/u/2", 7, std::string(bytes), 0};
    return l;
}

row columns_of(const leftover& l) {
    return {number(l.id),
            detail::encode(l.job),
            number(detail::to_column(l.reached.item)),
            l.reached.resource,
            number(l.reached.offset),
            l.reached.state,
            number(l.reached.expires_unix),
            detail::extra_of(l.reached),
            number(detail::checksum(l)),
            number(l.attempts),
            time(l.since),
            time(l.not_before)};
}

void jobs(std::string_view bytes, std::size_t at, const column& planted) {
    const job_record accepted = sample_job(bytes);
    row columns = columns_of(accepted);
    job_record found;
    const auto into = [&](SQLite::Statement& r) { return detail::read_job(r, found); };
    require(read(columns, into) && said_by(found) == said_by(accepted), "a job is read as it was written");
    columns[at % columns.size()] = planted;
    found = {};
    if (read(columns, into)) {
        require(said_by(found) == said_by(accepted), "a job whose row was changed is damaged, or says what it said");
    }
}

void items(std::string_view bytes, std::size_t at, const column& planted) {
    const auto seq = static_cast<job_seq>(7);
    const item_record accepted = sample_item(bytes);
    row columns = columns_of(seq, 1, accepted);
    item_record found;
    const auto into = [&](SQLite::Statement& r) { return detail::read_item(r, seq, 1, found); };
    require(read(columns, into) && columns_of(seq, 1, found) == columns, "an item is read as it was written");
    const row before = columns;
    columns[at % columns.size()] = planted;
    found = {};
    require(!read(columns, into) || columns_of(seq, 1, found) == before,
            "an item whose row was changed is damaged, or says what it said");
}

// Its attempts and times are not what decides where something is sent: they may be anything.
void leftovers(std::string_view bytes, std::size_t at, const column& planted) {
    const leftover accepted = sample_leftover(bytes);
    row columns = columns_of(accepted);
    leftover found;
    const auto into = [&](SQLite::Statement& r) { return detail::read_leftover(r, found); };
    require(read(columns, into), "a leftover is read as it was written");
    const row before = columns_of(found);
    require(before == columns, "a leftover is read as it was written");
    columns[1 + at % 8] = planted;
    found = {};
    require(!read(columns, into) || columns_of(found) == before,
            "a leftover whose row was changed is damaged, or says what it said");
}

row columns_of(const detail::rule_key& key, const std::string& value) {
    return {number(key.kind), key.name, value, number(detail::checksum(key, value))};
}

void rules(std::string_view bytes, std::size_t at, const column& planted) {
    const job_pause pause{unix_millis(std::chrono::milliseconds(1'893'456'000'123)), std::chrono::hours(1), "roaming"};
    const detail::rule_key held{detail::rule_kind::hold_lane, "photos"};
    row columns = columns_of(held, detail::encode(pause));
    detail::stored_rule found;
    const auto into = [&](SQLite::Statement& r) { return detail::read_rule(r, found); };
    require(read(columns, into) && found.key.name == "photos" && found.pause == pause,
            "a hold is read as it was written");
    columns[at % columns.size()] = planted;
    found = {};
    require(!read(columns, into) || (found.key.kind == held.kind && found.key.name == "photos" && found.pause == pause),
            "a hold whose row was changed is damaged, or says what it said");
    // A sound checksum proves nothing of a store that somebody else wrote.
    const std::string any(bytes);
    found = {};
    if (read(columns_of(held, any), into)) {
        require(found.pause.lasting <= longest_pause && !detail::has_control(found.pause.why), "a hold can be shown");
    }
}

}  // namespace

// First which column, then what to put there, then what the untouched columns hold.
void check(std::string_view input) {
    if (input.size() < 2) {
        return;
    }
    const std::size_t at = static_cast<unsigned char>(input[0]);
    const int kind = static_cast<unsigned char>(input[1]) % 3;
    input.remove_prefix(2);
    const std::string_view value = input.substr(0, input.find('\n'));
    const std::string_view rest = input.substr(std::min(input.size(), value.size() + 1)).substr(0, 512);
    column planted;
    if (kind == 0) {
        std::int64_t number = 0;
        for (const char c : value.substr(0, 8)) {
            number = static_cast<std::int64_t>(static_cast<std::uint64_t>(number) << 8 | static_cast<unsigned char>(c));
        }
        planted = number;
    } else if (kind == 1) {
        planted = std::string(value);
    }
    jobs(rest, at, planted);
    items(rest, at, planted);
    leftovers(rest, at, planted);
    rules(rest, at, planted);
}

}  // namespace waybill::fuzz
