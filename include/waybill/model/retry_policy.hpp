// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

namespace waybill {

/// When and how often a job is tried again. Attempts count only while nothing new was confirmed:
/// a slow upload that gets on is never given up. Nor do they count while the host, the network, the credentials or the
/// file's disk are at fault: then the job waits, for `max_age` at most.
struct retry_policy {
    /// Scale of the exponential backoff: attempt n waits a random time up to `base * 2^n`.
    std::chrono::milliseconds base{1'000};
    /// No backoff waits longer. After 507 (Insufficient Storage) none is shorter than half of it.
    std::chrono::milliseconds cap{std::chrono::minutes(5)};
    /// No backoff waits shorter.
    std::chrono::milliseconds floor{200};
    /// An attempt that got at least so many bytes confirmed before its connection broke is followed
    /// by the next one at once: a link that breaks now and then is used, not spared. At the first break of all, when
    /// nothing is confirmed yet, it counts what was sent of an upload that can be continued.
    std::uint64_t prompt_bytes = 1 << 20;
    /// `Retry-After` is obeyed up to this.
    std::chrono::milliseconds retry_after_cap{std::chrono::hours(24)};
    /// While there is no way to the network, the next try comes after this to twice this, at random.
    std::chrono::milliseconds offline_poll{30'000};
    /// Failures in a row, of any jobs, after which a host is left alone for `host_pause`, then for
    /// twice as long up to `host_pause_cap`, but for one job at a time that finds out.
    int host_failures = 5;
    std::chrono::milliseconds host_pause{30'000};
    std::chrono::milliseconds host_pause_cap{std::chrono::minutes(5)};
    /// Credentials that a host has refused are tried again after this, then after twice as long up to
    /// `credentials_pause_cap`; other ones at once. The provider is asked for them every `credentials_poll`.
    std::chrono::milliseconds credentials_pause{30'000};
    std::chrono::milliseconds credentials_pause_cap{std::chrono::hours(1)};
    std::chrono::milliseconds credentials_poll{5'000};
    /// Failed attempts without confirmed progress, by the job's own fault, before it fails.
    int attempts = 12;
    /// Age at which an undelivered job fails, counted from its acceptance or its last retry, in time during which it
    /// could have been delivered: while an uploader has the store open. Looked at when an attempt has failed, never
    /// instead of one.
    std::chrono::milliseconds max_age{std::chrono::hours(24 * 7)};
};

}  // namespace waybill
