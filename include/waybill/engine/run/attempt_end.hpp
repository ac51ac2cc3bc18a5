// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/run/attempt.hpp>
#include <waybill/error.hpp>
#include <waybill/protocol/failure.hpp>
#include <waybill/transport/response.hpp>

#include <exception>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

namespace waybill::detail {

/// The result of an attempt: created once, from the exception its pipeline threw.
class attempt_end {
public:
    /// It delivered.
    attempt_end() = default;
    explicit attempt_end(const std::exception_ptr& thrown) {
        if (thrown) {
            classify(thrown);
        }
    }

    [[nodiscard]] bool delivered() const noexcept { return !why_ && !of_store_; }
    /// Why it failed; null when it delivered, or the store failed.
    [[nodiscard]] const failure* why() const noexcept { return why_ ? &*why_ : nullptr; }
    /// The protocol itself threw it, about a request or a file: it may concern the host.
    [[nodiscard]] bool said_by_protocol() const noexcept { return said_by_protocol_; }
    /// A failure of the store says nothing about the job.
    void rethrow_if_of_store() const {
        if (of_store_) {
            std::rethrow_exception(of_store_);
        }
    }

private:
    void classify(const std::exception_ptr& thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const failure& f) {
            why_.emplace(f);
            said_by_protocol_ = true;
        } catch (const error& e) {
            if (e.code() == cause::storage) {
                of_store_ = thrown;
            } else {
                why_.emplace(disposition::permanent, e.code(), e.details());
            }
        } catch (const std::system_error& e) {
            why_.emplace(disposition::retry, e.code(), diagnostics());
        } catch (const std::exception& e) {
            diagnostics details;
            details.detail = printable_excerpt(e.what(), 256);
            why_.emplace(disposition::retry, errc::transport_failed, std::move(details));
        } catch (...) {  // of a type of the app's own
            why_.emplace(disposition::retry, errc::transport_failed, diagnostics());
        }
    }

    std::optional<failure> why_;
    std::exception_ptr of_store_;
    bool said_by_protocol_ = false;
};

/// The outcome of a request whose response was lost cannot be determined without the app: even the server does not know
/// it, or cannot be asked any more.
[[nodiscard]] inline bool is_unknown_to_server(const attempt_end& end, const attempt& job) {
    if (!end.said_by_protocol()) {
        return false;
    }
    const bool in_doubt = job.in_doubt() && !job.settled_by(*end.why());
    return end.why()->code() == errc::outcome_unknown ||
           (end.why()->what_to_do() == disposition::permanent && in_doubt);
}

/// The details shown when the app does not know either.
[[nodiscard]] inline diagnostics details_of(const attempt_end& end) {
    if (!end.said_by_protocol()) {
        return {};
    }
    const failure& why = *end.why();
    diagnostics details = why.details();
    if (why.code() != errc::outcome_unknown) {
        details.detail = "last error: " + why.code().message() + (details.detail.empty() ? "" : ": " + details.detail);
    }
    return details;
}

[[nodiscard]] inline bool is_want_of_memory(const std::exception_ptr& thrown) {
    try {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    } catch (const std::bad_alloc&) {
        return true;
    } catch (...) {
    }
    return false;
}

/// The file failed, not the connection to the server.
[[nodiscard]] inline bool is_of_source(std::error_code code) noexcept {
    return code == errc::file_changed || code == errc::source_read_failed || code == errc::source_missing ||
           code == errc::source_unreadable || code == errc::source_not_regular || code == errc::source_outside ||
           code == errc::source_unavailable || code == errc::source_size_wrong || code == errc::file_touched;
}

}  // namespace waybill::detail
