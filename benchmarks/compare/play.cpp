// SPDX-License-Identifier: BSL-1.0
#include "compare/scenario.hpp"

#include <algorithm>
#include <iostream>

namespace waybill::bench {
namespace {

/// Runs one that takes part, and looks whether it did the work.
template <class Run>
auto supervised(const scenario& what, const contestant& who, Run run) {
    if (who.before) {
        who.before();
    }
    auto outcome = run(who.argv);
    if (what.check) {
        what.check();
    }
    return outcome;
}

}  // namespace

results play(const scenario& what, int rounds, bool trace) {
    results all{what.title, std::min(rounds, what.most_rounds), {}};
    for (const contestant& who : what.contestants) {
        all.rows.push_back({who.name, who.ours, {}, {}});
    }
    const std::size_t count = what.contestants.size();
    for (int round = 0; round < all.rounds; ++round) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t turn = (i + static_cast<std::size_t>(round)) % count;
            std::cerr << "\r\033[K" << what.title << ": round " << round + 1 << " of " << all.rounds << ", "
                      << what.contestants[turn].name << std::flush;
            all.rows[turn].runs.push_back(supervised(what, what.contestants[turn], run_measured));
            if (what.sent) {
                all.rows[turn].runs.back().sent = what.sent();
            }
        }
    }
    for (std::size_t i = 0; i < count; ++i) {
        std::cerr << "\r\033[K" << what.title << ": system calls, " << what.contestants[i].name << std::flush;
        all.rows[i].median = median_of(all.rows[i].runs);
        if (trace && what.trace) {
            all.rows[i].median.calls = supervised(what, what.contestants[i], count_calls);
        }
    }
    std::cerr << "\r\033[K" << std::flush;
    return all;
}

}  // namespace waybill::bench
