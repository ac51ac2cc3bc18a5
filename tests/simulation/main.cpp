// SPDX-License-Identifier: BSL-1.0
//
//   simulation --seeds 2000                many lives; the first broken promise ends it
//   simulation --seed 77 --verbose         one of them, told
//   simulation --via s3 --seeds 500        all jobs go one way
//   simulation --plant resend --seeds 500  succeeds when the planted bug is found

#include "simulation/simulation.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

using namespace waybill::simulation;

namespace {

/// True when every promise held.
bool lives(settings how, std::uint64_t from, std::uint64_t most, bool twice) {
    const auto begun = std::chrono::steady_clock::now();
    counts all;
    for (std::uint64_t seed = from; seed < from + most; ++seed) {
        how.seed = seed;
        try {
            const counts one = simulation(how).run();
            if (twice && seed % 50 == 0 && simulation(how).run().trace != one.trace) {
                throw broken("simulation: the same seed took another course");
            }
            all.add(one);
        } catch (const std::exception& e) {
            std::string planted;
            for (const auto& [name, what] : plants) {
                if (what == how.planted && what != plant::none) {
                    planted = " --plant " + std::string(name);
                }
            }
            std::string via;
            for (const auto& [name, what] : ways) {
                via += how.only == what ? " --via " + std::string(name) : "";
            }
            std::cout << "SEED " << seed << ", after " << seed - from << " good ones: " << e.what() << "\n"
                      << "to repeat: simulation --seed " << seed << " --verbose" << planted << via << std::endl;
            return false;
        }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::cout << most << " seeds from " << from << ": " << all.jobs << " jobs (" << all.completed << " completed), "
              << all.crashes << " crashes, " << all.commits << " commits, " << all.turns << " turns checked, 0 lost, 0 "
              << "duplicated, 0 corrupt, in " << took.count() << " s" << std::endl;
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    settings how;
    std::uint64_t seeds = 1000;
    std::uint64_t from = 1;
    std::uint64_t seed = 0;
    std::string planted = "none";
    std::string via;
    CLI::App app("Simulates whole lives of an uploader, each from one seed");
    app.add_option("--seeds", seeds, "how many lives")->check(CLI::PositiveNumber);
    app.add_option("--from", from, "the first seed");
    const auto* one = app.add_option("--seed", seed, "only this one");
    app.add_flag("--verbose", how.verbose, "tell what happens");
    app.add_option("--via", via, "all jobs go this way: put, post, form, tus, resumable, resumable_form, s3");
    app.add_option("--plant", planted, "plant a bug: success is to find it");
    CLI11_PARSE(app, argc, argv);
    const auto bug = plant_named(planted);
    if (!bug) {
        std::cerr << "no plant is named " << planted << "; there are:";
        for (const auto& [name, what] : plants) {
            std::cerr << ' ' << name;
        }
        std::cerr << "\n";
        return 2;
    }
    how.planted = *bug;
    const auto chosen = std::find_if(ways.begin(), ways.end(), [&](const auto& known) { return known.first == via; });
    if (chosen == ways.end() && !via.empty()) {
        std::cerr << "--via is one of put, post, form, tus, resumable, resumable_form, s3\n";
        return 2;
    }
    how.only = via.empty() ? std::nullopt : std::optional(chosen->second);
    const bool single = one->count() > 0;
    const bool held = lives(how, single ? seed : from, single ? 1 : seeds, *bug == plant::none);
    if (*bug == plant::none) {
        return held ? 0 : 1;
    }
    std::cout << (held ? "the planted bug was NOT found" : "the planted bug was found") << std::endl;
    return held ? 1 : 0;
}
