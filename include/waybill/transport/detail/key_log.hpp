// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/loaded_symbol.hpp>

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

struct ssl_ctx_st;  // OpenSSL's names for SSL_CTX and SSL: its header need not be there
struct ssl_st;

// libcurl writes the keys of every TLS connection to the file that the environment variable SSLKEYLOGFILE names. Anyone
// who can set a variable for a program could read what it sends. libcurl has no option against it, and reads the
// variable when it is initialised. With OpenSSL the function that does it can be removed from each connection.
namespace waybill::detail {

using key_log_function = void (*)(const ssl_st*, const char*);
using key_log_setter = void (*)(ssl_ctx_st*, key_log_function);

/// OpenSSL's function, found in the library that libcurl has loaded; null when libcurl uses another one.
[[nodiscard]] inline key_log_setter find_key_log_setter() noexcept {
    constexpr std::array<std::string_view, 5> alike = {"OpenSSL", "LibreSSL", "BoringSSL", "AWS-LC", "quictls"};
    const char* const name = curl_version_info(CURLVERSION_NOW)->ssl_version;
    const std::string_view used = name == nullptr ? "" : name;
    const bool known =
        std::any_of(alike.begin(), alike.end(), [&](std::string_view one) { return used.starts_with(one); });
    return known ? loaded_symbol<key_log_setter>("SSL_CTX_set_keylog_callback") : nullptr;
}

[[nodiscard]] inline key_log_setter the_key_log_setter() noexcept {
    static const key_log_setter found = find_key_log_setter();
    return found;
}

/// A CURLOPT_SSL_CTX_FUNCTION: called after libcurl has prepared the context.
inline CURLcode take_key_log_away(CURL* /*easy*/, void* context, void* /*nothing*/) noexcept {
    the_key_log_setter()(static_cast<ssl_ctx_st*>(context), nullptr);
    return CURLE_OK;
}

/// True when keys would be written and nothing can be done about it.
[[nodiscard]] inline bool keys_would_be_logged() noexcept {
    const char* const file = std::getenv("SSLKEYLOGFILE");  // NOLINT(concurrency-mt-unsafe): read, like libcurl does
    return file != nullptr && *file != '\0' && the_key_log_setter() == nullptr;
}

}  // namespace waybill::detail
