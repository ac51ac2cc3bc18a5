// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/http/header.hpp>
#include <waybill/protocol/reserved_headers.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

// Which headers a job may have. Pure functions.
namespace waybill::detail {

/// Framing and routing belong to the transport; headers that protocols set belong to these.
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

/// The name suggests that the value is a credential: it contains a typical word, however its words are joined.
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

/// What a protocol may still accept from a job: how the bytes are to be stored, and what a signed URL demands.
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

}  // namespace waybill::detail
