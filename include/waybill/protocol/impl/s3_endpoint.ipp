// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/detail/s3_endpoint.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace waybill::detail {

WAYBILL_DECL verdict judge(const s3_answer& answer, bool idempotent) {
    constexpr std::array<std::string_view, 8> passing = {
        "RequestTimeout",       "InternalError",  "OperationAborted",          "BadDigest", "XAmzContentSHA256Mismatch",
        "RequestTimeTooSkewed", "IncompleteBody", "ConditionalRequestConflict"};
    constexpr std::array<std::string_view, 5> busy = {"SlowDown", "ServiceUnavailable", "Throttling",
                                                      "RequestLimitExceeded", "TooManyRequests"};
    constexpr std::array<std::string_view, 4> keys = {"ExpiredToken", "InvalidToken", "TokenRefreshRequired",
                                                      "InvalidAccessKeyId"};
    const auto is_one_of = [&answer](const auto& codes) {
        return std::find(codes.begin(), codes.end(), answer.error.code) != codes.end();
    };
    verdict v = waybill::judge(answer.http, idempotent);
    if (v.what == disposition::ambiguous || !answer.error) {
        return v;
    }
    if (v.accepted) {  // the error came after a status of success
        v = {false, disposition::retry, errc::not_completed};
    }
    if (is_one_of(busy)) {
        v.what = disposition::busy;
    } else if (is_one_of(passing)) {
        v.what = disposition::retry;
    } else if (is_one_of(keys)) {
        v.what = disposition::credentials;
    }
    return v;
}

WAYBILL_DECL diagnostics describe(const s3_answer& answer) {
    diagnostics d = waybill::describe(answer.http);
    const auto text = answer.http.body.find_first_not_of(" \t\r\n");
    if (text != std::string::npos && answer.http.body.compare(text, 1, "<") == 0) {
        d.excerpt.clear();
    }
    if (answer.error) {
        d.detail = answer.error.code + (answer.error.message.empty() ? "" : ": " + answer.error.message);
    }
    return d;
}

WAYBILL_DECL failure failure_of(const s3_answer& answer, const verdict& what, std::int64_t now_unix, std::size_t item,
                                std::string detail) {
    diagnostics d = describe(answer);
    if (!detail.empty()) {
        d.detail = d.detail.empty() ? std::move(detail) : std::move(detail) + " (" + d.detail + ")";
    }
    return failure(what.what, what.code, std::move(d), parse_retry_after(answer.http, now_unix), item);
}

[[noreturn]] WAYBILL_DECL void fail(const s3_answer& answer, const verdict& what, std::int64_t now_unix,
                                    std::size_t item, std::string detail) {
    throw failure_of(answer, what, now_unix, item, std::move(detail));
}

WAYBILL_DECL void require_accepted(const s3_answer& answer, std::int64_t now_unix, std::size_t item) {
    const verdict v = judge(answer, true);
    if (!v.accepted) {
        fail(answer, v, now_unix, item);
    }
}

WAYBILL_DECL void s3_endpoint::require_signer(const std::string& target) {
    if (!signer_) {
        const std::string origin = url(target).origin();
        std::optional<s3_credentials> who = keys_ ? keys_(origin, settings_.profile) : std::nullopt;
        if (!who) {
            diagnostics d;
            d.detail = settings_.profile.empty() ? origin : origin + ", profile " + settings_.profile;
            throw failure(disposition::credentials, errc::no_credentials, std::move(d));
        }
        signer_.emplace(std::move(*who), region_, settings_.service);
    }
    signer_->region(region_);
}

WAYBILL_DECL asio::awaitable<s3_answer> s3_endpoint::send(exchange& server, request what, std::string payload,
                                                          std::vector<body_span> spans, std::size_t about) {
    constexpr int most_corrections = 3;
    what.sealed = true;
    for (int corrections = 0;; ++corrections) {
        require_signer(what.url);
        const signature_basis used{region_, skew_};
        request one = what;
        signer_->sign(one, payload, unix_seconds(server.now()) + used.skew);
        std::vector<body_span> counted = spans;
        s3_answer answer;
        answer.http = co_await server.send(std::move(one), std::move(counted), about);
        answer.error = parse_s3_error(answer.http.body);
        bool again = learned(answer, used, unix_seconds(server.now()));
        // A whole part whose answer is missing is asked about instead of being sent again.
        const bool unsent = !answer.http.may_have_left;
        if (unsent && !what.fresh_connection && judge(answer, true).what == disposition::again) {
            what.fresh_connection = again = true;
        }
        if (!again || corrections == most_corrections) {
            co_return answer;
        }
    }
}

/// True when the answer says what was wrong with the signature, or another one has said so meanwhile.
WAYBILL_DECL bool s3_endpoint::learned(const s3_answer& answer, const signature_basis& used, std::int64_t now_unix) {
    constexpr std::int64_t noise = 60;
    if (answer.error.code == "RequestTimeTooSkewed") {
        const auto date = parse_http_date(answer.http.header("Date").value_or(""));
        if (date && skew_ == used.skew) {
            skew_ = *date - now_unix;
        }
        return skew_ > used.skew + noise || skew_ < used.skew - noise;
    }
    if (answer.error.code == "AuthorizationHeaderMalformed") {
        if (is_s3_word(answer.error.region)) {
            region_ = answer.error.region;
        }
        return region_ != used.region;
    }
    return false;
}

}  // namespace waybill::detail
