// SPDX-License-Identifier: BSL-1.0
#include "compare/measure.hpp"

#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <algorithm>
#include <chrono>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char** environ;

namespace waybill::bench {
namespace {

double seconds(const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

/// Output goes nowhere: a terminal would be part of what is measured.
pid_t start(const arguments& argv) {
    std::vector<char*> raw;
    for (const std::string& one : argv) {
        raw.push_back(const_cast<char*>(one.c_str()));
    }
    raw.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int failed = ::posix_spawnp(&child, raw[0], &actions, nullptr, raw.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        throw std::runtime_error("cannot start " + argv[0]);
    }
    return child;
}

template <class Figure>
auto middle(const std::vector<cost>& runs, Figure figure) {
    std::vector<decltype(figure(runs.front()))> all;
    for (const cost& c : runs) {
        all.push_back(figure(c));
    }
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
}

}  // namespace

cost run_measured(const arguments& argv) {
    const auto begun = std::chrono::steady_clock::now();
    const pid_t child = start(argv);
    int status = 0;
    rusage used{};
    while (::wait4(child, &status, 0, &used) < 0 && errno == EINTR) {
    }
    cost c;
    c.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw std::runtime_error(argv[0] + " failed with status " + std::to_string(status));
    }
    c.cpu = seconds(used.ru_utime) + seconds(used.ru_stime);
    c.peak = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
    c.sleeps = static_cast<std::uint64_t>(used.ru_nvcsw);
    return c;
}

std::optional<std::uint64_t> count_calls(const arguments& argv) {
    if (test::find_program("strace").empty()) {
        return std::nullopt;
    }
    const test::temp_dir dir;
    arguments traced = {"strace", "-f", "-qq", "-c", "-o", dir / "calls"};
    traced.insert(traced.end(), argv.begin(), argv.end());
    run_measured(traced);
    // The last line: per cent, seconds, microseconds a call, calls, perhaps errors, "total".
    std::istringstream lines(test::read_file(dir / "calls"));
    for (std::string line; std::getline(lines, line);) {
        if (line.ends_with(" total")) {
            std::istringstream words(line);
            std::string skipped;
            std::uint64_t calls = 0;
            words >> skipped >> skipped >> skipped >> calls;
            return calls;
        }
    }
    return std::nullopt;
}

cost median_of(const std::vector<cost>& runs) {
    cost c;
    c.wall = middle(runs, [](const cost& one) { return one.wall; });
    c.cpu = middle(runs, [](const cost& one) { return one.cpu; });
    c.peak = middle(runs, [](const cost& one) { return one.peak; });
    c.sleeps = middle(runs, [](const cost& one) { return one.sleeps; });
    c.calls = runs.front().calls;
    c.sent = middle(runs, [](const cost& one) { return one.sent; });
    return c;
}

}  // namespace waybill::bench
