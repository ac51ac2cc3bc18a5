// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

// libcurl's details of a request that failed before it had a connection, as a text that says what to do.
namespace waybill::detail {

struct connect_facts {
    CURLcode result = CURLE_OK;
    bool through_proxy = false;
    long proxy_status = 0;  ///< the proxy's own response to CONNECT; 0: none
    long verify = 0;        ///< OpenSSL's X509_V_ERR_… of the server's certificate, or of the proxy's; 0: none
    std::string_view text;  ///< libcurl's own
};

/// The proxy's failure when it is one: `why` is the code without a proxy.
[[nodiscard]] inline errc blame(errc why, const connect_facts& f) noexcept {
    if (f.proxy_status == 407) {
        return errc::proxy_unauthorized;
    }
    const bool refused = f.proxy_status != 0 && f.proxy_status / 100 != 2;
    return refused || (f.through_proxy && why == errc::connect_failed) ? errc::proxy_failed : why;
}

/// Why a certificate does not verify. The numbers are part of OpenSSL's interface.
[[nodiscard]] inline std::string certificate_text(long verify, std::string_view text) {
    switch (verify) {
        case 9: return "the certificate is not valid yet, if this machine's clock is right";
        case 10: return "the certificate has expired, if this machine's clock is right";
        case 18:
        case 19: return "the certificate is signed by itself or by an authority that is not trusted here";
        case 2:
        case 20:
        case 21:
        case 27: return "the certificate's authority is not known here, or the server does not send the whole chain";
        case 23: return "the certificate has been revoked";
        case 62: return "the certificate is for another host name";
        default: break;
    }
    const bool other_name = text.find("subject name") != std::string_view::npos ||
                            text.find("does not match target host") != std::string_view::npos;
    return other_name ? "the certificate is for another host name" : "";
}

/// The server ended the handshake because of the client's certificate, or because there was none. With TLS 1.3 this is
/// received only after the request was sent; the server has not processed it (RFC 8446 section 4.4.2.4).
[[nodiscard]] inline bool is_about_client_certificate(CURLcode result, std::string_view text) noexcept {
    constexpr std::array<std::string_view, 8> reasons = {
        "alert certificate required",    "alert bad certificate",     "alert unknown ca",
        "alert certificate expired",     "alert certificate revoked", "alert certificate unknown",
        "alert unsupported certificate", "alert access denied"};
    const bool broken = result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR || result == CURLE_SSL_CONNECT_ERROR;
    return broken && std::any_of(reasons.begin(), reasons.end(),
                                 [&](std::string_view reason) { return text.find(reason) != std::string_view::npos; });
}

/// The cause as text; empty when the code is sufficient.
[[nodiscard]] inline std::string failure_text(const connect_facts& f) {
    if (f.proxy_status != 0 && f.proxy_status / 100 != 2) {
        const std::string wants = f.proxy_status == 407 ? ": it wants other credentials" : "";
        return "the proxy responded " + std::to_string(f.proxy_status) + " to CONNECT" + wants;
    }
    if (is_about_client_certificate(f.result, f.text)) {
        return "the server wants a client certificate, or another one";
    }
    switch (f.result) {
        case CURLE_COULDNT_RESOLVE_PROXY: return "the proxy's name does not resolve";
        case CURLE_COULDNT_CONNECT: return f.through_proxy ? "no connection to the proxy" : "";
        case CURLE_OPERATION_TIMEDOUT: return f.through_proxy ? "by way of the proxy" : "";
        case CURLE_PEER_FAILED_VERIFICATION: return certificate_text(f.verify, f.text);
        case CURLE_SSL_CERTPROBLEM: return "the client certificate, or its key, cannot be used";
        case CURLE_SSL_CACERT_BADFILE: return "the file of certificate authorities cannot be used";
        default: return {};
    }
}

}  // namespace waybill::detail
