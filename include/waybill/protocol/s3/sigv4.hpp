// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/protocol/s3_credentials.hpp>
#include <waybill/transport/request.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace waybill::detail {

/// The payload of a request whose bytes are not signed.
inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

/// A path as it is both signed and sent: decoded, then every byte except the unreserved ones and `/` percent-encoded.
/// So a server that decodes before it signs computes the same.
[[nodiscard]] WAYBILL_DECL std::string canonical_path(std::string_view path);

/// A query in the same form: sorted, every parameter with its `=`.
[[nodiscard]] WAYBILL_DECL std::string canonical_query(std::string_view query);

/// AWS Signature Version 4 ("Signature Version 4 signing process", AWS General Reference). Pure: the
/// time is an argument.
///
/// Signs every header the request has, and `Host`. Headers added later are sent unsigned.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: unsafe.
class sigv4 {
public:
    sigv4(s3_credentials who, std::string region, std::string service = "s3")
        : who_(std::move(who)), region_(std::move(region)), service_(std::move(service)) {}

    [[nodiscard]] const std::string& region() const noexcept { return region_; }
    void region(std::string name) { region_ = std::move(name); }

    /// Brings the URL into canonical form and adds `X-Amz-Date`, `Authorization` and the service's other headers.
    ///
    /// @param payload the body's SHA-256 in hexadecimal, or `unsigned_payload`.
    void sign(request& what, std::string_view payload, std::int64_t now_unix) const;

    /// The same within the URL, which then is a secret itself. The payload is not signed.
    void presign(request& what, std::int64_t now_unix, std::chrono::seconds valid) const;

private:
    [[nodiscard]] std::string scope(std::string_view day) const;
    [[nodiscard]] std::string signature(std::string_view time, std::string_view canonical) const;

    s3_credentials who_;
    std::string region_;
    std::string service_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/s3/sigv4.ipp>
#endif
