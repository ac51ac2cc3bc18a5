// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/transport/curl_options.hpp>
#include <waybill/transport/detail/curl_handle.hpp>
#include <waybill/transport/detail/key_log.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

// Mistakes in the transport's options are reported when the uploader is created, not by every job.
namespace waybill::detail {

/// Requires a readable file of PEM blocks. OpenSSL's message for a missing one does not name it.
inline void require_pem(const std::string& option, const std::string& path) {
    if (path.empty()) {
        return;
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        const std::string why = std::error_code(errno, std::generic_category()).message();
        throw error(errc::invalid_option, option + ": " + printable_excerpt(path, 256) + ": " + why);
    }
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with("-----BEGIN ")) {
            return;
        }
    }
    throw error(errc::invalid_option, option + ": " + printable_excerpt(path, 256) + " is no PEM file");
}

using proxy_url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

[[nodiscard]] inline std::string part_of(const proxy_url& from, CURLUPart what) {
    char* text = nullptr;
    if (curl_url_get(from.get(), what, &text, 0) != CURLUE_OK) {
        return {};
    }
    std::string part(text);
    curl_free(text);
    return part;
}

/// The proxy in libcurl's form: including the password that was given separately. Never shown: it may contain a secret
/// anywhere.
[[nodiscard]] inline std::string checked_proxy(const curl_options& options) {
    if (options.proxy.empty()) {
        if (!options.proxy_password.empty()) {
            throw error(errc::invalid_option, "http.proxy_password is set, and http.proxy is not");
        }
        return {};
    }
    constexpr std::array<std::string_view, 6> known = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"};
    const proxy_url parsed(curl_url(), &curl_url_cleanup);
    const bool named = options.proxy.find("://") != std::string::npos;
    const std::string whole = named ? options.proxy : "http://" + options.proxy;
    if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, whole.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
        throw error(errc::invalid_option, "http.proxy is not a URL; write it as http://host:port");
    }
    const std::string scheme = part_of(parsed, CURLUPART_SCHEME);
    if (std::find(known.begin(), known.end(), scheme) == known.end()) {
        throw error(errc::invalid_option, "http.proxy has the scheme '" + printable_excerpt(scheme, 32) +
                                              "'; use http, https, socks4, socks4a, socks5 or socks5h");
    }
    if (scheme == "https" && (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTPS_PROXY) == 0) {
        throw error(errc::invalid_option,
                    "http.proxy has the scheme https, which this libcurl does not support for proxies");
    }
    if (options.proxy_password.empty()) {
        return options.proxy;
    }
    if (part_of(parsed, CURLUPART_USER).empty() || !part_of(parsed, CURLUPART_PASSWORD).empty()) {
        throw error(errc::invalid_option,
                    "http.proxy_password needs a proxy with a user and no password: http://user@host:port");
    }
    if (curl_url_set(parsed.get(), CURLUPART_PASSWORD, options.proxy_password.c_str(), CURLU_URLENCODE) != CURLUE_OK) {
        throw error(errc::invalid_option, "http.proxy_password cannot be used in a URL");
    }
    return part_of(parsed, CURLUPART_URL);
}

/// Throws `errc::invalid_option`.
[[nodiscard]] inline curl_options checked(curl_options options) {
    require_pem("http.ca_file", options.ca_file);
    require_pem("http.client_cert", options.client_cert);
    require_pem("http.client_key", options.client_key);
    if (options.client_cert.empty() != options.client_key.empty() && options.client_cert.empty()) {
        throw error(errc::invalid_option, "http.client_key is set, and http.client_cert is not");
    }
    options.proxy = checked_proxy(options);
    options.proxy_password.clear();
    if (keys_would_be_logged()) {
        throw error(
            errc::invalid_option,
            "the environment variable SSLKEYLOGFILE is set, and this libcurl cannot be prevented from writing the "
            "keys of its connections there; unset it");
    }
    return options;
}

}  // namespace waybill::detail
