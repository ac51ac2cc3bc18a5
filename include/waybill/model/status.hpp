// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace waybill {

/// The status of a job. The numbers are stored; never reuse one.
enum class status : std::uint8_t {
    pending = 0,          ///< accepted, waiting for its turn
    uploading = 1,        ///< its pipeline runs: asking what the server has, sending
    finalizing = 2,       ///< every byte is confirmed; the last steps run
    waiting = 3,          ///< between two attempts; `wait_reason` has the cause
    paused = 4,           ///< stopped by the app until it is resumed, or until the time it was given
    unknown_outcome = 5,  ///< all was sent, no response came, and repeating could make a duplicate
    completed = 6,        ///< delivered; final
    failed = 7,           ///< cannot be delivered; final until `async_retry`
    canceled = 8,         ///< canceled by the app; final until `async_retry`
};
inline constexpr std::size_t status_count = 9;

/// What a waiting job waits for. The numbers are stored.
enum class wait_reason : std::uint8_t {
    none = 0,
    backoff = 1,       ///< the delay before the next attempt
    network = 2,       ///< the host cannot be reached, or closes every connection; costs no attempt
    credentials = 3,   ///< the server wants other credentials
    server_busy = 4,   ///< the server asked to retry later, or cannot serve requests now
    source = 5,        ///< the file's disk or network share cannot be reached; other jobs may pass
    locked = 6,        ///< another client has locked the target; other jobs may pass
    server_error = 7,  ///< the server fails at this job, and perhaps only at this job; other jobs may pass
};

inline constexpr int last_wait_reason = 7;

/// The cause concerns only this job: others of its lane with the same origin may pass.
[[nodiscard]] constexpr bool lets_others_by(wait_reason r) noexcept {
    return r == wait_reason::source || r == wait_reason::locked || r == wait_reason::server_error;
}

/// Where an item is. `uploading` is never stored: it means that its bytes are being sent now.
enum class item_status : std::uint8_t {
    pending = 0,
    uploading = 1,
    completed = 2,  ///< the server has confirmed it
    failed = 3,     ///< the job failed because of it
};

namespace detail {

[[nodiscard]] constexpr unsigned bit(status s) noexcept {
    return 1U << static_cast<unsigned>(s);
}

template <class... Statuses>
[[nodiscard]] constexpr unsigned bits(Statuses... s) noexcept {
    return (bit(s) | ... | 0U);
}

// Row: from. The ledger and the store check every change of a stored status against this table. Only a damaged record
// becomes `failed` from any status.
inline constexpr std::array<unsigned, status_count> transitions = {
    /* pending         */ bits(status::uploading, status::finalizing, status::unknown_outcome, status::paused,
                               status::failed, status::canceled),
    /* uploading       */
    bits(status::pending, status::finalizing, status::waiting, status::paused, status::unknown_outcome,
         status::completed, status::failed, status::canceled),
    /* finalizing      */
    bits(status::pending, status::waiting, status::paused, status::unknown_outcome, status::completed, status::failed,
         status::canceled),
    /* waiting         */
    bits(status::pending, status::uploading, status::finalizing, status::unknown_outcome, status::paused,
         status::failed, status::canceled),
    /* paused          */ bits(status::pending, status::waiting, status::canceled, status::failed),
    /* unknown_outcome */ bits(status::pending, status::completed, status::failed, status::canceled),
    /* completed       */ 0U,
    /* failed          */ bits(status::pending),
    /* canceled        */ bits(status::pending),
};

}  // namespace detail

/// True when a job may go from one status to the other. From `failed` and `canceled` only an
/// explicit retry leads on, into a new epoch.
[[nodiscard]] constexpr bool can_become(status from, status to) noexcept {
    const auto row = static_cast<std::size_t>(from);
    return row < status_count && (detail::transitions[row] & detail::bit(to)) != 0;
}

/// Final: nothing happens to the job any more unless the app retries it.
[[nodiscard]] constexpr bool is_terminal(status s) noexcept {
    return s == status::completed || s == status::failed || s == status::canceled;
}

/// Parked until a person or the app decides; it does not hold up its lane.
[[nodiscard]] constexpr bool is_parked(status s) noexcept {
    return s == status::paused || s == status::unknown_outcome;
}

/// Takes part in its lane: it runs, waits, or will.
[[nodiscard]] constexpr bool is_open(status s) noexcept {
    return !is_terminal(s) && !is_parked(s);
}

[[nodiscard]] constexpr std::string_view to_string(status s) noexcept {
    switch (s) {
        case status::pending: return "pending";
        case status::uploading: return "uploading";
        case status::finalizing: return "finalizing";
        case status::waiting: return "waiting";
        case status::paused: return "paused";
        case status::unknown_outcome: return "unknown_outcome";
        case status::completed: return "completed";
        case status::failed: return "failed";
        case status::canceled: return "canceled";
    }
    return "?";
}

[[nodiscard]] constexpr std::string_view to_string(wait_reason r) noexcept {
    switch (r) {
        case wait_reason::none: return "none";
        case wait_reason::backoff: return "backoff";
        case wait_reason::network: return "network";
        case wait_reason::credentials: return "credentials";
        case wait_reason::server_busy: return "server_busy";
        case wait_reason::source: return "source";
        case wait_reason::locked: return "locked";
        case wait_reason::server_error: return "server_error";
    }
    return "?";
}

[[nodiscard]] constexpr std::string_view to_string(item_status s) noexcept {
    switch (s) {
        case item_status::pending: return "pending";
        case item_status::uploading: return "uploading";
        case item_status::completed: return "completed";
        case item_status::failed: return "failed";
    }
    return "?";
}

}  // namespace waybill
