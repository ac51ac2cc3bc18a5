// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/socket.hpp>
#include <waybill/transport/curl_options.hpp>
#include <waybill/transport/detail/curl_handle.hpp>
#include <waybill/transport/detail/curl_transfer.hpp>
#include <waybill/transport/detail/key_log.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace waybill::detail {

// libcurl's own sockets would be inherited by every program the app starts, which would keep the
// connection open for as long as it runs.
inline curl_socket_t open_private_socket(void* /*nothing*/, curlsocktype /*purpose*/, curl_sockaddr* address) noexcept {
    const int fd = private_socket(address->family, address->socktype, address->protocol).release();
    if (fd >= 0) {
        keep_queue_short(fd);
    }
    return fd;
}

// The loaded library may be older than the headers, and reject an option it does not know.
inline void allow_http_only(CURL* e) {
#if LIBCURL_VERSION_NUM >= 0x075500
    if (curl_runtime_version() >= 0x075500) {
        set_option(e, CURLOPT_PROTOCOLS_STR, "http,https");
        set_option(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        return;
    }
#endif
    // By number: newer headers call the names deprecated.
    constexpr auto protocols = static_cast<CURLoption>(CURLOPTTYPE_LONG + 181);
    constexpr auto redir_protocols = static_cast<CURLoption>(CURLOPTTYPE_LONG + 182);
    set_option(e, protocols, CURLPROTO_HTTP | CURLPROTO_HTTPS);
    set_option(e, redir_protocols, CURLPROTO_HTTP | CURLPROTO_HTTPS);
}

/// The options of every request: docs/guide/security.md explains them all.
inline void set_policy(CURL* e, const curl_options& options) {
    allow_http_only(e);
    set_option(e, CURLOPT_FOLLOWLOCATION, 0);
    set_option(e, CURLOPT_SSL_VERIFYPEER, 1);
    set_option(e, CURLOPT_SSL_VERIFYHOST, 2);
    set_option(e, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (!options.ca_file.empty()) {
        set_option(e, CURLOPT_CAINFO, options.ca_file.c_str());
        set_option(e, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    if (!options.client_cert.empty()) {
        set_option(e, CURLOPT_SSLCERT, options.client_cert.c_str());
        set_option(e, CURLOPT_SSLKEY, (options.client_key.empty() ? options.client_cert : options.client_key).c_str());
        set_option(e, CURLOPT_KEYPASSWD, "");  // or OpenSSL would ask for it on the terminal
    }
    if (the_key_log_setter() != nullptr) {
        set_option(e, CURLOPT_SSL_CTX_FUNCTION, &take_key_log_away);
    }
    // libcurl uses http_proxy, no_proxy and similar variables of the environment unless this is set.
    set_option(e, CURLOPT_PROXY, options.proxy.c_str());
    set_option(e, CURLOPT_NOPROXY, "");
    // A proxy's "200 Connection established" must not be taken for the server's response.
    set_option(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
    set_option(e, CURLOPT_NETRC, CURL_NETRC_IGNORED);
    set_option(e, CURLOPT_UNRESTRICTED_AUTH, 0);
    set_option(e, CURLOPT_HTTP09_ALLOWED, 0);
    set_option(e, CURLOPT_NOSIGNAL, 1);
    set_option(e, CURLOPT_MAXAGE_CONN, 60);
    set_option(e, CURLOPT_MAXLIFETIME_CONN, 3600);
    set_option(e, CURLOPT_TCP_KEEPALIVE, 1);
    set_option(e, CURLOPT_TCP_KEEPIDLE, 30);
    set_option(e, CURLOPT_TCP_KEEPINTVL, 10);
    set_option(e, CURLOPT_OPENSOCKETFUNCTION, &open_private_socket);
    set_option(e, CURLOPT_USERAGENT, options.user_agent.c_str());
#if LIBCURL_VERSION_NUM >= 0x075700
    // Without it, canceling during name resolution blocks the strand until the resolver times out.
    if (curl_runtime_version() >= 0x075700) {
        set_option(e, CURLOPT_QUICK_EXIT, 1);
    }
#endif
    set_option(e, CURLOPT_HTTP_VERSION, curl_does_http2_well() ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
}

[[nodiscard]] inline bool has_header(const header_list& headers, std::string_view name) noexcept {
    return std::any_of(headers.begin(), headers.end(),
                       [&](const header_field& h) { return same_header(h.name, name); });
}

// libcurl sends line breaks unchanged. Values from a job were checked when it was accepted; values from a credentials
// provider, a protocol or an option are checked here, and not repeated in the message.
inline void require_one_line(std::string_view value, const std::string& name) {
    if (!is_field_value(value)) {
        throw error(errc::invalid_header, "the value of " + name);
    }
}
inline void require_token(const std::string& name) {
    if (!is_token(name)) {
        throw error(errc::invalid_header, "'" + printable_excerpt(name, 64) + "'");
    }
}

[[nodiscard]] inline slist_handle header_lines(const header_list& headers, bool expect_continue) {
    slist_handle lines;
    for (const header_field& h : headers) {
        require_token(h.name);
        require_one_line(h.value, h.name);
        // libcurl's notation: "Name:" would remove a header, "Name;" sends an empty one.
        append_line(lines, h.value.empty() ? h.name + ";" : h.name + ": " + h.value);
    }
    // A server that ignores it costs the whole timeout for each request: only where it is wanted.
    append_line(lines, expect_continue ? "Expect: 100-continue" : "Expect:");
    if (!has_header(headers, "Content-Type")) {
        append_line(lines, "Content-Type:");
    }
    return lines;
}

/// The memory libcurl may fill ahead of the socket: large bodies are sent in few system calls.
[[nodiscard]] inline long upload_buffer(std::uint64_t body) noexcept {
    constexpr std::uint64_t least = 64 << 10;
    constexpr std::uint64_t most = 2 << 20;  // also libcurl's own limit
    return static_cast<long>(std::clamp(body, least, most));
}

/// Prepares `t` for `what`. `lines` must outlive the transfer.
inline void set_up(curl_transfer& t, const request& what, const curl_options& options, const slist_handle& lines) {
    CURL* const e = t.easy();
    require_token(what.method);
    require_one_line(options.user_agent, "User-Agent");
    set_policy(e, options);
    t.hook(!options.proxy.empty());
    set_option(e, CURLOPT_URL, what.url.c_str());
    set_option(e, CURLOPT_HTTPHEADER, lines.get());
    set_option(e, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(what.limits.connect.count()));
    set_option(e, CURLOPT_EXPECT_100_TIMEOUT_MS, 5000);
    set_option(e, CURLOPT_FRESH_CONNECT, what.fresh_connection || !what.idempotent ? 1 : 0);
    if (what.method == "HEAD") {
        set_option(e, CURLOPT_NOBODY, 1);
    } else if (what.body == nullptr && (what.method == "GET" || what.method == "DELETE" || what.method == "OPTIONS")) {
        set_option(e, CURLOPT_HTTPGET, 1);
        set_option(e, CURLOPT_CUSTOMREQUEST, what.method.c_str());
    } else if (t.in_one_piece()) {
        set_option(e, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(t.small_body_bytes().size()));
        set_option(e, CURLOPT_POSTFIELDS, t.small_body_bytes().data());
        set_option(e, CURLOPT_CUSTOMREQUEST, what.method.c_str());
    } else {
        set_option(e, CURLOPT_UPLOAD, 1);
        set_option(e, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(what.body_size()));
        set_option(e, CURLOPT_UPLOAD_BUFFERSIZE, upload_buffer(what.body_size()));
        set_option(e, CURLOPT_CUSTOMREQUEST, what.method.c_str());
    }
}

}  // namespace waybill::detail
