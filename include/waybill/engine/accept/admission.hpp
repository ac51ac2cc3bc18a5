// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/crc32c.hpp>
#include <waybill/engine/run/requests.hpp>
#include <waybill/error.hpp>
#include <waybill/http/form.hpp>
#include <waybill/http/url.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/record.hpp>
#include <waybill/protocol/registry.hpp>
#include <waybill/protocol/reserved_headers.hpp>
#include <waybill/random.hpp>
#include <waybill/source/recognition.hpp>
#include <waybill/source/source_opener.hpp>
#include <waybill/store/store.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The border: what is not refused here is kept and sent. Pure functions.
namespace waybill::detail {

inline constexpr std::size_t most_items = 100'000;
inline constexpr std::size_t most_bytes_in_memory = 4 << 20;
inline constexpr std::size_t most_text = 1 << 20;

[[nodiscard]] inline bool has_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

/// Framing and routing belong to the transport; what protocols set themselves, to them.
[[nodiscard]] inline bool is_reserved_header(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 15> ours = {"Content-Length",
                                                       "Transfer-Encoding",
                                                       "Host",
                                                       "Expect",
                                                       "Connection",
                                                       "Trailer",
                                                       "TE",
                                                       "Upgrade",
                                                       "Keep-Alive",
                                                       "Content-Type",
                                                       "Content-Range",
                                                       "Idempotency-Key",
                                                       "Content-Encoding",
                                                       "X-HTTP-Method-Override",
                                                       "Content-Disposition"};
    return std::any_of(ours.begin(), ours.end(), [&](std::string_view s) { return same_header(s, name); }) ||
           belongs_to_protocol(name);
}

/// The name says that the value proves who asks: it has a word for that, however its words are joined.
[[nodiscard]] inline bool is_secret_header(std::string_view name) {
    constexpr std::array<std::string_view, 14> anywhere = {
        "auth", "authorization", "authentication", "bearer", "cookie", "credential", "credentials",
        "jwt",  "otp",           "passphrase",     "passwd", "pwd",    "secret",     "signature"};
    constexpr std::array<std::string_view, 17> at_the_end = {
        "key",  "csrf", "xsrf",   "session",  "sessionid", "jsessionid", "sid", "sig",      "sign",
        "hmac", "mfa",  "ticket", "passcode", "pass",      "pin",        "otp", "phpsessid"};
    constexpr std::array<std::string_view, 8> joined = {"token",     "secret",  "password",   "apikey",
                                                        "accesskey", "authkey", "sessionkey", "subscriptionkey"};
    const auto is_one_of = [](const auto& words, const std::string& word) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    std::string before;
    for (std::size_t at = 0; at <= name.size();) {
        const std::size_t end = std::min(name.find_first_of("-_.", at), name.size());
        std::string word(name.substr(at, end - at));
        for (char& c : word) {
            c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
        const bool last = end == name.size();
        const bool ends_so =
            std::any_of(joined.begin(), joined.end(), [&](std::string_view e) { return word.ends_with(e); });
        if (is_one_of(anywhere, word) || word == "password" || (last && (ends_so || is_one_of(at_the_end, word))) ||
            (word == "id" && before == "session")) {
            return true;
        }
        before = std::move(word);
        at = end + 1;
    }
    return false;
}

/// What a protocol may take over from a job all the same: how the bytes are to be kept, and what a signed URL demands.
[[nodiscard]] inline bool may_be_passed_on(std::string_view name) noexcept {
    return same_header(name, "Content-Disposition") || same_header(name, "Content-Encoding") || may_be_demanded(name);
}

/// @param passed_on asked whether the job's protocol takes a header of this name.
template <class PassedOn>
void check_header(const std::string& name, const std::string& value, const PassedOn& passed_on) {
    if (!is_token(name)) {
        throw error(errc::invalid_header, "'" + printable_excerpt(name, 64) + "'");
    }
    if (!is_field_value(value) || value.size() > 8192) {
        throw error(errc::invalid_header, "the value of " + name);
    }
    if (is_secret_header(name)) {
        throw error(errc::forbidden_header, name + " is a secret and would be stored");
    }
    if (is_reserved_header(name) && !(may_be_passed_on(name) && passed_on(name))) {
        const bool of_items = same_header(name, "Content-Type");
        throw error(errc::forbidden_header, name + (of_items ? ": it is each item's own (item::content_type)" : ""));
    }
}

/// `type/subtype`, perhaps with parameters (RFC 9110 section 8.3.1).
[[nodiscard]] inline bool is_media_type(std::string_view text) noexcept {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos || text.size() > 256 || has_control(text)) {
        return false;
    }
    const std::string_view subtype = text.substr(slash + 1);
    return is_token(text.substr(0, slash)) && is_token(subtype.substr(0, subtype.find_first_of("; ")));
}

[[nodiscard]] inline bool is_sendable_name(const std::string& name) noexcept {
    return !name.empty() && name != "." && name != ".." && name.size() <= 1024 && !has_control(name);
}

inline void check_item(const item& i) {
    const std::string name = i.name();
    if (const auto end = i.path().substr(i.path().find_last_of('/') + 1);
        !i.path().empty() && (end.empty() || end == "." || end == "..")) {
        throw error(errc::source_not_regular, printable_excerpt(i.path(), 256) + " is a directory");
    }
    if (!is_sendable_name(name)) {
        throw error(errc::invalid_name, "item '" + printable_excerpt(name, 128) + "'");
    }
    if (i.kind() != source_kind::bytes && (i.path().empty() || i.path().find('\0') != std::string::npos)) {
        throw error(errc::source_missing, "'" + printable_excerpt(i.path(), 128) + "'");
    }
    if (!i.field().empty() && !is_form_name(i.field())) {
        throw error(errc::invalid_name, "form field '" + printable_excerpt(i.field(), 128) + "'");
    }
    if (!is_media_type(i.content_type())) {
        throw error(errc::invalid_header, "content type '" + printable_excerpt(i.content_type(), 64) + "'");
    }
    if (i.data().size() > most_bytes_in_memory) {
        throw error(errc::job_too_large, name + " has more than 4 MiB in memory; put it in a file");
    }
    if (i.kind() == source_kind::bytes && i.is_append_only()) {
        throw error(errc::invalid_range, name + ": only a file can be append-only");
    }
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    if (i.kind() == source_kind::range && (i.offset() > most || i.length() > most - i.offset())) {
        throw error(errc::invalid_range, i.path());
    }
}

inline void check_url(const std::string& text) {
    if (text.size() > 8192) {
        throw error(errc::invalid_url, "longer than 8192 characters");
    }
    static_cast<void>(url(text));
}

/// Everything about a job that can be said without looking at its files, but what `check_url` says.
inline void check_job_but_url(const job& j, const registry& protocols) {
    if (!j.id().empty() && !j.id().valid()) {
        throw error(errc::invalid_id, "'" + printable_excerpt(j.id().str(), 128) + "'");
    }
    if (j.lane().size() > 128 || has_control(j.lane())) {
        throw error(errc::invalid_lane, "'" + printable_excerpt(j.lane(), 128) + "'");
    }
    if (j.verifier().size() > 128 || has_control(j.verifier())) {
        throw error(errc::invalid_setting, "verifier '" + printable_excerpt(j.verifier(), 128) + "'");
    }
    const std::unique_ptr<protocol> speaks = protocols.make(j.protocol());
    const auto passed_on = [&](std::string_view name) { return speaks->takes_header(j.url(), name); };
    std::size_t text = 0;
    for (const auto& [name, value] : j.headers()) {
        check_header(name, value, passed_on);
        text += name.size() + value.size();
    }
    for (const auto& [name, value] : j.fields()) {
        if (!is_form_name(name)) {
            throw error(errc::invalid_field, "'" + printable_excerpt(name, 128) + "'");
        }
        text += name.size() + value.size();
    }
    if (j.items().empty()) {
        throw error(errc::empty_job, j.id().str());
    }
    if (j.items().size() > most_items || text > most_text) {
        throw error(errc::job_too_large, std::to_string(j.items().size()) + " items");
    }
    for (const item& i : j.items()) {
        check_item(i);
    }
    speaks->check(j);
}

/// Everything about jobs that can be said without looking at their files. Those of one call mostly go to one place.
inline void check_jobs(const std::vector<job>& jobs, const registry& protocols) {
    const std::string* checked = nullptr;
    for (const job& j : jobs) {
        if (checked == nullptr || *checked != j.url()) {
            check_url(j.url());
            checked = &j.url();
        }
        check_job_but_url(j, protocols);
    }
}

/// The same for what the store has kept: somebody may have changed it together with its checksum. What
/// would not have been accepted is not sent.
[[nodiscard]] inline bool still_acceptable(const loaded_job& whole, const registry& protocols) {
    const job_spec& spec = whole.job.spec;
    const auto passed_on = [&](std::string_view name) {
        // Of a protocol that is not there nobody can be asked: the job is sound, and waits for a program that has it.
        return !protocols.contains(spec.protocol.name) || protocols.make(spec.protocol)->takes_header(spec.url, name);
    };
    try {
        static_cast<void>(url(spec.url));
        for (const auto& [name, value] : spec.headers) {
            check_header(name, value, passed_on);
        }
        for (const item_record& i : whole.items) {
            const item_spec& s = i.spec;
            const bool absolute = s.kind == source_kind::bytes || (s.path.starts_with('/') && s.path.size() > 1);
            if (!absolute || !is_sendable_name(s.name) || !is_media_type(s.content_type) || has_control(s.field)) {
                return false;
            }
        }
    } catch (const error&) {
        return false;
    }
    return std::none_of(spec.fields.begin(), spec.fields.end(), [](const auto& f) { return has_control(f.first); });
}

/// Whether a stored job may be acted upon. A record that was once found damaged is never sound again: what it was
/// before is not known any more.
[[nodiscard]] inline bool is_sound(const loaded_job& whole, const registry& protocols) {
    return !whole.damaged && whole.job.state.error.code != errc::record_damaged && still_acceptable(whole, protocols);
}

/// A checksum of everything the app asked for: the same id with another one is a conflict.
[[nodiscard]] inline std::uint32_t content_of(const job& j) {
    checksummer e;
    e.text(j.url())
        .text(j.protocol().name)
        .pairs(j.protocol().settings)
        .text(j.lane())
        .pairs(j.headers())
        .pairs(j.fields());
    e.number(static_cast<std::uint64_t>(j.if_unknown())).text(j.verifier()).number(j.items().size());
    if (j.order() != lane_order{}) {
        e.number(static_cast<std::uint64_t>(j.order()));
    }
    if (j.if_item_fails() != on_item_failure::stop) {
        e.text("go-on");
    }
    for (const item& i : j.items()) {
        e.number(static_cast<std::uint64_t>(i.kind())).text(i.path()).number(i.offset()).number(i.length());
        e.number(crc32c(0, i.data())).text(i.name()).text(i.field()).text(i.content_type());
        if (i.is_append_only()) {
            e.text("append-only");
        }
    }
    return e.value();
}

/// Numbers that `make_records` needs for a job, at most.
inline constexpr std::size_t random_numbers_a_job = 3;

/// A new key for a job's epoch: 128 random bits.
[[nodiscard]] inline std::string make_key(random_source& random) {
    return random.text(32);
}

/// The time, then 60 random bits. Ids that follow the order of acceptance meet in the same pages of the store's index;
/// random ones would write a page of their own for each job of a long queue.
[[nodiscard]] inline job_id make_id(unix_millis now, random_source& random) {
    constexpr std::string_view alphabet = "23456789abcdefghijkmnpqrstuvwxyz";
    std::string text;
    const auto time = static_cast<std::uint64_t>(now.time_since_epoch().count());
    for (int shift = 40; shift >= 0; shift -= 5) {
        text.push_back(alphabet[(time >> shift) & 31U]);
    }
    return job_id(text + random.text(12, alphabet));
}

/// What an item says of itself. Its file is still to be pinned.
[[nodiscard]] inline item_spec spec_of(const item& i) {
    item_spec spec;
    spec.kind = i.kind();
    spec.path = i.path();
    spec.offset = i.offset();
    spec.size = i.length();
    spec.append_only = i.is_append_only();
    spec.name = i.name();
    spec.field = i.field();
    spec.content_type = i.content_type();
    spec.data = i.data();
    return spec;
}

/// What is asked of the sources for an item, which is a file or a range of one. Only a sample of one that may grow is
/// looked at: as much as can be compared each time it is opened.
[[nodiscard]] inline wanted_file wanted_of(const item_spec& spec, fingerprint_scope scope) {
    wanted_file wanted(spec.path);
    wanted.append_only = spec.append_only;
    wanted.scope = spec.append_only ? fingerprint_scope::sampled : scope;
    if (spec.kind == source_kind::range) {
        wanted.offset = spec.offset;
        wanted.length = spec.size;
    }
    return wanted;
}

/// What a pinned file gives an item. Throws `errc::invalid_range`.
inline void apply_pin(item_spec& spec, const pinned_file& pinned) {
    spec.path = pinned.path;
    spec.identity = pinned.identity;
    spec.content = pinned.content;
    if (spec.kind == source_kind::file) {
        spec.size = pinned.identity.size;
    } else if (spec.offset + spec.size > pinned.identity.size) {
        throw error(errc::invalid_range, pinned.path + " has only " + std::to_string(pinned.identity.size) + " bytes");
    }
}

/// Which jobs of its lane a job keeps order with (`job_spec::origin`). `before`: the one accepted just before it, whose
/// origin mostly is the same.
inline void name_origin(job_spec& spec, lane_order order, const job_spec* before) {
    if (order == lane_order::strict) {
        return;
    }
    const bool known = before != nullptr && !before->origin.empty() && have_one_origin(before->url, spec.url);
    spec.origin = known ? before->origin : url(spec.url).origin();
}

[[nodiscard]] inline bool has_files(const job& j) {
    return std::any_of(j.items().begin(), j.items().end(),
                       [](const item& i) { return i.kind() != source_kind::bytes; });
}

/// Whether a file that was accepted long ago has, by its size and its modification time, the same content now.
[[nodiscard]] inline bool has_same_content(const item_spec& accepted, const pinned_file& now) {
    return compare(accepted.identity, now.identity, accepted.append_only) != likeness::other;
}

/// The records of a checked job. Takes the pins of its files and ranges, in order, and leaves `pins`
/// behind the last of them.
[[nodiscard]] inline new_job make_records(const job& j, std::vector<pinned_file>::const_iterator& pins,
                                          const store_time& now, random_source& random) {
    new_job made;
    job_spec& spec = made.job.spec;
    spec.id = j.id().empty() ? make_id(now.wall, random) : j.id();
    spec.lane = j.lane();
    spec.url = j.url();
    spec.protocol = j.protocol();
    spec.headers = j.headers();
    spec.fields = j.fields();
    spec.if_unknown = j.if_unknown();
    spec.if_item_fails = j.if_item_fails();
    spec.verifier = j.verifier();
    spec.item_count = j.items().size();
    spec.accepted = now.wall;
    spec.content = content_of(j);
    made.items.reserve(j.items().size());
    for (const item& i : j.items()) {
        item_spec& to = made.items.emplace_back().spec;
        to = spec_of(i);
        if (i.kind() != source_kind::bytes) {
            apply_pin(to, *pins++);
        }
        spec.size += to.size;
        if (spec.size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / 2)) {
            throw error(errc::job_too_large, spec.id.str());
        }
    }
    made.job.state.key = make_key(random);
    made.job.state.epoch_began = now.wall;
    made.job.state.began = now.open;
    return made;
}

}  // namespace waybill::detail
