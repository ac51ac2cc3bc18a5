// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/backoff.hpp>
#include <waybill/model/record.hpp>
#include <waybill/model/retry_policy.hpp>
#include <waybill/protocol/failure.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace waybill {

/// What a job becomes after an attempt. Pure: the whole retry policy, readable top to bottom.
class outcome {
public:
    outcome(const retry_policy& policy, const store_time& now, double random)
        : policy_(policy), now_(now), random_(random) {}

    /// Delivered.
    [[nodiscard]] job_state completed(job_state s) const {
        s.error = {};
        return end(std::move(s), status::completed);
    }

    /// Given up by the app.
    [[nodiscard]] job_state canceled(job_state s) const {
        s.error = {errc::canceled, {}, checkpoint::whole_job};
        return end(std::move(s), status::canceled);
    }

    /// Interrupted by a stop of the uploader: nothing failed, nothing is counted.
    [[nodiscard]] job_state interrupted(job_state s) const {
        s.now = status::pending;
        s.reason = wait_reason::none;
        return s;
    }

    /// What is to be done about an answer that was lost.
    enum class doubt : std::uint8_t {
        park,       ///< nobody knows: let the app decide
        ask,        ///< the server or the app's backend can be asked; the mark stays until it has answered
        repeat,     ///< send it again: the endpoint honours the key; the mark stays until it has answered
        duplicate,  ///< send it again: the app accepts a duplicate
    };

    /// Failed. `progressed`: the server confirmed something new during this attempt; `gained`: so many bytes.
    [[nodiscard]] job_state failed(job_state s, const failure& why, doubt when_ambiguous, bool progressed,
                                   std::uint64_t gained = 0) const {
        s.error = {why.code(), why.details(), why.item()};
        const bool ambiguous = why.what_to_do() == disposition::ambiguous;
        if (ambiguous && when_ambiguous == doubt::park) {
            return park(std::move(s));
        }
        if (ambiguous && when_ambiguous == doubt::duplicate) {
            s.tail_attempt = 0;
        }
        // Out of attempts, too old to ask, or without its file is not the same as failed: it may have arrived. A
        // permanent answer to the marked request itself has taken its mark away.
        const bool may_have_arrived = s.tail_attempt != 0 || (ambiguous && when_ambiguous == doubt::repeat);
        switch (why.what_to_do()) {
            case disposition::permanent:
                return may_have_arrived && when_ambiguous != doubt::duplicate ? park(std::move(s))
                                                                              : end(std::move(s), status::failed);
            case disposition::network: return wait(std::move(s), wait_reason::network, jittered(policy_.offline_poll));
            case disposition::source: return wait(std::move(s), wait_reason::source, jittered(policy_.offline_poll));
            case disposition::locked: return wait(std::move(s), wait_reason::locked, jittered(policy_.offline_poll));
            default: break;
        }
        // Looked at after an attempt, never instead of one: a clock that jumped years ahead, as on a machine that
        // learns the time from the network, must not end a job that can be delivered. To find that nobody knows what
        // became of an earlier one was no attempt.
        const bool only_asked = when_ambiguous == doubt::duplicate && why.code() == errc::outcome_unknown;
        if (is_expired(s) && !only_asked) {
            return may_have_arrived ? park(std::move(s)) : expired(std::move(s));
        }
        s.failures = progressed ? 1 : s.failures + 1;
        if (s.failures >= policy_.attempts) {
            s.error.details.detail = "gave up after " + std::to_string(s.failures) + " attempts without progress" +
                                     (s.error.details.detail.empty() ? "" : "; " + s.error.details.detail);
            return may_have_arrived ? park(std::move(s)) : end(std::move(s), status::failed);
        }
        if (gained >= policy_.prompt_bytes && only_cut(why, when_ambiguous)) {
            return wait(std::move(s), wait_reason::backoff, {});
        }
        std::chrono::milliseconds delay = backoff_delay(policy_, s.failures, random_, why.retry_after());
        // A server whose storage is full makes room within hours, not seconds (RFC 4918 section 11.5).
        if (why.code() == make_http_error(507)) {
            delay = std::max(delay, jittered(policy_.cap / 2));
        }
        return wait(std::move(s), why.retry_after() ? wait_reason::server_busy : reason_for(why.what_to_do()), delay);
    }

    /// A mark of an earlier attempt was found: its last byte may have left and nobody knows more.
    [[nodiscard]] job_state park(job_state s) const {
        if (s.error.code != errc::outcome_unknown) {
            const std::string last = s.error ? s.error.message() : "";
            s.error.code = errc::outcome_unknown;  // whatever it was, it is not tried again by itself
            s.error.details.detail = last.empty() ? s.error.details.detail : "last error: " + last;
        }
        s.now = status::unknown_outcome;
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
        s.now = final_status;
        s.reason = wait_reason::none;
        s.not_before = {};
        s.wait = {};
        s.tail_attempt = 0;
        s.finished = now_.wall;
        s.retired = now_.all();
        return s;
    }

    [[nodiscard]] job_state wait(job_state s, wait_reason reason, std::chrono::milliseconds delay) const {
        s.now = status::waiting;
        s.reason = reason;
        s.not_before = now_.wall + delay;
        s.wait = delay;
        return s;
    }

    [[nodiscard]] std::chrono::milliseconds jittered(std::chrono::milliseconds base) const {
        return base + std::chrono::milliseconds(
                          static_cast<std::chrono::milliseconds::rep>(static_cast<double>(base.count()) * random_));
    }

    // The network's doing: the server has not asked for patience, and can be asked what became of it.
    [[nodiscard]] static bool only_cut(const failure& why, doubt when_ambiguous) noexcept {
        const bool asks = why.what_to_do() == disposition::ambiguous && when_ambiguous == doubt::ask;
        const bool cut = why.what_to_do() == disposition::retry || asks;
        return cut && why.code().category() != http_category() && !why.retry_after();
    }

    [[nodiscard]] static wait_reason reason_for(disposition what) noexcept {
        switch (what) {
            case disposition::busy: return wait_reason::server_busy;
            case disposition::credentials: return wait_reason::credentials;
            default: return wait_reason::backoff;
        }
    }

    const retry_policy& policy_;
    store_time now_;
    double random_;
};

}  // namespace waybill
