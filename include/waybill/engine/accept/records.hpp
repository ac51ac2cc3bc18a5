// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>
#include <waybill/detail/crc32c.hpp>
#include <waybill/engine/run/requests.hpp>
#include <waybill/error.hpp>
#include <waybill/http/url.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/record.hpp>
#include <waybill/random.hpp>
#include <waybill/source/recognition.hpp>
#include <waybill/source/source_opener.hpp>
#include <waybill/store/store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

// The records that are made of an accepted job. Pure functions.
namespace waybill::detail {

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

/// The time, then 60 random bits. Ids in the order of acceptance share pages of the store's index; random ones would
/// write a page for each job of a long queue.
[[nodiscard]] inline job_id make_id(unix_millis now, random_source& random) {
    constexpr std::string_view alphabet = "23456789abcdefghijkmnpqrstuvwxyz";
    std::string text;
    const auto time = static_cast<std::uint64_t>(now.time_since_epoch().count());
    for (int shift = 40; shift >= 0; shift -= 5) {
        text.push_back(alphabet[(time >> shift) & 31U]);
    }
    return job_id(text + random.text(12, alphabet));
}

/// An item's own settings. Its file is still to be pinned.
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

/// What is requested of the sources for an item, which is a file or a range of one. A file that may grow is only
/// sampled: as much as can be compared each time it is opened.
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

/// Applies a pinned file to an item. Throws `errc::invalid_range`.
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

/// Which jobs of its lane a job keeps order with (`job_spec::origin`). `before`: the one accepted just before it, which
/// usually has the same origin.
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

/// The records of a checked job. Consumes the pins of its files and ranges, in order, and advances `pins` behind the
/// last of them.
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
