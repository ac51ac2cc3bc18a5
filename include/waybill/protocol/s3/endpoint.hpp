// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/s3/settings.hpp>
#include <waybill/protocol/s3/sigv4.hpp>
#include <waybill/protocol/s3/xml.hpp>
#include <waybill/protocol/session.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace waybill::detail {

/// A response, and the error in its body.
struct s3_response {
    response http;
    s3_error error;
};

/// What a response means: S3's own codes are more precise than its statuses.
[[nodiscard]] WAYBILL_DECL verdict judge(const s3_response& got, bool idempotent);

/// What may be kept of a response: its code and message, and its redirect target. The document is not kept, because S3
/// repeats in it what was signed, including the session token.
[[nodiscard]] WAYBILL_DECL diagnostics describe(const s3_response& got, std::string detail = {});

/// The value of an ETag: without quotes, and without the weak prefix that proxies add.
[[nodiscard]] WAYBILL_DECL std::string_view opaque_tag(std::string_view etag) noexcept;

/// The ETag of a response to a body of this size; empty when it has none, or that of no bytes at all. Without an ETag a
/// response is no success: a bucket is created in the same way, and a body can be lost in transit.
[[nodiscard]] WAYBILL_DECL std::string stored_etag(const response& got, std::uint64_t size);

/// True when the server does not know the upload. Not all servers use S3's code for it.
[[nodiscard]] WAYBILL_DECL bool says_gone(const s3_response& got);

/// True when a request was refused temporarily and not because of itself: sent again a little later it may be accepted,
/// and so may others meanwhile. A host that cannot be reached is another case.
[[nodiscard]] WAYBILL_DECL bool is_refused_for_now(disposition what, std::error_code code,
                                                   std::optional<std::chrono::seconds> retry_after);

/// True when the server does not know the checksum that it was sent, or was asked for.
[[nodiscard]] WAYBILL_DECL bool refuses_checksums(const s3_response& got);

/// The `failure` for a response.
[[nodiscard]] WAYBILL_DECL failure failure_of(const s3_response& got, const verdict& what, std::int64_t now_unix,
                                              std::size_t item, std::string detail = {});

/// Throws it.
[[noreturn]] WAYBILL_DECL void fail(const s3_response& got, const verdict& what, std::int64_t now_unix,
                                    std::size_t item, std::string detail = {});

/// Throws the `failure` for a response, unless it was accepted.
WAYBILL_DECL void require_accepted(const s3_response& got, std::int64_t now_unix, std::size_t item);

/// A server, during one attempt at a job: the keys that sign its requests, its region, and the difference between its
/// clock and ours.
class s3_endpoint {
public:
    s3_endpoint(const s3_settings& settings, s3_credentials_provider keys)
        : settings_(settings), keys_(std::move(keys)), region_(settings.region),
          wants_md5_(is_locked(settings.object_headers) && settings.checksum.empty()) {}

    /// Signs and sends a request; again when the server reports that our clock or region was wrong, when the keys have
    /// expired and there are others by now, or a reused connection was dead.
    ///
    /// @param payload the body's SHA-256 in hexadecimal, or `unsigned_payload`.
    /// Throws a `failure` when there are no keys, or none that can be sent.
    asio::awaitable<s3_response> send(exchange& server, request what, std::string payload, std::size_t about);

    /// The keys for this URL, if there are any that can be sent.
    [[nodiscard]] std::string identity(const std::string& target) const;

    /// Bytes are sent with their MD5: objects that are locked need it, where no checksum was asked for.
    [[nodiscard]] bool wants_md5() const noexcept { return wants_md5_; }
    /// True when a response asks for it: a bucket may lock all of its objects. From then on it is sent.
    [[nodiscard]] bool asks_for_md5(const s3_response& got);

    /// Objects and parts accepted in this attempt: the host is up.
    [[nodiscard]] std::size_t taken() const noexcept { return taken_; }
    void note_taken() noexcept { ++taken_; }

private:
    /// The values that a request was signed with.
    struct signature_basis {
        std::string region;
        std::int64_t skew;
        s3_credentials who;
    };

    void require_signer(const std::string& target);
    [[nodiscard]] s3_credentials ask_for_keys(const std::string& target) const;
    bool learned(const s3_response& got, const signature_basis& used, std::int64_t now_unix);
    bool has_other_keys(const std::string& target, const signature_basis& used);

    const s3_settings& settings_;
    s3_credentials_provider keys_;
    std::optional<sigv4> signer_;
    s3_credentials who_;
    std::string region_;
    std::int64_t skew_ = 0;  ///< seconds that the server's clock is ahead of ours
    bool wants_md5_;
    std::size_t taken_ = 0;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/s3/endpoint.ipp>
#endif
