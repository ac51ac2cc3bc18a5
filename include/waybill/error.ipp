// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/config.hpp>
#include <waybill/error.hpp>

#include <asio/error.hpp>

#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <system_error>

namespace waybill {
namespace detail {

[[nodiscard]] constexpr const char* message(errc e) noexcept {
    switch (e) {
        case errc::invalid_url:
            return "not a usable URL; write it as https://host/path, without user name, password or fragment";
        case errc::unsupported_scheme: return "the URL's scheme is not supported; use http:// or https://";
        case errc::invalid_header: return "not a valid HTTP header; use a token as name and a single line as value";
        case errc::forbidden_header:
            return "this header cannot be set on a job; remove it, or supply a secret through the credentials provider";
        case errc::invalid_field: return "not a valid form field; give it a name without control characters";
        case errc::invalid_name: return "not a usable name; remove control characters, and do not leave it empty";
        case errc::invalid_id: return "not a valid job id; use 1 to 128 of the characters A-Z a-z 0-9 . _ : -";
        case errc::invalid_lane: return "not a valid lane; use at most 128 printable characters";
        case errc::invalid_range: return "the byte range is outside the file; correct offset and length";
        case errc::invalid_setting: return "not a valid setting; correct or remove it";
        case errc::empty_job: return "the job has no items; add at least one file, range or byte string";
        case errc::duplicate_id: return "a job with this id but other content was accepted before; use another id";
        case errc::duplicate_name: return "two items would be sent to the same URL; give them different names";
        case errc::unknown_protocol:
            return "this program has no protocol of this name; include its header or register it, then retry the job";
        case errc::job_too_large: return "the job is too large; split it into several jobs";
        case errc::source_missing: return "the file does not exist; correct the path";
        case errc::source_unreadable: return "the file cannot be read; give this user permission to read it";
        case errc::source_not_regular:
            return "not a regular file; directories, links, FIFOs and devices cannot be uploaded";
        case errc::source_outside:
            return "the file is outside the folder that uploads are confined to; move it there, or widen file_root";
        case errc::file_changed: return "the file changed after it was accepted; retry the job to send the new content";
        case errc::source_read_failed: return "reading the file failed; check the disk or the mount it is on";
        case errc::source_unavailable:
            return "the file cannot be reached now, because its disk or network share is not available or the system "
                   "is short of descriptors or memory; mount or connect it, or free some";
        case errc::source_size_wrong:
            return "the file yields more or fewer bytes than its size says, as those of /proc and /sys do; copy it to "
                   "a file on a disk";
        case errc::file_touched:
            return "the file's permissions, links or name changed while it was read; do not modify it until it is sent";
        case errc::store_locked: return "the store is in use by another process; stop it, or use another store";
        case errc::store_damaged:
            return "the store is damaged; restore it from a backup, or move it aside and start with an empty one";
        case errc::store_too_new: return "the store was written by a newer version; update this program";
        case errc::store_unwritable: return "the store cannot be created or written; correct its path or permissions";
        case errc::store_unsafe:
            return "the store is not safe from other users; keep it in a directory of your own, and remove their write "
                   "permission";
        case errc::store_full: return "no space left for the store; free some disk space";
        case errc::store_failed: return "the disk failed under the store; check it";
        case errc::record_damaged: return "this job's record is damaged and cannot be trusted; enqueue the job again";
        case errc::unknown_job: return "no job with this id; it was never accepted here, or was removed";
        case errc::not_allowed: return "the job's status does not allow this; check its status first";
        case errc::stopped: return "the uploader has been stopped; create a new one";
        case errc::canceled: return "canceled by the application; retry the job to send it after all";
        case errc::outcome_unknown:
            return "the request was sent completely, but its outcome is unknown; find out whether the server has it, "
                   "then resolve the job";
        case errc::expired: return "not delivered within the job's maximum age; retry the job to start again";
        case errc::invalid_option: return "not a usable option of the uploader; correct or remove it";
        case errc::forked:
            return "the uploader belongs to the process that forked this one; create another uploader, on a store of "
                   "its own";
        case errc::host_not_found: return "the host's name does not resolve; check the URL and the network";
        case errc::connect_failed: return "no connection to the server; check the URL and the network";
        case errc::connect_timed_out: return "no connection to the server in time; check the network";
        case errc::connection_lost:
            return "the connection was lost; if this happens each time, check the network and the server's limits";
        case errc::stale_connection:
            return "a reused connection had already been closed by the server; a fresh one is needed";
        case errc::send_stalled: return "the server stopped accepting data; check the network, or allow it more time";
        case errc::response_timed_out:
            return "everything was sent, but the server did not respond in time; allow it more time";
        case errc::tls_untrusted: return "the server's certificate does not verify; give the library the right CA";
        case errc::tls_failed: return "the TLS handshake failed; the server must support TLS 1.2 or newer";
        case errc::proxy_failed: return "the proxy failed; check its address";
        case errc::invalid_response:
            return "the server's response violates the protocol; check that the URL is the right one";
        case errc::response_too_large: return "the server's response is too large; check that the URL is the right one";
        case errc::early_response:
            return "the server responded before it had the whole body; check it, and the proxy before it";
        case errc::redirect_refused: return "the server redirects this upload; enqueue it with the final URL";
        case errc::network_unreachable: return "no route to the network; connect this machine";
        case errc::transport_failed: return "the transfer failed; the transport's message has the reason";
        case errc::foreign_origin:
            return "the upload URL has a different origin than the job's URL; retry the job to create a new upload";
        case errc::proxy_unauthorized: return "the proxy rejected the credentials; correct http.proxy and its password";
        case errc::wrong_offset:
            return "the server contradicts what it confirmed before; retry the job to create a new upload";
        case errc::not_offered:
            return "the server does not support a feature this job requires; remove the setting, or use another server";
        case errc::no_credentials:
            return "no usable credentials for this endpoint; correct the provider, or for S3 the environment, a "
                   "credentials file or what s3_with was given";
        case errc::not_completed:
            return "the server received all data but could not complete the upload; its response has the reason";
    }
    return "unknown error";
}

[[nodiscard]] constexpr bool has_cause(errc e, cause c) noexcept {
    switch (e) {
        case errc::canceled: return c == cause::canceled;
        case errc::store_locked:
        case errc::store_full:
        case errc::store_failed: return c == cause::storage || c == cause::retryable;
        case errc::store_damaged:
        case errc::store_too_new:
        case errc::store_unwritable:
        case errc::store_unsafe:
        case errc::record_damaged: return c == cause::storage || c == cause::permanent;
        case errc::outcome_unknown: return c == cause::ambiguous;
        case errc::response_timed_out: return c == cause::retryable || c == cause::ambiguous;
        case errc::source_read_failed:
        case errc::source_unavailable:
        case errc::file_touched:
        case errc::host_not_found:
        case errc::connect_failed:
        case errc::connect_timed_out:
        case errc::connection_lost:
        case errc::stale_connection:
        case errc::send_stalled:
        case errc::tls_untrusted:
        case errc::tls_failed:
        case errc::proxy_failed:
        case errc::proxy_unauthorized:
        case errc::invalid_response:
        case errc::early_response:
        case errc::no_credentials:
        case errc::not_completed:
        case errc::network_unreachable:
        case errc::transport_failed: return c == cause::retryable;
        default: return c == cause::permanent;
    }
}

[[nodiscard]] constexpr bool has_cause(status_class s, cause c) noexcept {
    switch (s) {
        case status_class::not_applied: return c == cause::retryable;
        case status_class::ambiguous: return c == cause::retryable || c == cause::ambiguous;
        case status_class::redirect:
        case status_class::permanent: return c == cause::permanent;
        default: return false;
    }
}

[[nodiscard]] constexpr const char* reason_phrase(int status) noexcept {
    switch (status) {
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 417: return "Expectation Failed";
        case 422: return "Unprocessable Content";
        case 423: return "Locked";
        case 429: return "Too Many Requests";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 507: return "Insufficient Storage";
        default: return "";
    }
}

class waybill_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "waybill"; }
    std::string message(int value) const override { return detail::message(static_cast<errc>(value)); }
};

class http_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "waybill.http"; }
    std::string message(int value) const override {
        std::string text = "HTTP " + std::to_string(value);
        if (const std::string_view phrase = reason_phrase(value); !phrase.empty()) {
            text.append(" ").append(phrase);
        }
        return text;
    }
};

class cause_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "waybill.cause"; }
    std::string message(int value) const override {
        switch (static_cast<cause>(value)) {
            case cause::retryable: return "retryable";
            case cause::permanent: return "permanent";
            case cause::canceled: return "canceled";
            case cause::storage: return "storage";
            case cause::ambiguous: return "ambiguous";
        }
        return "unknown cause";
    }
    bool equivalent(const std::error_code& code, int condition) const noexcept override {
        const auto wanted = static_cast<cause>(condition);
        if (code.category() == waybill::error_category()) {
            return has_cause(static_cast<errc>(code.value()), wanted);
        }
        if (code.category() == http_category()) {
            return has_cause(classify_status(code.value()), wanted);
        }
        // Asio's own code does not compare equal to the standard's.
        return wanted == cause::canceled &&
               (code == std::errc::operation_canceled || code == asio::error::operation_aborted);
    }
};

/// An instance that is never destroyed: a static uploader may need it after all later statics were destroyed.
template <class Category>
[[nodiscard]] const Category& immortal() noexcept {
    alignas(Category) static std::byte place[sizeof(Category)];  // NOLINT(*-avoid-c-arrays)
    static const Category& instance = *new (place) Category;
    return instance;
}

}  // namespace detail

WAYBILL_DECL const std::error_category& error_category() noexcept {
    return detail::immortal<detail::waybill_error_category>();
}

WAYBILL_DECL const std::error_category& http_category() noexcept {
    return detail::immortal<detail::http_error_category>();
}

WAYBILL_DECL const std::error_category& cause_category() noexcept {
    return detail::immortal<detail::cause_error_category>();
}

WAYBILL_DECL error to_error(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const error& e) {
        return e;
    } catch (const std::system_error& e) {
        return error(e.code());
    } catch (const std::bad_alloc&) {
        return error(std::make_error_code(std::errc::not_enough_memory));
    } catch (const std::exception& e) {
        return error(std::make_error_code(std::errc::state_not_recoverable), std::string(e.what()));
    } catch (...) {
        return error(std::make_error_code(std::errc::state_not_recoverable));
    }
}

WAYBILL_DECL std::exception_ptr detail::as_error(const std::exception_ptr& thrown) noexcept {
    if (!thrown) {
        return nullptr;
    }
    try {
        std::rethrow_exception(thrown);
    } catch (const error&) {
        return thrown;
    } catch (const std::system_error& e) {
        return std::make_exception_ptr(error(e.code()));
    } catch (...) {
        return thrown;
    }
}

}  // namespace waybill
