// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/model/checkpoint.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

namespace waybill {

/// What to do about a failed request.
enum class disposition : std::uint8_t {
    retry,        ///< try again after a backoff; counts as a failed attempt
    again,        ///< try again immediately, on a fresh connection: a reused one was dead
    busy,         ///< the server asked to retry later
    network,      ///< no route to the host, or it cannot serve any request: wait, without counting
    credentials,  ///< the server wants other credentials: wait for them, without counting
    source,       ///< the file's disk or network share cannot be reached now: wait for it, without counting
    locked,       ///< another client has locked the target: wait, without counting; others are served
    ambiguous,    ///< the server may have processed it, and it must not be repeated blindly
    permanent,    ///< the job fails
};

/// A failure with this code is not caused by the job: the host, a proxy before it, or the network path cannot serve any
/// request now.
[[nodiscard]] inline bool concerns_host(std::error_code code) noexcept {
    if (code.category() == http_category()) {
        const int status = code.value();
        constexpr std::array<int, 13> theirs = {425, 429, 502, 503, 504, 507, 508, 509, 511, 529, 530, 598, 599};
        return (status >= 520 && status <= 527) || std::find(theirs.begin(), theirs.end(), status) != theirs.end();
    }
    return code == errc::host_not_found || code == errc::connect_failed || code == errc::connect_timed_out ||
           code == errc::network_unreachable || code == errc::tls_failed || code == errc::tls_untrusted ||
           code == errc::proxy_failed;
}

/// The connection was lost, or nothing was received on it. The host, the network path, or this very request may be at
/// fault.
[[nodiscard]] inline bool is_connection_loss(std::error_code code) noexcept {
    return code == errc::connection_lost || code == errc::stale_connection || code == errc::send_stalled ||
           code == errc::response_timed_out;
}

/// The server, a proxy before it, or the network path refused this request, and perhaps this request only. A host that
/// cannot even be reached refuses every request.
[[nodiscard]] inline bool may_concern_one_request(std::error_code code) noexcept {
    return code.category() == http_category() || is_connection_loss(code);
}

/// Thrown by a pipeline stage that failed; says what the failure means.
class failure : public error {
public:
    failure(disposition what, std::error_code code, diagnostics diag,
            std::optional<std::chrono::seconds> retry_after = std::nullopt, std::size_t item = checkpoint::whole_job)
        : error(code, std::move(diag)), what_(what), retry_after_(retry_after), item_(item) {}

    [[nodiscard]] disposition what_to_do() const noexcept { return what_; }
    [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const noexcept { return retry_after_; }
    /// The item it happened to; `checkpoint::whole_job` when it concerns the whole job.
    [[nodiscard]] std::size_t item() const noexcept { return item_; }

    /// States that no request of the job whose response was lost has delivered it, or that what it delivered is
    /// abandoned: the commit that keeps this failure clears the intent record. Without it the outcome stays in doubt.
    failure& settle() noexcept {
        settles_ = true;
        return *this;
    }
    [[nodiscard]] bool settles() const noexcept { return settles_; }

private:
    bool settles_ = false;
    disposition what_;
    std::optional<std::chrono::seconds> retry_after_;
    std::size_t item_;
};

}  // namespace waybill
