// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>
#include <waybill/detail/crc32c.hpp>
#include <waybill/model/leftover.hpp>
#include <waybill/model/record.hpp>
#include <waybill/store/detail/extension.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

// A record's bytes, and its checksum: as frozen as the schema. Released tags, and the order of what a checksum covers,
// never change; the golden stores in tests/component/golden verify it.
namespace waybill::detail {

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

// Tags of the optional fields. A tag is never reused for another field.
enum class spec_tag : std::uint64_t { if_item_fails = 1 };
enum class state_tag : std::uint64_t {
    wait = 1,
    began = 2,
    troubles = 3,
    refused_since = 4,
    pause_until = 5,
    pause_lasting = 6,
    pause_why = 7,
};
enum class item_tag : std::uint64_t { fingerprint = 1, append_only = 2 };
enum class checkpoint_tag : std::uint64_t { doubted = 1 };

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
    out.number(static_cast<std::uint64_t>(state_tag::pause_until), number(s.pause.until.time_since_epoch()));
    out.number(static_cast<std::uint64_t>(state_tag::pause_lasting), number(s.pause.lasting));
    out.text(static_cast<std::uint64_t>(state_tag::pause_why), s.pause.why);
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
            case state_tag::pause_lasting: return time(value, s.pause.lasting);
            case state_tag::pause_why: s.pause.why = value; return true;
            case state_tag::pause_until: {
                std::chrono::milliseconds since_1970(0);
                time(value, since_1970);
                s.pause.until = unix_millis(since_1970);
                return true;
            }
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

/// No version has given it a field yet.
[[nodiscard]] inline std::string extra_of(const item_state& s) {
    return extension_writer().take(s.unknown);
}
[[nodiscard]] inline bool read_extra(std::string_view in, item_state& s) {
    return read_extension(in, s.unknown, [](std::uint64_t /*tag*/, const std::string& /*value*/) { return false; });
}

[[nodiscard]] inline std::string extra_of(const checkpoint& c) {
    extension_writer out;
    out.number(static_cast<std::uint64_t>(checkpoint_tag::doubted), c.doubted ? 1 : 0);
    return std::move(out).take(c.unknown);
}
[[nodiscard]] inline bool read_extra(std::string_view in, checkpoint& c) {
    bool good = true;
    const bool whole = read_extension(in, c.unknown, [&](std::uint64_t tag, const std::string& value) {
        const bool known = static_cast<checkpoint_tag>(tag) == checkpoint_tag::doubted;
        if (known) {
            read_number(value, c.doubted, 1, good);
        }
        return known;
    });
    return whole && good;
}

/// The optional fields, last of all. None adds nothing: a new one leaves the checksums of older records as they are.
inline void add_extra(checksummer& to, const std::string& extra) {
    if (!extra.empty()) {
        to.text(extra);
    }
}

[[nodiscard]] inline std::uint32_t checksum(const job_spec& s) {
    checksummer e;
    e.text(s.id.str()).text(s.lane).text(s.origin).text(s.url).text(s.protocol.name).pairs(s.protocol.settings);
    e.pairs(s.headers).pairs(s.fields).number(static_cast<std::uint64_t>(s.if_unknown)).text(s.verifier);
    e.number(s.size).number(s.item_count).number(static_cast<std::uint64_t>(s.accepted.time_since_epoch().count()));
    e.number(s.content);
    add_extra(e, extra_of(s));
    return e.value();
}

[[nodiscard]] inline std::uint32_t checksum(job_seq seq, const job_state& s) {
    const auto time = [](unix_millis t) { return static_cast<std::uint64_t>(t.time_since_epoch().count()); };
    checksummer e;
    e.number(static_cast<std::uint64_t>(seq)).number(static_cast<std::uint64_t>(s.status));
    e.number(static_cast<std::uint64_t>(s.stage)).number(static_cast<std::uint64_t>(s.reason));
    for (const int n : {s.epoch, s.attempt, s.failures, s.early_cuts, s.intent.attempt()}) {
        e.number(static_cast<std::uint64_t>(n));
    }
    e.number(s.intent.item()).number(time(s.not_before)).number(time(s.epoch_began)).number(time(s.finished));
    e.number(static_cast<std::uint64_t>(s.retired.count()))
        .text(s.negotiated_protocol)
        .text(s.key)
        .text(encode(s.error));
    add_extra(e, extra_of(s));
    return e.value();
}

[[nodiscard]] inline std::uint32_t checksum(job_seq seq, std::size_t index, const item_spec& s) {
    checksummer e;
    e.number(static_cast<std::uint64_t>(seq)).number(index).number(static_cast<std::uint64_t>(s.kind)).text(s.path);
    e.number(s.offset).number(s.size).number(s.identity.device).number(s.identity.inode).number(s.identity.size);
    e.number(static_cast<std::uint64_t>(s.identity.mtime_ns)).number(static_cast<std::uint64_t>(s.identity.ctime_ns));
    e.text(s.name).text(s.field).text(s.content_type);
    add_extra(e, extra_of(s));
    return e.value();
}

[[nodiscard]] inline std::uint32_t checksum(job_seq seq, std::size_t index, const item_state& s) {
    checksummer e;
    e.number(static_cast<std::uint64_t>(seq)).number(index).number(static_cast<std::uint64_t>(s.status));
    e.number(s.confirmed).text(s.receipt);
    add_extra(e, extra_of(s));
    return e.value();
}

[[nodiscard]] inline std::uint32_t checksum(job_seq seq, const checkpoint& c) {
    checksummer e;
    e.number(static_cast<std::uint64_t>(seq)).number(c.item).text(c.resource).number(c.offset).text(c.state);
    e.number(static_cast<std::uint64_t>(c.expires_unix));
    add_extra(e, extra_of(c));
    return e.value();
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

}  // namespace waybill::detail
