// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/http/header.hpp>
#include <waybill/transport/request.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace waybill {

/// The result of a request. Network failures are values here, not exceptions: what a failure means depends on how much
/// of the request was sent, and only the protocol can decide that.
struct response {
    /// The final URL, after redirects: a relative `Location` is relative to it. Set by `exchange::send`.
    std::string url;
    int status = 0;  ///< the final status; 0 when its headers did not arrive completely
    header_list headers;
    std::string body;             ///< at most `request_limits::response_body` bytes
    bool body_truncated = false;  ///< the response body was too long, or ended early
    std::error_code failure;      ///< why the transfer ended, if not successfully: `errc::…`; empty after success
    std::uint64_t body_offered =
        0;  ///< request body bytes handed out; the last one counts as handed out when it may have been sent
    /// Every request body byte may have been sent. The server may have processed the request.
    bool may_have_left = false;
    /// Every request body byte has been sent, and the other end of the connection has it. Without this a success does
    /// not count: what was handed over may still be in a buffer of this machine.
    bool has_left = false;
    /// It is a 303 where that is a success. Set by `exchange::send`.
    bool see_other = false;
    /// A redirect's target, fit to be shown and stored: without its query. Set by `exchange::send`.
    std::string leads_to;
    std::uint64_t body_taken = 0;  ///< request body bytes that the kernel has accepted, whether or not they arrived
    bool reused_connection = false;
    int transport_code = 0;
    std::string transport_text;
    std::string failure_detail;  ///< which file, which limit

    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept {
        return single_header(headers, name);
    }
};

/// Makes text from a server or proxy fit for logs and snapshots: bounded, without control characters.
[[nodiscard]] inline std::string printable_excerpt(std::string_view text, std::size_t most = 1024) {
    std::string shown(text.substr(0, most));
    for (char& c : shown) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) {
            c = ' ';
        }
    }
    return shown;
}

/// Redacts secrets in a text, in place.
inline void hide_secrets(std::string& text, const std::vector<std::string>& secrets) {
    constexpr std::size_t least = 4;  // shorter text is no secret, and would redact too much
    for (const std::string& secret : secrets) {
        if (secret.size() < least) {
            continue;
        }
        for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + secret.size())) {
            text.replace(at, secret.size(), secret.size(), '*');
        }
    }
}

/// The same for the parts of a response that errors and receipts are made of, because they are stored: a server's error
/// page may show the request, including credentials.
inline void hide_secrets(response& got, const std::vector<std::string>& secrets) {
    for (header_field& h : got.headers) {
        if (same_header(h.name, "ETag")) {  // the only header that is redacted: an URL must stay unchanged
            hide_secrets(h.value, secrets);
        }
    }
    hide_secrets(got.body, secrets);
    hide_secrets(got.transport_text, secrets);
}

/// The details of a response for a job's error.
[[nodiscard]] inline diagnostics describe(const response& r) {
    diagnostics d;
    d.http_status = r.status;
    d.transport_code = r.transport_code;
    d.transport_text = printable_excerpt(r.transport_text, 256);
    d.excerpt = printable_excerpt(r.body);
    d.detail = r.failure_detail;
    return d;
}

}  // namespace waybill
