// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/protocol/detail/s3_settings.hpp>
#include <waybill/protocol/detail/s3_xml.hpp>
#include <waybill/protocol/detail/sigv4.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/session.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace waybill::detail {

/// An answer, and the error its body tells of.
struct s3_answer {
    response http;
    s3_error error;
};

/// What an answer means: S3's own codes say more than its statuses.
[[nodiscard]] WAYBILL_DECL verdict judge(const s3_answer& answer, bool idempotent);

/// What may be kept of an answer: its code and message. The body is not, for S3 repeats in it what
/// was signed, session token included.
[[nodiscard]] WAYBILL_DECL diagnostics describe(const s3_answer& answer);

/// The `failure` an answer amounts to.
[[nodiscard]] WAYBILL_DECL failure failure_of(const s3_answer& answer, const verdict& what, std::int64_t now_unix,
                                              std::size_t item, std::string detail = {});

/// Throws it.
[[noreturn]] WAYBILL_DECL void fail(const s3_answer& answer, const verdict& what, std::int64_t now_unix,
                                    std::size_t item, std::string detail = {});

/// Throws the `failure` an answer amounts to, unless it was accepted.
WAYBILL_DECL void require_accepted(const s3_answer& answer, std::int64_t now_unix, std::size_t item);

/// A server, as one attempt at a job knows it: with which keys it is spoken to, in which region it is,
/// and how far its clock is from ours.
class s3_endpoint {
public:
    s3_endpoint(const s3_settings& settings, s3_credentials_provider keys)
        : settings_(settings), keys_(std::move(keys)), region_(settings.region) {}

    /// Signs and sends a request; again when the server says that our clock or region was wrong, or a
    /// kept connection was dead.
    ///
    /// @param payload the body's SHA-256 in hexadecimal, or `unsigned_payload`.
    /// Throws a `failure` when there are no keys.
    asio::awaitable<s3_answer> send(exchange& server, request what, std::string payload, std::vector<body_span> spans,
                                    std::size_t about);

private:
    /// What a request was signed with.
    struct signature_basis {
        std::string region;
        std::int64_t skew;
    };

    void require_signer(const std::string& target);
    bool learned(const s3_answer& answer, const signature_basis& used, std::int64_t now_unix);

    const s3_settings& settings_;
    s3_credentials_provider keys_;
    std::optional<sigv4> signer_;
    std::string region_;
    std::int64_t skew_ = 0;  ///< seconds that the server's clock is ahead of ours
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/impl/s3_endpoint.ipp>
#endif
