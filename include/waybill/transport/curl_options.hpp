// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/version.hpp>

#include <string>

namespace waybill {

/// How the curl transport connects. There is deliberately no way to switch the certificate check off.
struct curl_options {
    /// A PEM file of certificate authorities to trust instead of the system's.
    std::string ca_file;
    /// A proxy, as libcurl writes them: `http://host:port`, `socks5h://host:port`. Empty: none. The
    /// environment (`http_proxy` and so on) is not consulted.
    std::string proxy;
    std::string user_agent = "waybill/" WAYBILL_VERSION_STRING;
};

}  // namespace waybill
