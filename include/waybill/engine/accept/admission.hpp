// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/control_characters.hpp>
#include <waybill/engine/accept/header_check.hpp>
#include <waybill/error.hpp>
#include <waybill/http/form.hpp>
#include <waybill/http/url.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/record.hpp>
#include <waybill/protocol/registry.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Validation at enqueue: a job that passes is kept and sent. Pure functions.
namespace waybill::detail {

inline constexpr std::size_t most_items = 100'000;
inline constexpr std::size_t most_bytes_in_memory = 4 << 20;
inline constexpr std::size_t most_text = 1 << 20;

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

inline void check_lane(const std::string& name) {
    if (name.size() > 128 || has_control(name)) {
        throw error(errc::invalid_lane, "'" + printable_excerpt(name, 128) + "'");
    }
}

/// Checks everything about a job that does not need its files, except what `check_url` checks.
inline void check_job_but_url(const job& j, const registry& protocols) {
    if (!j.id().empty() && !j.id().valid()) {
        throw error(errc::invalid_id, "'" + printable_excerpt(j.id().str(), 128) + "'");
    }
    check_lane(j.lane());
    if (j.verifier().size() > 128 || has_control(j.verifier())) {
        throw error(errc::invalid_setting, "verifier '" + printable_excerpt(j.verifier(), 128) + "'");
    }
    const std::unique_ptr<protocol> chosen = protocols.make(j.protocol());
    const auto passed_on = [&](std::string_view name) { return chosen->takes_header(j.url(), name); };
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
    chosen->check(j);
}

/// Checks everything about jobs that does not need their files. Those of one call mostly have one target.
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

/// The same for a stored job: it may have been changed together with its checksum. A job that would not have been
/// accepted is not sent.
[[nodiscard]] inline bool still_acceptable(const loaded_job& whole, const registry& protocols) {
    const job_spec& spec = whole.job.spec;
    const auto passed_on = [&](std::string_view name) {
        // An unregistered protocol cannot be asked: the job is sound, and waits for a program that has the protocol.
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

/// Whether a stored job may be acted upon. A record that was once found damaged is never sound again: its earlier
/// content is not known any more.
[[nodiscard]] inline bool is_sound(const loaded_job& whole, const registry& protocols) {
    return !whole.damaged && whole.job.state.error.code != errc::record_damaged && still_acceptable(whole, protocols);
}

}  // namespace waybill::detail
