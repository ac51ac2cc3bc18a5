// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

namespace waybill {

/// When and how often a job is retried. Attempts count only while nothing new was confirmed: a slow upload that makes
/// progress never fails. Nor do they count while the host, the network, the credentials or the file's disk are at
/// fault: then the job waits, for `max_age` at most.
struct retry_policy {
    /// Scale of the exponential backoff: attempt n waits a random time up to `base * 2^n`.
    std::chrono::milliseconds base{1'000};
    /// No backoff waits longer. After 507 (Insufficient Storage) none is shorter than half of it.
    std::chrono::milliseconds cap{std::chrono::minutes(5)};
    /// No backoff waits shorter.
    std::chrono::milliseconds floor{200};
    /// If the server confirmed at least this many bytes during an attempt before the connection was lost, the next
    /// attempt starts without backoff, to make use of unreliable links. Before any attempt has failed, bytes sent of a
    /// resumable upload count as confirmed.
    std::uint64_t prompt_bytes = 1 << 20;
    /// `Retry-After` is respected up to this.
    std::chrono::milliseconds retry_after_cap{std::chrono::hours(24)};
    /// While there is no route to the network, the next try comes after this to twice this, at random.
    std::chrono::milliseconds offline_poll{30'000};
    /// Consecutive failures, of any jobs, after which requests to a host are suspended for `host_pause`. After each
    /// pause one job probes the host; if it fails, the pause doubles, up to `host_pause_cap`.
    int host_failures = 5;
    std::chrono::milliseconds host_pause{30'000};
    std::chrono::milliseconds host_pause_cap{std::chrono::minutes(5)};
    /// Credentials that a host has rejected are retried after this, then after twice as long up to
    /// `credentials_pause_cap`; new ones immediately. The provider is called every `credentials_poll`.
    std::chrono::milliseconds credentials_pause{30'000};
    std::chrono::milliseconds credentials_pause_cap{std::chrono::hours(1)};
    std::chrono::milliseconds credentials_poll{5'000};
    /// Failed attempts without confirmed progress, caused by the job itself, before it fails.
    int attempts = 12;
    /// Age at which an undelivered job fails, counted from its acceptance or its last retry, in time during which it
    /// could have been delivered: while an uploader has the store open. Checked only after a failed attempt, never
    /// instead of one.
    std::chrono::milliseconds max_age{std::chrono::hours(24 * 7)};
};

}  // namespace waybill
