// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/http/url.hpp>
#include <waybill/protocol/s3/endpoint.hpp>
#include <waybill/protocol/s3/profile.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace waybill::detail {

/// The error codes that different S3 servers use for the same: AWS, MinIO, Ceph, Alibaba, Google, Huawei and others.
struct s3_words {
    static constexpr std::array<std::string_view, 8> passing = {"RequestTimeout",
                                                                "InternalError",
                                                                "OperationAborted",
                                                                "BadDigest",
                                                                "XAmzContentSHA256Mismatch",
                                                                "IncompleteBody",
                                                                "ConditionalRequestConflict",
                                                                "RequestTimeTooSkewed"};
    static constexpr std::array<std::string_view, 10> busy = {
        "SlowDown",        "ServiceUnavailable",   "Throttling",       "ThrottlingException", "RequestThrottled",
        "TooManyRequests", "RequestLimitExceeded", "QpsLimitExceeded", "ServerBusy",          "BandwidthLimitExceeded"};
    static constexpr std::array<std::string_view, 17> keys = {
        "ExpiredToken",         "ExpiredTokenException",       "InvalidToken",
        "InvalidTokenId",       "InvalidClientTokenId",        "TokenRefreshRequired",
        "SecurityTokenExpired", "InvalidSecurityToken",        "InvalidSecurity",
        "RequestExpired",       "InvalidAccessKeyId",          "InvalidAccessKey",
        "AccessKeyDisabled",    "UnrecognizedClientException", "AuthFailure",
        "NotSignedUp",          "SignatureDoesNotMatch"};
};

[[nodiscard]] inline bool is_redirect(const response& r) noexcept {
    return classify_status(r.status) == status_class::redirect;
}

[[nodiscard]] inline bool is_xml(std::string_view body) noexcept {
    body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
    return body.starts_with("<?xml") || body.starts_with("<Error");
}

template <class Codes>
[[nodiscard]] bool is_one_of(const std::string& code, const Codes& codes) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

WAYBILL_DECL verdict judge(const s3_response& got, bool idempotent) {
    verdict v = waybill::judge(got.http, idempotent);
    if (v.what == disposition::ambiguous || !got.error) {
        return v;
    }
    if (v.accepted) {  // the error came after a status of success
        v = {false, disposition::retry, errc::not_completed};
    } else if (is_redirect(got.http)) {
        // S3 itself redirects, not a proxy. Temporarily: a new bucket, which its host learns about later.
        const bool for_now = got.error.code == "TemporaryRedirect";
        v = {false, for_now ? disposition::network : disposition::permanent, errc::redirect_refused};
    }
    if (is_one_of(got.error.code, s3_words::busy)) {
        v.what = disposition::busy;
    } else if (got.error.code == "RequestTimeTooSkewed") {
        v.what = disposition::network;  // a wrong clock is not the job's fault
    } else if (is_one_of(got.error.code, s3_words::passing)) {
        v.what = disposition::retry;
    } else if (is_one_of(got.error.code, s3_words::keys)) {
        v.what = disposition::credentials;
    }
    return v;
}

/// The other location that a response names for the object; empty when it names none.
[[nodiscard]] inline std::string elsewhere(const s3_response& got) {
    std::string where;
    if (const auto location = got.http.header("Location")) {
        try {
            where = url(got.http.url).resolve(std::string(*location)).redacted();
        } catch (const error&) {
            where.clear();
        }
    }
    if (where.empty()) {
        where = got.error.endpoint;
    }
    const std::string region = got.error.region.empty()
                                   ? printable_excerpt(got.http.header("x-amz-bucket-region").value_or(""), 64)
                                   : printable_excerpt(got.error.region, 64);
    if (!region.empty()) {
        where += (where.empty() ? "" : " ") + std::string("(region ") + region + ")";
    }
    return where.empty() ? where : "use " + where;
}

WAYBILL_DECL diagnostics describe(const s3_response& got, std::string detail) {
    diagnostics d = waybill::describe(got.http);
    if (got.error || is_xml(got.http.body)) {
        d.excerpt = got.error.message;
    }
    if (got.error) {
        d.detail = got.error.code + (got.error.message.empty() ? "" : ": " + got.error.message);
    }
    if (is_redirect(got.http)) {
        const std::string where = elsewhere(got);
        d.detail = d.detail.empty() ? "HTTP " + std::to_string(got.http.status) : d.detail;
        d.detail += where.empty() ? "" : "; " + where;
    }
    if (!detail.empty()) {
        d.detail = d.detail.empty() ? std::move(detail) : std::move(detail) + " (" + d.detail + ")";
    }
    return d;
}

WAYBILL_DECL failure failure_of(const s3_response& got, const verdict& what, std::int64_t now_unix, std::size_t item,
                                std::string detail) {
    return failure(what.what, what.code, describe(got, std::move(detail)), parse_retry_after(got.http, now_unix), item);
}

WAYBILL_DECL std::string_view opaque_tag(std::string_view etag) noexcept {
    if (etag.starts_with("W/")) {
        etag.remove_prefix(2);
    }
    const bool quoted = etag.size() >= 2 && etag.front() == '"' && etag.back() == '"';
    return quoted ? etag.substr(1, etag.size() - 2) : etag;
}

WAYBILL_DECL std::string stored_etag(const response& got, std::uint64_t size) {
    constexpr std::string_view of_nothing = "d41d8cd98f00b204e9800998ecf8427e";  // the MD5 of no bytes
    constexpr std::size_t most = 256;
    std::string_view etag = got.header("ETag").value_or("");
    if (etag.starts_with("W/")) {
        etag.remove_prefix(2);  // parts are named by strong ones
    }
    const std::string_view opaque = opaque_tag(etag);
    const bool empty = opaque.empty() || (size != 0 && opaque == of_nothing);
    return empty || etag.size() > most ? std::string() : std::string(etag);
}

WAYBILL_DECL bool says_gone(const s3_response& got) {
    const std::string& code = got.error.code;
    return code == "NoSuchUpload" || (got.http.status == 404 && code != "NoSuchBucket");
}

WAYBILL_DECL bool is_refused_for_now(disposition what, std::error_code code,
                                     std::optional<std::chrono::seconds> retry_after) {
    constexpr std::chrono::seconds longest(30);
    const bool gateway = what == disposition::network && code.category() == http_category();
    const bool passes =
        what == disposition::retry || what == disposition::busy || what == disposition::again || gateway;
    const bool returned = code.category() == http_category() || code == errc::connection_lost ||
                          code == errc::stale_connection || code == errc::invalid_response ||
                          code == errc::not_completed || code == errc::early_response;
    return passes && returned && retry_after.value_or(longest) <= longest;
}

WAYBILL_DECL bool refuses_checksums(const s3_response& got) {
    const std::string said = lower_case(got.error.message);
    const bool named = said.find("checksum") != std::string::npos && got.error.code != "BadDigest";
    return got.http.status == 501 || (got.http.status == 400 && named);
}

[[noreturn]] WAYBILL_DECL void fail(const s3_response& got, const verdict& what, std::int64_t now_unix,
                                    std::size_t item, std::string detail) {
    throw failure_of(got, what, now_unix, item, std::move(detail));
}

WAYBILL_DECL void require_accepted(const s3_response& got, std::int64_t now_unix, std::size_t item) {
    const verdict v = judge(got, true);
    if (!v.accepted) {
        fail(got, v, now_unix, item);
    }
}

WAYBILL_DECL s3_credentials s3_endpoint::ask_for_keys(const std::string& target) const {
    const std::string origin = url(target).origin();
    std::optional<s3_credentials> who;
    std::string why;
    try {
        who = keys_ ? keys_(origin, settings_.profile) : std::nullopt;
    } catch (const error& e) {
        why = e.details().detail;
    }
    if (who) {
        why = flaw_of(*who);
        if (why.empty()) {
            return std::move(*who);
        }
    }
    diagnostics d;
    d.detail = settings_.profile.empty() ? origin : origin + ", profile " + settings_.profile;
    d.detail += why.empty() ? "" : ": " + why;
    throw failure(disposition::credentials, errc::no_credentials, std::move(d));
}

WAYBILL_DECL std::string s3_endpoint::identity(const std::string& target) const {
    try {
        const s3_credentials who = ask_for_keys(target);
        return who.access_key + "\n" + who.secret_key + "\n" + who.session_token;
    } catch (const failure&) {
        return {};  // there are none
    }
}

WAYBILL_DECL void s3_endpoint::require_signer(const std::string& target) {
    if (!signer_) {
        who_ = ask_for_keys(target);
        if (region_.empty()) {
            region_ = is_s3_word(who_.region) ? who_.region : "us-east-1";
        }
        signer_.emplace(who_, region_, settings_.service);
    }
    signer_->region(region_);
}

WAYBILL_DECL asio::awaitable<s3_response> s3_endpoint::send(exchange& server, request what, std::string payload,
                                                            std::size_t about) {
    constexpr int most_corrections = 3;
    what.sealed = true;
    for (int corrections = 0;; ++corrections) {
        require_signer(what.url);
        const signature_basis used{region_, skew_, who_};
        request one = what;
        signer_->sign(one, payload, unix_seconds(server.now()) + used.skew);
        s3_response got;
        got.http = co_await server.send(std::move(one), about);
        got.error = parse_s3_error(got.http.body);
        const verdict v = judge(got, true);
        bool again = learned(got, used, unix_seconds(server.now())) ||
                     (v.what == disposition::credentials && has_other_keys(what.url, used));
        // A whole part whose response is missing is looked up instead of being sent again.
        const bool unsent = !got.http.may_have_left;
        if (unsent && !what.fresh_connection && v.what == disposition::again) {
            what.fresh_connection = again = true;
        }
        if (!again || corrections == most_corrections) {
            co_return got;
        }
    }
}

/// True when the response says what was wrong with the signature, or another one has said so meanwhile.
WAYBILL_DECL bool s3_endpoint::learned(const s3_response& got, const signature_basis& used, std::int64_t now_unix) {
    constexpr std::int64_t noise = 60;
    if (got.error.code == "RequestTimeTooSkewed") {
        const auto date = parse_http_date(got.http.header("Date").value_or(""));
        if (date && skew_ == used.skew) {
            skew_ = *date - now_unix;
        }
        return skew_ > used.skew + noise || skew_ < used.skew - noise;
    }
    // A response to HEAD has no document: only its headers can be read.
    const bool wordless = got.http.status == 400 && !got.error;
    if (got.error.code == "AuthorizationHeaderMalformed" || wordless) {
        const std::string named = std::string(got.http.header("x-amz-bucket-region").value_or(""));
        const std::string& right = got.error.region.empty() ? named : got.error.region;
        if (is_s3_word(right)) {
            region_ = right;
        }
        return region_ != used.region;
    }
    return false;
}

/// Keys that have expired: the provider may have others by now, or another request has got them.
WAYBILL_DECL bool s3_endpoint::has_other_keys(const std::string& target, const signature_basis& used) {
    const auto same = [](const s3_credentials& a, const s3_credentials& b) {
        return a.access_key == b.access_key && a.secret_key == b.secret_key && a.session_token == b.session_token;
    };
    if (same(who_, used.who)) {
        s3_credentials now = ask_for_keys(target);
        if (same(now, used.who)) {
            return false;
        }
        who_ = std::move(now);
        signer_.emplace(who_, region_, settings_.service);
    }
    return true;
}

WAYBILL_DECL bool s3_endpoint::asks_for_md5(const s3_response& got) {
    const bool asked = got.http.status == 400 && got.error.message.find("Content-MD5") != std::string::npos &&
                       got.error.code != "BadDigest" && got.error.code != "InvalidDigest";
    wants_md5_ = wants_md5_ || asked;
    return asked;
}

}  // namespace waybill::detail
