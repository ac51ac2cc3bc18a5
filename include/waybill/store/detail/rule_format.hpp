// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>
#include <waybill/detail/control_characters.hpp>
#include <waybill/detail/crc32c.hpp>
#include <waybill/limit_scope.hpp>
#include <waybill/model/hold.hpp>
#include <waybill/store/detail/extension.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// The bytes of a rule, which concerns many jobs: as frozen as the schema.
namespace waybill::detail {

/// Tags of the optional fields. A tag is never reused for another field.
enum class hold_tag : std::uint64_t { until = 1, lasting = 2, why = 3 };
enum class limit_tag : std::uint64_t { rates = 1 };

/// What a row of `rule` is about.
enum class rule_kind : std::int64_t { hold_all = 0, hold_lane = 1, limit_total = 2, limit_host = 3, limit_lane = 4 };

struct rule_key {
    rule_kind kind{};
    std::string name;  ///< of the lane or host
};

[[nodiscard]] inline rule_key key_of(const selection& which) {
    return which.is_all() ? rule_key{rule_kind::hold_all, {}} : rule_key{rule_kind::hold_lane, *which.lane_name()};
}
[[nodiscard]] inline std::optional<selection> selection_of(const rule_key& key) {
    switch (key.kind) {
        case rule_kind::hold_all: return selection::all();
        case rule_kind::hold_lane: return selection::lane(key.name);
        default: return std::nullopt;
    }
}

/// A job's limit is not kept here.
[[nodiscard]] inline rule_key key_of(const limit_scope& what) {
    switch (what.what()) {
        case limit_scope::kind::host: return {rule_kind::limit_host, what.name()};
        case limit_scope::kind::lane: return {rule_kind::limit_lane, what.name()};
        default: return {rule_kind::limit_total, {}};
    }
}
[[nodiscard]] inline std::optional<limit_scope> scope_of(const rule_key& key) {
    switch (key.kind) {
        case rule_kind::limit_total: return limit_scope::total();
        case rule_kind::limit_host: return limit_scope::host(key.name);
        case rule_kind::limit_lane: return limit_scope::lane(key.name);
        default: return std::nullopt;
    }
}

[[nodiscard]] inline std::string encode(const job_pause& p) {
    extension_writer out;
    out.number(std::uint64_t(hold_tag::until), static_cast<std::uint64_t>(p.until.time_since_epoch().count()));
    out.number(std::uint64_t(hold_tag::lasting), static_cast<std::uint64_t>(p.lasting.count()));
    out.text(std::uint64_t(hold_tag::why), p.why);
    return std::move(out).take({});
}

[[nodiscard]] inline bool decode(std::string_view in, job_pause& p) {
    constexpr auto most = static_cast<std::uint64_t>(latest_time.time_since_epoch().count());
    p = {};
    bool ok = true;
    std::string unknown;
    std::int64_t until = 0;
    std::int64_t lasting = 0;
    const bool sound = read_extension(in, unknown, [&](std::uint64_t tag, std::string_view value) {
        switch (hold_tag{tag}) {
            case hold_tag::until: read_number(value, until, most, ok); return true;
            case hold_tag::lasting: read_number(value, lasting, most, ok); return true;
            case hold_tag::why: p.why = std::string(value); return true;
        }
        return false;
    });
    p.until = unix_millis(std::chrono::milliseconds(until));
    p.lasting = std::chrono::milliseconds(lasting);
    return sound && ok && p.lasting <= longest_pause && !has_control(p.why);
}

[[nodiscard]] inline std::string encode_rates(const std::string& rates) {
    extension_writer out;
    out.text(std::uint64_t(limit_tag::rates), rates);
    return std::move(out).take({});
}

[[nodiscard]] inline bool decode_rates(std::string_view in, std::string& rates) {
    std::string unknown;
    return read_extension(in, unknown, [&](std::uint64_t tag, std::string_view value) {
        if (limit_tag{tag} == limit_tag::rates) {
            rates = std::string(value);
            return true;
        }
        return false;
    });
}

[[nodiscard]] inline std::uint32_t checksum(const rule_key& key, std::string_view value) {
    encoder all;
    all.number(static_cast<std::uint64_t>(key.kind)).text(key.name).text(value);
    return crc32c(0, all.view());
}

}  // namespace waybill::detail
