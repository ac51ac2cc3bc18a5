// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/ids.hpp>
#include <waybill/model/retry_policy.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace waybill::detail {

/// What an attempt says about its host.
enum class host_report : std::uint8_t {
    responded,  ///< it responded, with any status
    failed,     ///< no connection, a lost one, or a server error
    throttled,  ///< it asked to retry later
};

/// Distinguishes credentials without storing them: a hash. 0: there were none.
using credentials_mark = std::size_t;

/// Remembers the state of hosts, so that a thousand jobs for a host that is down do not each have to fail first. Pure:
/// the time is an argument.
///
/// A circuit breaker: after some failures in a row nothing is sent to the host for a while, then for twice as long and
/// so on (`retry_policy::host_failures`, `host_pause`, `host_pause_cap`); in between a single job is the probe that may
/// close the circuit. A response that asks to retry later pauses the whole host immediately. A token bucket limits
/// retries while failures and successes alternate: each failure costs more than a success gives back.
///
/// Credentials that a host has rejected are not sent to it repeatedly, because accounts get locked: requests are
/// suspended for `credentials_pause`, then for twice as long up to `credentials_pause_cap`, or until there are other
/// credentials.
class host_health {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit host_health(const retry_policy& policy) : policy_(policy) {}

    static constexpr int most_tokens = 500;
    static constexpr int failure_cost = 10;
    static constexpr int success_gain = 1;

    /// When a job for the host may begin: `now`, or later. A job that begins calls `begin`.
    [[nodiscard]] time_point ready(const std::string& origin, time_point now) const {
        const auto found = hosts_.find(origin);
        if (found == hosts_.end()) {
            return now;
        }
        const host& h = found->second;
        if (h.probing) {
            return now + probe_patience;
        }
        return std::max(now, h.closed_until);
    }

    /// The host has rejected some credentials, and has not been seen to accept them since.
    [[nodiscard]] bool refuses_some(const std::string& origin) const {
        const auto first = refused_.lower_bound({origin, 0});
        return first != refused_.end() && first->first.first == origin;
    }

    /// When these credentials may be sent to it: `now`, or later.
    [[nodiscard]] time_point ready_for(const std::string& origin, credentials_mark which, time_point now) const {
        const auto found = refused_.find({origin, which});
        if (found == refused_.end()) {
            return now;
        }
        return found->second.probing ? now + probe_patience : std::max(now, found->second.until);
    }
    void begin_with(const std::string& origin, credentials_mark which) {
        if (const auto found = refused_.find({origin, which}); found != refused_.end()) {
            found->second.probing = true;
        }
    }

    /// It rejected these credentials. Requests that present them at the same time are rejected with them; that counts
    /// once.
    void refuse(const std::string& origin, credentials_mark which, time_point now) {
        constexpr std::size_t most = 256;  // a forgotten entry is rejected once more
        if (refused_.size() >= most && !refused_.contains({origin, which})) {
            refused_.erase(std::min_element(refused_.begin(), refused_.end(), [](const auto& a, const auto& b) {
                return a.second.until < b.second.until;
            }));
        }
        refusal& r = refused_[{origin, which}];
        r.probing = false;
        if (r.pause.count() == 0) {
            r.pause = policy_.credentials_pause;
        } else if (now >= r.until) {
            r.pause = std::min(r.pause * 2, policy_.credentials_pause_cap);
        } else {
            return;
        }
        r.until = now + r.pause;
    }

    /// It accepted them, or did not respond to them.
    void accept(const std::string& origin, credentials_mark which) { refused_.erase({origin, which}); }
    void drop_probe(const std::string& origin, credentials_mark which) {
        if (const auto found = refused_.find({origin, which}); found != refused_.end()) {
            found->second.probing = false;
        }
    }

    /// Something was accepted: refusals from now on are about the refused requests.
    void serve(const std::string& origin, std::chrono::milliseconds at) {
        constexpr std::size_t most = 256;  // a host without an entry is soon seen to serve again
        if (served_.size() >= most && !served_.contains(origin)) {
            served_.erase(std::min_element(served_.begin(), served_.end(),
                                           [](const auto& a, const auto& b) { return a.second < b.second; }));
        }
        served_[origin] = at;
    }
    /// It has accepted something at `since` or later.
    [[nodiscard]] bool served_since(const std::string& origin, std::chrono::milliseconds since) const {
        const auto found = served_.find(origin);
        return found != served_.end() && found->second >= since;
    }

    /// Whether a job that its host refuses may be passed by the jobs behind it: their results show whether the job is
    /// at fault. Each job that is passed makes the next one wait for twice as many refusals, unless something was
    /// accepted since: a host that refuses all requests must not change the order of its jobs.
    ///
    /// @param refusals in a row.
    [[nodiscard]] bool may_be_passed(const std::string& origin, job_seq seq, int refusals,
                                     std::chrono::milliseconds since) {
        constexpr int first = 4;  // the fourth time the server is asked before the body is sent
        const auto found = passed_.find(origin);
        std::size_t unexplained = 0;
        bool already = false;
        if (found != passed_.end() && !served_since(origin, since)) {
            already = found->second.contains(seq);
            unexplained = static_cast<std::size_t>(
                std::count_if(found->second.begin(), found->second.end(),
                              [&](const auto& one) { return !served_since(origin, one.second.since); }));
        }
        if (!already && refusals < first << std::min<std::size_t>(unexplained, 20)) {
            return false;
        }
        passed_[origin][seq] = {since, ++tries_};
        return true;
    }
    /// It made progress, or has left the queue.
    void drop_passed(const std::string& origin, job_seq seq) {
        if (const auto found = passed_.find(origin); found != passed_.end()) {
            found->second.erase(seq);
            if (found->second.empty()) {
                passed_.erase(found);
            }
        }
    }
    [[nodiscard]] bool is_passed(const std::string& origin, job_seq seq) const {
        const auto found = passed_.find(origin);
        return found != passed_.end() && found->second.contains(seq);
    }

    /// For how long a job that others may pass lets them probe a suspended host first. Of several, the one that was
    /// tried least recently is first: each has its turn.
    [[nodiscard]] std::chrono::milliseconds courtesy(const std::string& origin, job_seq seq) const {
        constexpr std::chrono::milliseconds most = std::chrono::seconds(1);
        std::int64_t before = 0;  // a job that has not been refused often goes first
        if (const auto found = passed_.find(origin); found != passed_.end() && found->second.contains(seq)) {
            const std::uint64_t tried = found->second.at(seq).tried;
            before = 1 + std::count_if(found->second.begin(), found->second.end(),
                                       [tried](const auto& one) { return one.second.tried < tried; });
        }
        return std::min(policy_.host_pause / 64, most) * (1 + std::min<std::int64_t>(before, 31));
    }

    void begin(const std::string& origin) {
        if (const auto found = hosts_.find(origin); found != hosts_.end()) {
            found->second.probing = found->second.suspect;
        }
    }

    /// Ends a pause: the app wants to know now.
    void try_now(const std::string& origin) {
        if (const auto found = hosts_.find(origin); found != hosts_.end()) {
            found->second.closed_until = {};
            found->second.probing = false;
        }
        for (auto at = refused_.lower_bound({origin, 0}); at != refused_.end() && at->first.first == origin; ++at) {
            at->second.until = {};
            at->second.probing = false;
        }
    }

    /// A job ended without a result for its host.
    void drop_probe(const std::string& origin) {
        if (const auto found = hosts_.find(origin); found != hosts_.end()) {
            found->second.probing = false;
        }
    }

    /// @param retry_after the host's requested delay, if any.
    void report(const std::string& origin, host_report what, time_point now,
                std::optional<std::chrono::milliseconds> retry_after = std::nullopt) {
        if (what == host_report::responded) {
            responded(origin);
            return;
        }
        host& h = hosts_[origin];
        h.probing = false;
        h.failures += 1;
        h.tokens = std::max(0, h.tokens - failure_cost);
        if (what == host_report::throttled) {
            h.suspect = true;
            const std::chrono::milliseconds asked = retry_after.value_or(std::chrono::seconds(1));
            h.closed_until = std::max(h.closed_until, now + std::min(asked, policy_.retry_after_cap));
        }
        if (h.failures >= policy_.host_failures || h.tokens == 0) {
            h.suspect = true;
            h.pause = h.pause.count() == 0 ? policy_.host_pause : std::min(h.pause * 2, policy_.host_pause_cap);
            h.closed_until = std::max(h.closed_until, now + h.pause);
        }
    }

private:
    // Other jobs are checked again while the probe runs; it may take its time.
    static constexpr std::chrono::seconds probe_patience{1};

    struct host {
        int tokens = most_tokens;
        int failures = 0;  // in a row
        bool suspect = false;
        bool probing = false;
        std::chrono::milliseconds pause{0};
        time_point closed_until{};
    };
    struct passed_job {
        std::chrono::milliseconds since{0};  // since when it is refused
        std::uint64_t tried = 0;             // when, in order
    };
    struct refusal {
        bool probing = false;
        std::chrono::milliseconds pause{0};
        time_point until{};
    };

    void responded(const std::string& origin) {
        const auto found = hosts_.find(origin);
        if (found == hosts_.end()) {
            return;
        }
        const int tokens = std::min(most_tokens, found->second.tokens + success_gain);
        if (tokens == most_tokens) {
            hosts_.erase(found);  // nothing to remember
            return;
        }
        found->second = host();
        found->second.tokens = tokens;
    }

    retry_policy policy_;
    std::map<std::string, host> hosts_;
    std::map<std::string, std::chrono::milliseconds> served_;
    std::map<std::string, std::map<job_seq, passed_job>> passed_;
    std::uint64_t tries_ = 0;
    std::map<std::pair<std::string, credentials_mark>, refusal> refused_;  // several accounts may share a host
};

}  // namespace waybill::detail
