// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/queue/backoff.hpp>
#include <waybill/model/record.hpp>
#include <waybill/model/retry_policy.hpp>
#include <waybill/protocol/failure.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace waybill::detail {

/// The next state of a job after an attempt. Pure: the whole retry policy, readable top to bottom.
class outcome {
public:
    outcome(const retry_policy& policy, const store_time& now, double random)
        : policy_(policy), now_(now), random_(random) {}

    /// Delivered.
    [[nodiscard]] job_state completed(job_state s) const {
        s.error = {};
        s.troubles = 0;
        s.refused_since = {};
        return end(std::move(s), status::completed);
    }

    /// Canceled by the app.
    [[nodiscard]] job_state canceled(job_state s) const {
        s.error = {errc::canceled, {}, checkpoint::whole_job};
        return end(std::move(s), status::canceled);
    }

    /// Interrupted by a stop of the uploader: nothing failed, nothing is counted.
    [[nodiscard]] job_state interrupted(job_state s) const {
        s.status = status::pending;
        s.reason = wait_reason::none;
        return s;
    }

    /// What is to be done about a lost response.
    enum class doubt : std::uint8_t {
        park,       ///< unknown to all: let the app decide
        ask,        ///< the server or the app's backend can be asked; the intent stays until it has responded
        repeat,     ///< send it again: the endpoint honours the key; the intent stays until it has responded
        duplicate,  ///< send it again: the app accepts a duplicate
    };

    /// What is known of an attempt that failed.
    struct evidence {
        bool progressed = false;     ///< the server confirmed something new during it
        std::uint64_t gained = 0;    ///< so many bytes
        bool serves_others = true;   ///< its host has accepted something since this job was first refused
        bool host_responded = true;  ///< the host responded to one of its requests, or accepted much of a body
        bool holds_up_lane = false;  ///< no other job of its lane may pass it
    };

    /// The next state of a job whose attempt has failed.
    ///
    /// Failures of the host, the network, the credentials or the file's disk cost no attempt, however long they last:
    /// the job waits, up to `retry_policy::max_age`. Failures of the job are counted, and end it after too many in a
    /// row.
    [[nodiscard]] job_state failed(job_state s, const failure& why, doubt when_ambiguous, const evidence& how) const {
        s.error = {why.code(), why.details(), why.item()};
        const bool ambiguous = why.what_to_do() == disposition::ambiguous;
        if (ambiguous && when_ambiguous == doubt::park) {
            return park(std::move(s));
        }
        if (ambiguous && when_ambiguous == doubt::duplicate) {
            s.intent.settle();
        }
        // Out of attempts, too old to ask, or without its file is not the same as failed: the job may have arrived. A
        // permanent response to the request with the intent has settled the intent.
        const bool may_have_arrived = s.intent.stands() || (ambiguous && when_ambiguous == doubt::repeat);
        if (why.what_to_do() == disposition::permanent) {
            return may_have_arrived && when_ambiguous != doubt::duplicate ? park(std::move(s))
                                                                          : end(std::move(s), status::failed);
        }
        // Checked after an attempt, never instead of one. Finding that the outcome of an earlier attempt is unknown was
        // no attempt.
        const bool only_asked = when_ambiguous == doubt::duplicate && why.code() == errc::outcome_unknown;
        if (is_expired(s) && !only_asked) {
            return may_have_arrived ? park(std::move(s)) : expired(std::move(s));
        }
        s = noted_refusal(std::move(s), why, how);
        s.troubles = how.progressed ? 1 : s.troubles + 1;
        const bool sent_again = ambiguous && when_ambiguous == doubt::duplicate;
        const bool counts = sent_again || costs_attempt(s, why, how);
        s.failures = (how.progressed ? 0 : s.failures) + (counts ? 1 : 0);
        if (counts && s.failures >= policy_.attempts) {
            s.error.details.detail = "no progress in " + std::to_string(s.failures) + " attempts" +
                                     (s.error.details.detail.empty() ? "" : "; " + s.error.details.detail);
            return may_have_arrived ? park(std::move(s)) : end(std::move(s), status::failed);
        }
        if (how.gained >= policy_.prompt_bytes && only_network_failed(why, when_ambiguous)) {
            return wait(std::move(s), wait_reason::backoff, {});
        }
        if (!counts) {
            return wait(std::move(s), reason_for(why, counts), trouble_delay(s, why));
        }
        return wait(std::move(s), reason_for(why, counts),
                    backoff_delay(policy_, s.failures, random_, why.retry_after()));
    }

    /// An intent of an earlier attempt was found: its last byte may have been sent, and its outcome is unknown.
    [[nodiscard]] job_state park(job_state s) const {
        if (s.error.code != errc::outcome_unknown) {
            const std::string last = s.error ? s.error.message() : "";
            s.error.code = errc::outcome_unknown;  // after any error, the job is not retried by itself
            s.error.details.detail = last.empty() ? s.error.details.detail : "last error: " + last;
        }
        s.status = status::unknown_outcome;
        s.reason = wait_reason::none;
        return s;
    }

    /// Not delivered within its maximum age.
    [[nodiscard]] job_state expired(job_state s) const {
        const std::string last = s.error.message();
        s.error = {errc::expired, {}, checkpoint::whole_job};
        s.error.details.detail = last;
        return end(std::move(s), status::failed);
    }

    [[nodiscard]] bool is_expired(const job_state& s) const { return now_.open - s.began > policy_.max_age; }

private:
    [[nodiscard]] job_state end(job_state s, status final_status) const {
        s.status = final_status;
        s.reason = wait_reason::none;
        s.not_before = {};
        s.wait = {};
        s.pause = {};
        s.intent.settle();
        s.finished = now_.wall;
        s.retired = now_.all();
        return s;
    }

    [[nodiscard]] job_state wait(job_state s, wait_reason reason, std::chrono::milliseconds delay) const {
        s.status = status::waiting;
        s.reason = reason;
        s.not_before = now_.wall + delay;
        s.wait = delay;
        return s;
    }

    // A server error counts against this job only if its host serves others; until that is seen, it counts against the
    // host. So does a connection that is lost before any response.
    [[nodiscard]] static bool costs_attempt(const job_state& s, const failure& why, const evidence& how) noexcept {
        switch (why.what_to_do()) {
            case disposition::busy:
            case disposition::network:
            case disposition::credentials:
            case disposition::source:
            case disposition::locked: return false;
            default: break;
        }
        if (why.code() == make_http_error(500)) {
            return s.failures > 0 || how.serves_others || how.holds_up_lane;
        }
        if (is_connection_loss(why.code())) {
            return how.serves_others || how.host_responded;
        }
        return !concerns_host(why.code());
    }

    [[nodiscard]] std::chrono::milliseconds jittered(std::chrono::milliseconds base) const {
        return base + std::chrono::milliseconds(
                          static_cast<std::chrono::milliseconds::rep>(static_cast<double>(base.count()) * random_));
    }

    /// While the cause persists, retries become rarer: between half of an exponentially growing limit and all of it.
    [[nodiscard]] std::chrono::milliseconds trouble_delay(const job_state& s, const failure& why) const {
        if (why.code() == errc::network_unreachable) {
            return jittered(policy_.offline_poll);  // nothing is sent to find out
        }
        const bool asks_who = why.what_to_do() == disposition::credentials;
        const std::chrono::milliseconds first = asks_who ? policy_.credentials_pause : policy_.base * 2;
        const std::chrono::milliseconds most = asks_who ? policy_.credentials_pause_cap : policy_.cap;
        const double limit = std::min(static_cast<double>(most.count()),
                                      static_cast<double>(first.count()) * std::exp2(std::min(s.troubles - 1, 40)));
        std::chrono::milliseconds delay = jittered(std::chrono::milliseconds(static_cast<std::int64_t>(limit / 2)));
        // A server whose storage is full makes room within hours, not seconds (RFC 4918 section 11.5).
        if (why.code() == make_http_error(507)) {
            delay = std::max(delay, jittered(policy_.cap / 2));
        }
        delay = std::max(delay, policy_.floor);
        return why.retry_after() ? std::max(delay, retry_after_delay(policy_, *why.retry_after(), random_)) : delay;
    }

    // The network failed: the server has not asked for a delay, and can be asked for the outcome.
    [[nodiscard]] static bool only_network_failed(const failure& why, doubt when_ambiguous) noexcept {
        const bool asks = why.what_to_do() == disposition::ambiguous && when_ambiguous == doubt::ask;
        const bool interrupted = why.what_to_do() == disposition::retry || asks;
        return interrupted && why.code().category() != http_category() && !why.retry_after();
    }

    [[nodiscard]] static wait_reason reason_for(const failure& why, bool counts) noexcept {
        switch (why.what_to_do()) {
            case disposition::busy: return wait_reason::server_busy;
            case disposition::network: return wait_reason::network;
            case disposition::credentials: return wait_reason::credentials;
            case disposition::source: return wait_reason::source;
            case disposition::locked: return wait_reason::locked;
            default: break;
        }
        if (why.retry_after()) {
            return wait_reason::server_busy;
        }
        if (why.code() == make_http_error(500)) {
            return wait_reason::server_error;
        }
        const bool of_host = concerns_host(why.code()) || (is_connection_loss(why.code()) && !counts);
        return of_host ? wait_reason::network : wait_reason::backoff;
    }

    // Since when it has been refused in a row, perhaps because of itself.
    [[nodiscard]] job_state noted_refusal(job_state s, const failure& why, const evidence& how) const {
        constexpr std::chrono::milliseconds none(0);
        if (how.progressed || !may_concern_one_request(why.code())) {
            s.refused_since = none;
        } else if (s.refused_since == none) {
            s.refused_since = std::max(now_.open, std::chrono::milliseconds(1));
            s.troubles = 0;  // from here on they count refusals in a row, after which others may pass
        }
        return s;
    }

    const retry_policy& policy_;
    store_time now_;
    double random_;
};

}  // namespace waybill::detail
