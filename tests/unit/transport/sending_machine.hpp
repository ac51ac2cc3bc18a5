// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/transport/pacer.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

inline constexpr pacer::time_point start{std::chrono::hours(1'000)};

/// Transfers that always have something to send, a manual clock, and timers that are late, as real ones are.
class sending_machine {
public:
    using time_point = pacer::time_point;

    struct transfer {
        std::string job;
        std::uint64_t sent = 0;
        bool started = false;
        bool waits = false;
        time_point last = start;
        time_point::duration longest_pause{};
    };

    pacer pace;
    time_point now = start;

    pacer::ticket add(const pace_path& who) {
        const pacer::ticket made = pace.join(who);
        transfers[made].job = who.job;
        if (pace.has_started(made)) {
            begin(made);
        }
        return made;
    }

    void remove(pacer::ticket whose) {
        transfers.erase(whose);
        pace.leave(whose, now);
    }

    void run(std::chrono::nanoseconds time) {
        const time_point end = now + time;
        for (auto& [whose, one] : transfers) {
            if (one.started && !one.waits) {
                ask(whose);
            }
        }
        for (time_point next = pace.next_wake(); next <= end; next = pace.next_wake()) {
            now = std::min(std::max(now, next) + std::chrono::microseconds(late_(random_)), end);
            for (const pacer::ticket awake : pace.wake(now)) {
                transfers.at(awake).started ? ask(awake) : begin(awake);
            }
            REQUIRE(++turns_ < 3'000'000);
            if (now == end && pace.next_wake() <= end) {
                break;  // the rest belongs to the next run
            }
        }
        now = end;
    }

    /// The bytes sent between two times.
    [[nodiscard]] std::uint64_t sent_between(time_point from, time_point to) const {
        std::uint64_t sum = 0;
        for (const auto& [when, bytes] : log) {
            sum += when > from && when <= to ? bytes : 0;
        }
        return sum;
    }

    [[nodiscard]] std::uint64_t sent_by(const std::string& job) const {
        std::uint64_t sum = 0;
        for (const auto& [whose, one] : transfers) {
            sum += one.job == job ? one.sent : 0;
        }
        return sum;
    }

    [[nodiscard]] std::size_t started() const {
        return static_cast<std::size_t>(
            std::count_if(transfers.begin(), transfers.end(), [](const auto& one) { return one.second.started; }));
    }

    /// The longest time for which a started transfer got nothing.
    [[nodiscard]] time_point::duration longest_pause() const {
        time_point::duration longest{};
        for (const auto& [whose, one] : transfers) {
            longest = std::max({longest, one.longest_pause, one.started ? now - one.last : time_point::duration{}});
        }
        return longest;
    }

    std::map<pacer::ticket, transfer> transfers;
    std::vector<std::pair<time_point, std::uint64_t>> log;
    std::size_t buffer = 2 << 20;  // what libcurl asks for

private:
    void begin(pacer::ticket whose) {
        transfers.at(whose).started = true;
        transfers.at(whose).last = now;
        ask(whose);
    }

    void ask(pacer::ticket whose) {
        transfer& t = transfers.at(whose);
        t.waits = !pace.is_unlimited(whose);
        if (!t.waits) {
            t.sent += buffer;  // it could repeat this without waiting
            return;
        }
        while (const std::size_t bytes = pace.take(whose, buffer, now)) {
            REQUIRE(bytes <= buffer);
            t.sent += bytes;
            t.longest_pause = std::max(t.longest_pause, now - t.last);
            t.last = now;
            log.emplace_back(now, bytes);
        }
    }

    std::mt19937 random_{7};
    std::uniform_int_distribution<int> late_{0, 1'500};
    std::size_t turns_ = 0;
};

/// 1 when all get the same, 1/n when one gets everything (R. Jain).
inline double fairness(const std::vector<double>& shares) {
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    const double squares = std::inner_product(shares.begin(), shares.end(), shares.begin(), 0.0);
    return sum * sum / (static_cast<double>(shares.size()) * squares);
}

}  // namespace waybill::test
