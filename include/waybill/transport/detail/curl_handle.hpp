// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>

#include <curl/curl.h>

#include <cerrno>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

#if LIBCURL_VERSION_NUM < 0x075400
#error "Waybill needs libcurl 7.84 or newer"
#endif

namespace waybill::detail {

struct easy_deleter {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct multi_deleter {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
struct slist_deleter {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using easy_handle = std::unique_ptr<CURL, easy_deleter>;
using multi_handle = std::unique_ptr<CURLM, multi_deleter>;
using slist_handle = std::unique_ptr<curl_slist, slist_deleter>;

/// Initialises libcurl once for the process. There is no clean-up: resolver threads of canceled
/// transfers may outlive every object of ours.
inline void curl_startup() {
    static const CURLcode rc = curl_global_init(CURL_GLOBAL_ALL);
    if (rc != CURLE_OK) {
        throw error(errc::transport_failed, curl_easy_strerror(rc));
    }
}

/// The version of the libcurl that runs, which need not be the one compiled against.
[[nodiscard]] inline unsigned curl_runtime_version() noexcept {
    static const unsigned loaded = curl_version_info(CURLVERSION_NOW)->version_num;  // which is composed at each call
    return loaded;
}

/// libcurl before 8.0 busy-loops on HTTP/2 uploads to a slow reader. Later ones built without HTTP/2 reject the option.
[[nodiscard]] inline bool curl_does_http2_well() noexcept {
    static const bool built_in = (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2) != 0;
    return built_in && curl_runtime_version() >= 0x080000;
}

/// HTTP/2 sends several requests over one connection, and only TLS negotiates it.
[[nodiscard]] inline bool may_share_connection(std::string_view url) noexcept {
    return curl_does_http2_well() && url.starts_with("https:");
}

template <class Value>
void set_option(CURL* easy, CURLoption option, Value value) {
    CURLcode rc = CURLE_OK;
    if constexpr (std::is_integral_v<Value> && !std::is_same_v<Value, curl_off_t>) {
        rc = curl_easy_setopt(easy, option, static_cast<long>(value));
    } else {
        rc = curl_easy_setopt(easy, option, value);
    }
    if (rc == CURLE_OUT_OF_MEMORY) {
        throw std::bad_alloc();
    }
    if (rc != CURLE_OK) {
        throw error(errc::transport_failed, "libcurl rejects option " + std::to_string(static_cast<int>(option)) +
                                                ": " + curl_easy_strerror(rc));
    }
}

inline void append_line(slist_handle& list, const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) {
        throw std::bad_alloc();
    }
    static_cast<void>(list.release());
    list.reset(longer);
}

/// libcurl's own limits of a header line (100 KB) and of all headers (300 KB, later versions).
[[nodiscard]] inline bool refuses_headers(CURLcode rc, std::string_view text) noexcept {
    constexpr auto too_large = static_cast<CURLcode>(100);  // CURLE_TOO_LARGE, since 8.6
    return rc == CURLE_OUT_OF_MEMORY || rc == too_large ||
           (rc == CURLE_RECV_ERROR && text.starts_with("Too large response headers"));
}

/// Maps a CURLcode to an `errc`. `os_error` is CURLINFO_OS_ERRNO.
[[nodiscard]] inline errc to_errc(CURLcode rc, long os_error, bool connected) noexcept {
    switch (rc) {
        case CURLE_UNSUPPORTED_PROTOCOL:
            // Also reported for a response that is not HTTP/1 (libcurl 7.88, HTTP/0.9).
            return connected ? errc::invalid_response : errc::unsupported_scheme;
        case CURLE_URL_MALFORMAT: return errc::invalid_url;
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_PROXY: return errc::proxy_failed;
        case CURLE_COULDNT_RESOLVE_HOST: return errc::host_not_found;
        case CURLE_COULDNT_CONNECT:
            return os_error == ENETUNREACH || os_error == ENETDOWN ? errc::network_unreachable : errc::connect_failed;
        case CURLE_OPERATION_TIMEDOUT: return errc::connect_timed_out;  // no other timeout is set
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_HTTP2: return errc::invalid_response;
        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_HTTP2_STREAM: return errc::connection_lost;
        case CURLE_SEND_FAIL_REWIND: return errc::stale_connection;
        case CURLE_SSL_CONNECT_ERROR: return errc::tls_failed;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CRL_BADFILE:
        case CURLE_SSL_ENGINE_NOTFOUND:
        case CURLE_SSL_ENGINE_SETFAILED:
        case CURLE_SSL_ENGINE_INITFAILED:
        case CURLE_SSL_CIPHER: return errc::tls_untrusted;
        case CURLE_WRITE_ERROR: return errc::response_too_large;
        default: return errc::transport_failed;
    }
}

}  // namespace waybill::detail
