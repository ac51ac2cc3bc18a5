// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/transport/bandwidth_limits.hpp>
#include <waybill/transport/byte_rate.hpp>
#include <waybill/transport/token_bucket.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <vector>

namespace waybill {

/// Which limits apply to a transfer.
struct pace_path {
    std::string host;
    std::string lane;
    std::string job;  ///< transfers of one job share what the job gets; empty: the transfer counts as a job

    bool operator==(const pace_path&) const = default;
};

/// Decides how many bytes transfers may hand over now, and which of them is next. Pure: the time is an argument.
///
/// A transfer takes from every limit that applies to it: the total one, its host's, its lane's, its job's. Transfers
/// that have to wait are served in rounds, in which each waiting job gets the same number of bytes, however many
/// transfers share them (deficit round robin).
///
/// A transfer begins with `join`, may send once it `has_started`, and asks with `take` before it sends. After each call
/// the owner sets a timer for `next_wake`; when it expires, the owner resumes the transfers that `wake` returns.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: unsafe.
class pacer {
public:
    using time_point = std::chrono::steady_clock::time_point;
    /// Names a transfer. Later ones are greater.
    using ticket = std::uint64_t;

    /// Sets, changes or removes a limit. What transfers were granted under it and have not sent is taken back, so a
    /// slower rate applies immediately.
    void limit(const limit_scope& what, byte_rate rate, time_point now);

    [[nodiscard]] ticket join(const pace_path& who);
    /// The transfer has ended; what it was granted and did not take goes to the others.
    void leave(ticket whose, time_point now);

    /// False while it must not even connect: nothing may be sent, or as many transfers have started as the rate allows.
    [[nodiscard]] bool has_started(ticket whose) const { return transfers_.at(whose).started; }
    /// No limit applies to it.
    [[nodiscard]] bool is_unlimited(ticket whose) const { return transfers_.at(whose).job->levels.empty(); }
    /// How much it usually gets at a time.
    [[nodiscard]] std::size_t quantum(ticket whose) const;

    /// How many bytes of `want`, which is not 0, the transfer may hand over now. 0: it waits, and `wake` will name it.
    [[nodiscard]] std::size_t take(ticket whose, std::size_t want, time_point now);
    /// The same for bytes that can only be handed over together: all or nothing.
    [[nodiscard]] bool take_all(ticket whose, std::size_t want, time_point now);

    /// When a transfer can continue; `time_point::max()`: none waits, or only for limits that stop them.
    [[nodiscard]] time_point next_wake() const;
    /// The transfers that may start, and those that waited and can take now.
    [[nodiscard]] std::vector<ticket> wake(time_point now);

private:
    /// A limit that is set.
    struct level {
        detail::token_bucket bucket;
        std::size_t started = 0;  // transfers that it applies to
    };
    struct group;
    /// The limits that a job waits for: jobs whose turn comes later do not take from them.
    using reserved_levels = std::vector<const level*>;

    /// The transfers of a job to one host.
    struct group {
        pace_path who;
        std::vector<limit_scope> scopes = {};
        std::vector<level*> levels = {};
        std::size_t transfers = 0;
        std::size_t started = 0;
        std::size_t credit = 0;  // the rest of its turn, which continues when it asks again
        std::list<ticket> waiting = {};
    };

    struct transfer {
        group* job = nullptr;
        bool started = false;
        bool all_or_none = false;
        std::size_t wanted = 0;  // greater than 0 exactly while it is in `waiting` of its job
        std::size_t granted = 0;
    };

    [[nodiscard]] group& group_of(const pace_path& who);
    void find_levels(group& job);
    [[nodiscard]] static bool may_start(const group& job);
    void start(ticket whose, transfer& t);
    void start_those_that_may();

    void refill(time_point now);
    [[nodiscard]] static std::size_t room(const group& job);
    [[nodiscard]] std::size_t needed(const group& job) const;
    [[nodiscard]] std::size_t wanted(const group& job) const;
    [[nodiscard]] std::size_t turn(const group& job) const;
    [[nodiscard]] std::size_t piece(const group& job) const;
    [[nodiscard]] bool serve(group& job, reserved_levels& reserved);
    static void grant(transfer& t, std::size_t bytes);
    static void take_back(transfer& t);
    void wait(ticket whose, transfer& t, std::size_t want);
    void stop_waiting(ticket whose, transfer& t);

    std::map<limit_scope, level> levels_;
    std::map<ticket, transfer> transfers_;
    std::list<group> groups_;
    std::size_t jobs_ = 0;           // jobs that have a transfer that has started
    std::list<group*> round_;        // jobs that wait, in the order of their turns
    std::vector<ticket> to_report_;  // have started, and `wake` has not returned them yet
    ticket last_ = 0;
    time_point served_{};
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/transport/pacer.ipp>
#include <waybill/transport/pacer_turns.ipp>
#endif
