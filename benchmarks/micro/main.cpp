// SPDX-License-Identifier: BSL-1.0
//
// The runner, and the one table that matters: after each test case the median of each of its
// benchmarks, and its ratio to the first of them. Catch2 itself prints means.
#define CATCH_CONFIG_RUNNER
#include "support/catch.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace {

#if __has_include(<catch2/catch_all.hpp>)
using listener = Catch::EventListenerBase;
#else
using listener = Catch::TestEventListenerBase;
#endif

class medians final : public listener {
public:
    using listener::listener;

    void benchmarkEnded(const Catch::BenchmarkStats<>& stats) override {
        std::vector<double> nanoseconds;
        for (const auto& sample : stats.samples) {
            nanoseconds.push_back(sample.count());
        }
        if (!nanoseconds.empty()) {
            const auto middle = nanoseconds.begin() + static_cast<std::ptrdiff_t>(nanoseconds.size() / 2);
            std::nth_element(nanoseconds.begin(), middle, nanoseconds.end());
            rows_.emplace_back(stats.info.name, *middle);
        }
    }

    void testCaseEnded(const Catch::TestCaseStats& stats) override {
        if (!rows_.empty()) {
            std::printf("\n%-60s %14s %10s\n", stats.testInfo.name.c_str(), "median", "ratio");
        }
        for (const auto& [name, nanoseconds] : rows_) {
            std::printf("  %-58s %11.3f us %10.2f\n", name.c_str(), nanoseconds / 1000,
                        nanoseconds / rows_.front().second);
        }
        rows_.clear();
    }

private:
    std::vector<std::pair<std::string, double>> rows_;
};

CATCH_REGISTER_LISTENER(medians)

}  // namespace

int main(int argc, char** argv) {
    return Catch::Session().run(argc, argv);
}
