// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "compare/measure.hpp"

#include <functional>
#include <string>
#include <vector>

namespace waybill::bench {

/// One that takes part: a program and how it is called.
struct contestant {
    std::string name;
    arguments argv;
    bool ours = false;
    std::function<void()> before = {};  ///< tidies up before each run
};

/// A piece of work, and everybody who does it.
struct scenario {
    std::string title;
    std::vector<contestant> contestants;
    /// After each run: throws when the work was not done. May be empty.
    std::function<void()> check = {};
    /// After each run: how many bytes have left during it. May be empty.
    std::function<std::uint64_t()> sent = {};
    int most_rounds = 1'000;  ///< for what takes long
    bool trace = true;        ///< system calls are counted
};

/// What a contestant's runs came to.
struct result {
    std::string name;
    bool ours = false;
    cost median;
    std::vector<cost> runs = {};
};

struct results {
    std::string title;
    int rounds = 0;
    std::vector<result> rows;

    /// The best peer's wall time; 0 without peers.
    [[nodiscard]] double best_peer() const {
        double best = 0;
        for (const result& r : rows) {
            if (!r.ours && (best == 0 || r.median.wall < best)) {
                best = r.median.wall;
            }
        }
        return best;
    }
};

/// What can be asked for, by name; made when it is asked for, because making it starts servers.
struct known_scenario {
    std::string name;
    std::string about;
    std::function<scenario()> make;
};

/// Everything there is. `programs`: where the clients were built.
std::vector<known_scenario> all_scenarios(const std::string& programs);

/// Lets the contestants take turns, each first in turn; says on stderr how far it is.
results play(const scenario& what, int rounds, bool trace);

}  // namespace waybill::bench
