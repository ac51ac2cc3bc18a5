// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/http/date.hpp>
#include <waybill/http/header.hpp>
#include <waybill/http/url.hpp>
#include <waybill/protocol/failure.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

// What HTTP responses and failures mean for an upload. Pure functions.
namespace waybill {

/// `Retry-After` (RFC 9110 section 10.2.3) in either form. A date is relative to the response's own `Date`, because the
/// server's clock, not ours, defines it. An invalid value is ignored.
[[nodiscard]] inline std::optional<std::chrono::seconds> parse_retry_after(const response& r, std::int64_t now_unix) {
    constexpr std::int64_t most = 400LL * 24 * 3600;
    const auto value = r.header("Retry-After");
    if (!value) {
        return std::nullopt;
    }
    if (const auto delay = parse_decimal(*value)) {
        return std::chrono::seconds(static_cast<std::int64_t>(std::min<std::uint64_t>(*delay, most)));
    }
    const auto until = parse_http_date(*value);
    if (!until) {
        return std::nullopt;
    }
    const auto date = r.header("Date");
    const std::int64_t from = date ? parse_http_date(*date).value_or(now_unix) : now_unix;
    return std::chrono::seconds(std::clamp<std::int64_t>(*until - from, 0, most));
}

[[nodiscard]] inline std::int64_t unix_seconds(std::chrono::system_clock::time_point t) noexcept {
    return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
}

/// The server, or a proxy before it, failed because of this very request, while it may accept others: it reported an
/// error, or the connection was lost after the request was sent, without a usable response. A host that is down, busy
/// or unreachable says nothing about the request.
[[nodiscard]] inline bool is_disrupted_by(const response& r) noexcept {
    if (r.status != 0) {
        return r.status == 500 && !r.header("Retry-After");
    }
    return r.failure == errc::connection_lost || r.failure == errc::response_timed_out ||
           r.failure == errc::response_too_large || r.failure == errc::invalid_response;
}

/// How a finished request is judged.
struct verdict {
    bool accepted = false;
    disposition what = disposition::retry;
    std::error_code code;
};

/// A temporary redirect to another host, or to an unusable URL, comes from a captive portal more often than from the
/// server. If the server may have had the whole request, only a 307 is treated so: an app also responds with 302 and
/// 303 to a form that it has processed.
[[nodiscard]] inline bool is_from_portal(const response& r, bool may_be_processed) {
    const bool for_now = r.status == 307 || (!may_be_processed && (r.status == 302 || r.status == 303));
    const auto location = r.header("Location");
    if (!for_now || !location || r.url.empty()) {
        return false;
    }
    try {
        const url from(r.url);
        return from.resolve(std::string(*location)).host() != from.host();
    } catch (const error&) {
        return r.status != 307;  // login pages use 302 and 303; a wrong 307 is a server's mistake
    }
}

/// A success with an HTML page (RFC 9110 section 8.3.1: media types are the same in any case).
[[nodiscard]] inline bool is_web_page(const response& r) noexcept {
    return r.status / 100 == 2 && begins_ignoring_case(r.header("Content-Type").value_or(""), "text/html");
}

/// What to do when something other than the protocol's server has responded. Over plain HTTP an HTML page most likely
/// comes from a captive portal: the job waits until the network is usable. Over TLS only the server can have responded.
/// That, and everything else, counts as a failed attempt.
[[nodiscard]] inline disposition after_foreign_response(const response& r) noexcept {
    return is_web_page(r) && begins_ignoring_case(r.url, "http:") ? disposition::network : disposition::retry;
}

/// One of its headers has a name with this prefix: only a server of a certain protocol sends such.
[[nodiscard]] inline bool has_header_beginning(const response& r, std::string_view begin) noexcept {
    return std::any_of(r.headers.begin(), r.headers.end(),
                       [begin](const header_field& h) { return begins_ignoring_case(h.name, begin); });
}

/// What to do about a status which means that the request was not processed.
[[nodiscard]] inline disposition after_refusal(const response& r) {
    switch (r.status) {
        case 401:
        case 407: return disposition::credentials;
        case 423: return disposition::locked;
        default: break;
    }
    if (parse_retry_after(r, 0)) {  // also with 413: temporary (RFC 9110 section 15.5.14)
        return disposition::busy;
    }
    switch (r.status) {
        case 425:
        case 429:
        case 503:
        case 507:
        case 508:
        case 509:
        case 529: return disposition::busy;
        case 408:
        case 417:
        case 421:
        case 500: return disposition::retry;
        default: break;
    }
    if (concerns_host(make_http_error(r.status))) {
        return disposition::network;
    }
    // An unknown one is a 500 (RFC 9110 section 15).
    return classify_status(r.status) == status_class::ambiguous ? disposition::retry : disposition::permanent;
}

[[nodiscard]] inline verdict judge_status(const response& r, bool idempotent) {
    const std::error_code code = make_http_error(r.status);
    // A server cannot process a request that it cannot have completely: an error in mid-body is never ambiguous, and a
    // success in mid-body never counts. In between are bytes that were handed over and may or may not arrive: then an
    // error is already ambiguous, and a success still does not count.
    const bool ambiguous = !idempotent && r.may_have_left;
    switch (classify_status(r.status)) {
        case status_class::success:
            if (r.has_left) {
                return {true, disposition::retry, {}};
            }
            return {false, ambiguous ? disposition::ambiguous : disposition::retry, errc::early_response};
        case status_class::redirect: {
            if (r.see_other) {
                return {true, disposition::retry, {}};
            }
            if (is_from_portal(r, ambiguous)) {
                return {false, disposition::network, errc::redirect_refused};
            }
            // A 300 to 303 means that the form was processed; 307 and 308 mean that it was not.
            const bool processed = ambiguous && r.status <= 303;
            return {false, processed ? disposition::ambiguous : disposition::permanent, errc::redirect_refused};
        }
        case status_class::ambiguous:
            if (ambiguous) {
                return {false, disposition::ambiguous, code};
            }
            break;
        default: break;
    }
    return {false, after_refusal(r), code};
}

/// Decides by how much of the request was sent: before the last byte is sent nothing can have happened; after it,
/// without a response, anything can.
[[nodiscard]] inline verdict judge(const response& r, bool idempotent) {
    if (r.status != 0) {
        return judge_status(r, idempotent);
    }
    const std::error_code code = r.failure ? r.failure : make_error_code(errc::connection_lost);
    if (r.may_have_left && !idempotent) {
        return {false, disposition::ambiguous, code};
    }
    if (code == errc::stale_connection || (r.reused_connection && code == errc::connection_lost)) {
        return {false, disposition::again, code};
    }
    if (code == errc::proxy_unauthorized) {
        return {false, disposition::credentials, code};
    }
    if (concerns_host(code)) {
        return {false, disposition::network, code};
    }
    return {false, code == cause::permanent ? disposition::permanent : disposition::retry, code};
}

/// A redirect as text: its status, and its target.
[[nodiscard]] inline std::string redirect_text(const response& r) {
    return "HTTP " + std::to_string(r.status) + (r.leads_to.empty() ? "" : " to " + r.leads_to);
}

/// Throws the `failure` for a response, unless it was accepted.
inline void require_accepted(const response& r, bool idempotent, std::int64_t now_unix,
                             std::size_t item = checkpoint::whole_job) {
    const verdict v = judge(r, idempotent);
    if (v.accepted) {
        return;
    }
    diagnostics d = describe(r);
    if (v.code == errc::redirect_refused) {
        d.detail = redirect_text(r);
    }
    throw failure(v.what, v.code, std::move(d), parse_retry_after(r, now_unix), item);
}

}  // namespace waybill
