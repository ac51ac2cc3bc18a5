// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace waybill {

/// Everything that can go wrong, one enumerator for each cause. `docs/errors.md` lists every code with its remedy. HTTP
/// statuses are codes of `http_category()` instead, with the status as value.
enum class errc : int {
    // Rejected at enqueue: nothing was accepted.
    invalid_url = 1,     ///< the URL does not parse, has no host, a fragment or user information
    unsupported_scheme,  ///< the URL's scheme is not http or https
    invalid_header,      ///< a header name or value is not valid HTTP, or holds CR, LF or NUL
    forbidden_header,    ///< the header belongs to the library or is a secret that must not be stored
    invalid_field,       ///< a form field's name or value cannot be sent
    invalid_name,        ///< an item's name or field name is empty or holds a control character
    invalid_id,          ///< the job id is empty, too long, or has a character outside [A-Za-z0-9._:-]
    invalid_lane,        ///< the lane's name is too long or holds a control character
    invalid_range,       ///< a byte range is outside its file
    invalid_setting,     ///< a setting of a protocol, a job or an operation is unknown or out of range
    empty_job,           ///< the job has no item
    duplicate_id,        ///< another job with this id and other content was accepted before
    duplicate_name,      ///< two items of the job would be sent to the same URL
    unknown_protocol,    ///< no protocol of this name is registered
    job_too_large,       ///< too many items, or more bytes in memory than a store row may hold
    source_missing,      ///< the file does not exist
    source_unreadable,   ///< the file cannot be opened for reading
    source_not_regular,  ///< the path names a directory, FIFO, socket, device or symbolic link
    source_outside,      ///< the file is outside the folder that files may be uploaded from

    // The source, while it is being sent.
    file_changed = 30,   ///< the file is no longer the one that was accepted
    source_read_failed,  ///< reading the file failed
    source_unavailable,  ///< the file's disk or network share is not available, or no descriptor is free
    source_size_wrong,   ///< the file gives more or fewer bytes than its size says, as those of /proc do
    file_touched,        ///< its permissions or links changed while it was read: its content must be compared again

    // The store.
    store_locked = 40,  ///< another process, or another uploader of this one, has the store
    store_damaged,      ///< the store's file is not a database, or is corrupt
    store_too_new,      ///< the store was written by a newer version of the library
    store_unwritable,   ///< the store's file or directory cannot be created or written
    store_unsafe,       ///< other users could change the store, or one of its files does not belong to this user alone
    store_full,         ///< there is no space for the store
    store_failed,       ///< the disk failed under the store
    record_damaged,     ///< this job's row fails its checksum; other jobs are not affected

    // The uploader.
    unknown_job = 60,  ///< no job with this id
    not_allowed,       ///< the job's status does not allow this
    stopped,           ///< the uploader has been stopped
    canceled,          ///< canceled by the application
    outcome_unknown,   ///< everything was sent, no response came, and the request must not be repeated blindly
    expired,           ///< not delivered within the job's maximum age
    invalid_option,    ///< an option of the uploader has a value that can only be a mistake
    forked,            ///< the uploader belongs to the parent of this process

    // The transport.
    host_not_found = 80,  ///< the host's name does not resolve
    connect_failed,       ///< no connection to the server
    connect_timed_out,    ///< no connection within the connect timeout
    connection_lost,      ///< the connection was lost
    stale_connection,     ///< a reused connection was dead; nothing was repeated
    send_stalled,         ///< the server accepted no bytes for the stall timeout
    response_timed_out,   ///< everything was sent, no response came within the response timeout
    tls_untrusted,        ///< the server's certificate does not verify
    tls_failed,           ///< the TLS handshake failed
    proxy_failed,         ///< the proxy does not resolve, or rejected the request
    invalid_response,     ///< the response is not HTTP, or violates the protocol
    response_too_large,   ///< the response exceeds its limit
    early_response,       ///< the server reported success before it had the whole body
    redirect_refused,     ///< the server redirected an upload in a way that is not followed
    network_unreachable,  ///< this machine has no route to the network
    transport_failed,     ///< any other failure of the transport; its own code and text are attached
    foreign_origin,       ///< a request would have been sent to another origin than its job's
    proxy_unauthorized,   ///< the proxy wants other credentials (407)

    // Protocols that resume.
    wrong_offset = 120,  ///< the server claims bytes it cannot have, or lacks bytes it confirmed
    not_offered,         ///< the server does not support what the job requires
    no_credentials,      ///< no key for this endpoint
    not_completed,       ///< the server has all data, but could not complete the upload
};

/// What a failure means for the caller: compare an `std::error_code` with these.
///
/// `if (ec == waybill::cause::retryable) …`. A code may have several causes: HTTP 502 is
/// retryable *and* ambiguous.
enum class cause : int {
    retryable = 1,  ///< trying again later may succeed
    permanent,      ///< trying the same again will fail the same way
    canceled,       ///< the app canceled it
    storage,        ///< the store could not do it
    ambiguous,      ///< the server may or may not have processed the request
};

/// What an HTTP status means for an upload (RFC 9110 section 15; the table is in docs/errors.md).
enum class status_class : std::uint8_t {
    informational,  ///< 1xx
    success,        ///< 2xx, except 206 and 207
    redirect,       ///< 3xx
    not_applied,    ///< the request was not processed: 408 417 421 423 425 429 503 508 509 511 529 530
    ambiguous,      ///< it may have processed it: 500 502 504 507, and all others from 512 to 599
    permanent,      ///< all others
};

[[nodiscard]] constexpr status_class classify_status(int status) noexcept {
    if (status < 200) {
        return status_class::informational;
    }
    if (status < 300) {
        return status == 206 || status == 207 ? status_class::permanent : status_class::success;
    }
    if (status < 400) {
        return status_class::redirect;
    }
    switch (status) {
        case 408:
        case 417:
        case 421:
        case 423:
        case 425:
        case 429:
        case 503:
        case 508:
        case 509:
        case 511:
        case 529:
        case 530: return status_class::not_applied;
        case 500:
        case 502:
        case 504:
        case 507: return status_class::ambiguous;
        default: break;
    }
    // An unknown status of a class is treated as its x00 (RFC 9110 section 15).
    return status >= 512 && status <= 599 ? status_class::ambiguous : status_class::permanent;
}

/// What the server and the transport reported about a failure. Everything in it is bounded, free of control characters,
/// and free of secrets.
struct diagnostics {
    int http_status = 0;         ///< final HTTP status; 0 when none was received
    int transport_code = 0;      ///< the transport's own code (libcurl: CURLcode); 0 when it succeeded
    std::string transport_text;  ///< the transport's own message
    std::string excerpt;         ///< the beginning of the response body, at most 1 KiB
    std::string detail;          ///< the file, header or value that is meant; the cause and the remedy

    bool operator==(const diagnostics&) const = default;
};

[[nodiscard]] WAYBILL_DECL const std::error_category& error_category() noexcept;
[[nodiscard]] WAYBILL_DECL const std::error_category& http_category() noexcept;
[[nodiscard]] WAYBILL_DECL const std::error_category& cause_category() noexcept;

[[nodiscard]] inline std::error_code make_error_code(errc e) noexcept {
    return {static_cast<int>(e), error_category()};
}

[[nodiscard]] inline std::error_condition make_error_condition(cause c) noexcept {
    return {static_cast<int>(c), cause_category()};
}

/// The code for an HTTP status that is not a success.
[[nodiscard]] inline std::error_code make_http_error(int status) noexcept {
    return {status, http_category()};
}

/// The exception every operation of this library throws: an `std::system_error` whose text names the thing, the cause
/// and the remedy, with the diagnostics attached.
class error : public std::system_error {
public:
    explicit error(std::error_code code, std::string detail = {})
        : error(code, diagnostics{0, 0, {}, {}, std::move(detail)}) {}

    error(std::error_code code, diagnostics diag)
        : std::system_error(diag.detail.empty() ? std::system_error(code) : std::system_error(code, diag.detail)),
          diagnostics_(std::move(diag)) {}

    [[nodiscard]] const diagnostics& details() const noexcept { return diagnostics_; }

private:
    diagnostics diagnostics_;
};

/// Converts the exception a callback with an `std::exception_ptr` received, with its text and details. Any exception
/// that is not a `waybill::error` becomes one: another `std::system_error` keeps its code, everything else gets a
/// general code. `thrown` is not null.
[[nodiscard]] WAYBILL_DECL error to_error(const std::exception_ptr& thrown);

namespace detail {

/// The same as an exception in flight; null, and exceptions that are no `std::system_error`, are returned unchanged.
[[nodiscard]] WAYBILL_DECL std::exception_ptr as_error(const std::exception_ptr& thrown) noexcept;

}  // namespace detail
}  // namespace waybill

/// @cond
template <>
struct std::is_error_code_enum<waybill::errc> : std::true_type {};
template <>
struct std::is_error_condition_enum<waybill::cause> : std::true_type {};
/// @endcond

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/error.ipp>
#endif
