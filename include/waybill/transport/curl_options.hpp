// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/version.hpp>

#include <string>

namespace waybill {

/// How the curl transport connects. There is deliberately no option to disable certificate verification.
struct curl_options {
    /// A PEM file of certificate authorities to trust instead of the system's.
    std::string ca_file;
    /// A proxy, as libcurl writes them: `http://host:port`, `socks5h://user@host:port`. Empty: none. The
    /// environment (`http_proxy`, `no_proxy` and so on) is not consulted: it is used for every host.
    std::string proxy;
    /// The password of the proxy's user; with it, the URL need not contain one.
    std::string proxy_password;
    /// PEM files of the client certificate and of its key, without a passphrase. Without a key, the certificate's file
    /// contains both.
    std::string client_cert;
    std::string client_key;
    std::string user_agent = "waybill/" WAYBILL_VERSION_STRING;
};

}  // namespace waybill
