// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/admission.hpp>
#include <waybill/options.hpp>
#include <waybill/store/store_options.hpp>
#include <waybill/transport/bandwidth_limits.hpp>
#include <waybill/transport/curl_options.hpp>
#include <waybill/transport/timetable.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

// The app's options are checked once, when its uploader is created: a value that can only be a mistake is reported
// there, instead of leaving jobs to wait forever. Pure functions; each throws `errc::invalid_option`.
namespace waybill::detail {

[[noreturn]] inline void refuse_option(const std::string& name, const std::string& why) {
    throw error(errc::invalid_option, name + " " + why);
}

/// Longer ones mean "forever", and would overflow when they are added to a clock.
inline constexpr std::chrono::hours longest_duration{24 * 365 * 100};

/// A delay: above zero.
inline void check_duration(const std::string& name, std::chrono::milliseconds value) {
    if (value <= std::chrono::milliseconds(0)) {
        refuse_option(name, "is " + std::to_string(value.count()) + " ms: it must be longer than zero");
    }
    if (value > longest_duration) {
        refuse_option(name, "is longer than a hundred years");
    }
}

/// An age: zero is allowed.
template <class Duration>
void check_age(const std::string& name, Duration value) {
    if (value < Duration(0) || value > longest_duration) {
        const auto hours = std::chrono::duration_cast<std::chrono::hours>(value);
        refuse_option(name, "is " + std::to_string(hours.count()) + " hours: it must be between 0 and a hundred years");
    }
}

inline void check_at_least_one(const std::string& name, std::int64_t value) {
    if (value < 1) {
        refuse_option(name, "is " + std::to_string(value) + ": it must be at least 1");
    }
}

inline void check_options(const retry_policy& p) {
    check_duration("retry.base", p.base);
    check_duration("retry.cap", p.cap);
    check_duration("retry.floor", p.floor);
    check_duration("retry.retry_after_cap", p.retry_after_cap);
    check_duration("retry.offline_poll", p.offline_poll);
    check_duration("retry.host_pause", p.host_pause);
    check_duration("retry.host_pause_cap", p.host_pause_cap);
    check_duration("retry.credentials_pause", p.credentials_pause);
    check_duration("retry.credentials_pause_cap", p.credentials_pause_cap);
    check_duration("retry.credentials_poll", p.credentials_poll);
    check_at_least_one("retry.host_failures", p.host_failures);
    check_at_least_one("retry.attempts", p.attempts);
    check_age("retry.max_age", p.max_age);
    if (p.cap < p.floor) {
        refuse_option("retry.cap", "is shorter than retry.floor");
    }
    if (p.host_pause_cap < p.host_pause) {
        refuse_option("retry.host_pause_cap", "is shorter than retry.host_pause");
    }
}

inline void check_options(const request_limits& l) {
    check_duration("limits.connect", l.connect);
    check_duration("limits.stall", l.stall);
    check_duration("limits.response", l.response);
    if (l.response_body == 0 || l.response_headers == 0) {
        refuse_option("limits.response_body and limits.response_headers",
                      "must be above zero: no response could be read");
    }
}

inline void check_rates(const std::string& name, const std::string& text) {
    try {
        const timetable read(text);
    } catch (const error& e) {
        refuse_option(name, e.details().detail);
    }
}

inline constexpr const char* not_a_host_name = "is not the name of a host: write it without scheme and port";

/// A name, an IPv4 address, or an IPv6 address in brackets.
[[nodiscard]] inline bool is_host_name(const std::string& host) {
    const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    return !host.empty() && host.size() <= 255 && !has_control(host) &&
           host.find_first_of(brackets ? "/@?# " : "/@?# :[]") == std::string::npos;
}

inline void check_scope(const limit_scope& what) {
    if (what.what() == limit_scope::kind::host && !is_host_name(what.name())) {
        throw error(errc::invalid_option, "host '" + printable_excerpt(what.name(), 64) + "' " + not_a_host_name);
    }
    if (what.what() == limit_scope::kind::lane) {
        check_lane(what.name());
    }
}

inline void check_options(const bandwidth_limits& b) {
    check_rates("bandwidth.total", b.total);
    for (const auto& [host, rates] : b.hosts) {
        const std::string shown = "bandwidth.hosts['" + printable_excerpt(host, 64) + "']";
        if (!is_host_name(host)) {
            refuse_option(shown, not_a_host_name);
        }
        check_rates(shown, rates);
    }
    for (const auto& [lane, rates] : b.lanes) {
        check_lane(lane);
        check_rates("bandwidth.lanes['" + printable_excerpt(lane, 64) + "']", rates);
    }
}

inline void check_engine_options(const options& how) {
    check_options(how.retry);
    check_options(how.limits);
    check_options(how.bandwidth);
    check_duration("progress_interval", how.progress_interval);
    if (how.flush_interval < std::chrono::milliseconds(20) || how.flush_interval > std::chrono::seconds(1)) {
        refuse_option("flush_interval", "is " + std::to_string(how.flush_interval.count()) + " ms: from 20 ms to 1 s");
    }
    check_age("keep_finished", how.keep_finished);
    if (how.max_concurrent_jobs == 0) {
        refuse_option("max_concurrent_jobs", "is 0: nothing would ever be sent");
    }
    if (how.snapshot_jobs == 0) {
        refuse_option("snapshot_jobs", "is 0: it must be at least 1");
    }
    if (!how.key_header.empty() && !is_token(how.key_header)) {
        refuse_option("key_header", "is '" + printable_excerpt(how.key_header, 64) + "': not the name of a header");
    }
    if (is_reserved_header(how.key_header) && !same_header(how.key_header, "Idempotency-Key")) {
        refuse_option("key_header", "is " + how.key_header + ": that header already has another meaning");
    }
    for (const auto& [name, hook] : how.verifiers) {
        if (!hook) {
            refuse_option("verifiers", "has no function under '" + printable_excerpt(name, 64) + "'");
        }
    }
}

inline void check_options(const store_options& how) {
    if (how.path.empty()) {
        refuse_option("store.path", "is empty: it names the file in which jobs are kept");
    }
    if (how.path.find('\0') != std::string::npos) {
        refuse_option("store.path", "has a NUL character");
    }
    if (how.path.size() > longest_store_path) {
        refuse_option("store.path", "has " + std::to_string(how.path.size()) + " bytes: at most " +
                                        std::to_string(longest_store_path) + " can be opened");
    }
}

inline void check_options(const curl_options& how) {
    if (!is_field_value(how.user_agent)) {
        refuse_option("http.user_agent", "has a control character");
    }
}

inline void check_options(const protocol_set& protocols) {
    for (const auto& [name, make] : protocols.all()) {
        if (name.empty() || !make) {
            refuse_option("protocols", "has no name or no factory under '" + printable_excerpt(name, 64) + "'");
        }
    }
}

}  // namespace waybill::detail
