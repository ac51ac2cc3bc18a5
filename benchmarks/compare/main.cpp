// SPDX-License-Identifier: BSL-1.0
//
// Waybill and its peers, doing the same work by turns. See docs/benchmarks.md.
#include "compare/report.hpp"
#include "compare/scenario.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>

int main(int argc, char** argv) {
    using namespace waybill::bench;
    CLI::App app("Compares Waybill with its peers, each run by turns with the others, and prints medians");
    std::vector<std::string> wanted;
    int rounds = 11;
    bool list = false;
    bool no_trace = false;
    std::string document;
    app.add_option("scenario", wanted, "What to compare; all when none is named");
    app.add_option("-r,--rounds", rounds, "Runs of each")->check(CLI::Range(1, 1000))->capture_default_str();
    app.add_flag("-l,--list", list, "List the scenarios");
    app.add_flag("--no-trace", no_trace, "Do not count system calls");
    app.add_option("--write", document, "A Markdown file whose results, and whose chart beside it, are replaced");
    CLI11_PARSE(app, argc, argv);
    std::signal(SIGPIPE, SIG_IGN);

    try {
        const auto known = all_scenarios(std::filesystem::canonical("/proc/self/exe").parent_path());
        if (list) {
            for (const known_scenario& one : known) {
                std::cout << one.name << std::string(14 - one.name.size(), ' ') << one.about << "\n";
            }
            return 0;
        }
        for (const std::string& name : wanted) {
            if (std::none_of(known.begin(), known.end(), [&](const auto& one) { return one.name == name; })) {
                throw std::runtime_error("there is no scenario " + name + "; --list shows all");
            }
        }
        std::string markdown = this_machine();
        std::vector<results> all;
        for (const known_scenario& one : known) {
            if (wanted.empty() || std::find(wanted.begin(), wanted.end(), one.name) != wanted.end()) {
                try {
                    all.push_back(play(one.make(), rounds, !no_trace));
                } catch (const std::exception& e) {
                    std::cerr << "\r\033[K" << one.name << ": " << e.what() << "\n";  // the others go on
                    continue;
                }
                std::cout << as_text(all.back()) << std::endl;
                markdown += as_markdown(all.back());
            }
        }
        if (!document.empty()) {
            const std::string chart = std::filesystem::path(document).replace_extension(".svg");
            std::ofstream(chart, std::ios::trunc) << as_svg(all);
            replace_results(document,
                            "![wall times](" + std::filesystem::path(chart).filename().string() + ")\n\n" + markdown);
        }
    } catch (const std::exception& e) {
        std::cerr << "compare: " << e.what() << "\n";
        return 1;
    }
    return 0;
}
