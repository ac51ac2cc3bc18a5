// SPDX-License-Identifier: BSL-1.0
#include "compare/measure.hpp"

#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include <spawn.h>
#include <sys/wait.h>

extern char** environ;

namespace waybill::bench {
namespace {

std::string launcher() {
    return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "compare_launch").string();
}

int run(const arguments& argv) {
    std::vector<char*> raw;
    for (const std::string& one : argv) {
        raw.push_back(const_cast<char*>(one.c_str()));
    }
    raw.push_back(nullptr);
    pid_t child = 0;
    if (::posix_spawn(&child, raw[0], nullptr, nullptr, raw.data(), environ) != 0) {
        throw std::runtime_error("cannot start " + argv[0]);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
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
    const test::temp_dir dir;
    arguments launched = {launcher(), dir / "cost"};
    launched.insert(launched.end(), argv.begin(), argv.end());
    if (const int status = run(launched); status != 0) {
        throw std::runtime_error(argv[0] + " failed with status " + std::to_string(status));
    }
    cost c;
    std::uint64_t peak_in_kib = 0;
    std::istringstream figures(test::read_file(dir / "cost"));
    if (!(figures >> c.wall >> c.cpu >> peak_in_kib >> c.sleeps)) {
        throw std::runtime_error("nobody knows what " + argv[0] + " cost");
    }
    c.peak = peak_in_kib * 1024;
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
