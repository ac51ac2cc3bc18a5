// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/model/checkpoint.hpp>

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
    again,        ///< try again at once, on a fresh connection: a kept one was dead
    busy,         ///< the server asked to come back later
    network,      ///< there is no way to the host, or it cannot serve anybody: wait, without counting
    credentials,  ///< the server wants other credentials: wait for them, without counting
    source,       ///< the file's disk or network share cannot be reached now: wait for it, without counting
    locked,       ///< somebody has the target locked: wait, without counting; others are served
    ambiguous,    ///< the server may have processed it, and it must not be repeated blindly
    permanent,    ///< the job fails
};

/// How a pipeline stage says that it failed, and what that means.
class failure : public error {
public:
    failure(disposition what, std::error_code code, diagnostics diag,
            std::optional<std::chrono::seconds> retry_after = std::nullopt, std::size_t item = checkpoint::whole_job)
        : error(code, std::move(diag)), what_(what), retry_after_(retry_after), item_(item) {}

    [[nodiscard]] disposition what_to_do() const noexcept { return what_; }
    [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const noexcept { return retry_after_; }
    /// The item it happened to; `checkpoint::whole_job` when it concerns the whole job.
    [[nodiscard]] std::size_t item() const noexcept { return item_; }

private:
    disposition what_;
    std::optional<std::chrono::seconds> retry_after_;
    std::size_t item_;
};

}  // namespace waybill
