// SPDX-License-Identifier: BSL-1.0
#include "compare/report.hpp"

#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <sys/utsname.h>

namespace waybill::bench {
namespace {

constexpr std::array<const char*, 8> headings = {
    "", "wall", "CPU", "system calls", "memory", "sleeps", "wall / best peer", "sent"};

template <class... Values>
std::string format(const char* text, Values... values) {
    std::array<char, 128> room{};
    std::snprintf(room.data(), room.size(), text, values...);
    return room.data();
}

std::string time_text(double seconds) {
    return seconds < 1 ? format("%.1f ms", seconds * 1000) : format("%.2f s", seconds);
}

std::array<std::string, 8> cells(const results& all, const result& row) {
    const double best = all.best_peer();
    return {row.ours ? "**" + row.name + "**" : row.name,
            time_text(row.median.wall),
            time_text(row.median.cpu),
            row.median.calls ? std::to_string(*row.median.calls) : "–",
            format("%.1f MiB", static_cast<double>(row.median.peak) / (1 << 20)),
            std::to_string(row.median.sleeps),
            best > 0 ? format("%.2f", row.median.wall / best) : "–",
            row.median.sent ? format("%.2f MiB", static_cast<double>(*row.median.sent) / (1 << 20)) : "–"};
}

std::string first_line_of(std::vector<std::string> argv) {
    test::command_line what;
    what.argv = std::move(argv);
    try {
        const std::string out = test::run_process(what).out;
        return out.substr(0, out.find('\n'));
    } catch (const std::exception&) {
        return "";
    }
}

std::string value_in(const std::string& file, const std::string& key) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(key)) {
            const auto at = line.find_first_not_of("\t :=\"", key.size());
            std::string value = at == std::string::npos ? "" : line.substr(at);
            value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
            return value;
        }
    }
    return "unknown";
}

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        out += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
    }
    return out;
}

}  // namespace

std::string as_text(const results& what) {
    std::string out = what.title + " (medians of " + std::to_string(what.rounds) + ")\n";
    const auto line = [&out](const auto& columns) {
        out += format("  %-34s %10s %10s %13s %12s %9s %17s %10s\n", std::string(columns[0]).c_str(),
                      std::string(columns[1]).c_str(), std::string(columns[2]).c_str(), std::string(columns[3]).c_str(),
                      std::string(columns[4]).c_str(), std::string(columns[5]).c_str(), std::string(columns[6]).c_str(),
                      std::string(columns[7]).c_str());
    };
    line(headings);
    for (const result& row : what.rows) {
        auto columns = cells(what, row);
        columns[0] = row.name;
        line(columns);
    }
    return out;
}

std::string as_markdown(const results& what) {
    std::string out =
        "### " + what.title + "\n\nMedians of " + std::to_string(what.rounds) + " interleaved rounds.\n\n";
    const auto line = [&out](const auto& columns) {
        out += '|';
        for (const auto& column : columns) {
            out += " " + std::string(column) + " |";
        }
        out += '\n';
    };
    line(headings);
    out += "| --- | --: | --: | --: | --: | --: | --: | --: |\n";
    for (const result& row : what.rows) {
        line(cells(what, row));
    }
    return out + "\n";
}

std::string as_svg(const std::vector<results>& all) {
    constexpr int bar = 16;
    constexpr int left = 260;
    constexpr int room = 420;
    std::string body;
    int y = 10;
    for (const results& group : all) {
        double most = 0;
        for (const result& row : group.rows) {
            most = std::max(most, row.median.wall);
        }
        y += 22;
        body += format("<text x=\"8\" y=\"%d\" font-weight=\"bold\">", y) + escaped(group.title) + "</text>\n";
        y += 6;
        for (const result& row : group.rows) {
            const int width = most > 0 ? std::max(1, static_cast<int>(row.median.wall / most * room)) : 1;
            body += format("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", left - 8, y + 12) + escaped(row.name) +
                    "</text>";
            body += format("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>", left, y, width, bar - 3,
                           row.ours ? "#c2410c" : "#94a3b8");
            body +=
                format("<text x=\"%d\" y=\"%d\">", left + width + 6, y + 12) + time_text(row.median.wall) + "</text>\n";
            y += bar;
        }
    }
    return format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" "
               "font-size=\"12\">\n",
               left + room + 100, y + 12) +
           "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" + body + "</svg>\n";
}

std::string this_machine() {
    utsname system{};
    ::uname(&system);
    const std::time_t now = std::time(nullptr);
    std::array<char, 32> day{};
    std::strftime(day.data(), day.size(), "%Y-%m-%d", std::gmtime(&now));
    std::array<double, 3> load{};
    ::getloadavg(load.data(), 3);
    const std::string curl = first_line_of({"curl", "--version"});
    return std::string("Measured on ") + day.data() + ": " + value_in("/proc/cpuinfo", "model name") + ", " +
           std::to_string(std::thread::hardware_concurrency()) + " virtual cores, " +
           value_in("/proc/meminfo", "MemTotal") + " of memory, " + value_in("/etc/os-release", "PRETTY_NAME") +
           ", kernel " + system.release + ", " + curl.substr(0, curl.find(" (")) + ", g++ " +
           first_line_of({"g++", "-dumpfullversion"}) + format(" -O2 or better; load before: %.1f.", load[0]) +
           " Client and server share the machine.\n\n";
}

void replace_results(const std::string& file, const std::string& markdown) {
    const std::string begin = "<!-- results: written by benchmarks/compare.sh -->\n";
    const std::string end = "<!-- end of results -->";
    std::string text = test::read_file(file);
    const auto from = text.find(begin);
    const auto to = text.find(end);
    if (from == std::string::npos || to == std::string::npos || to < from) {
        throw std::runtime_error(file + " has no marks for results");
    }
    text.replace(from + begin.size(), to - from - begin.size(), markdown);
    std::ofstream(file, std::ios::trunc) << text;
}

}  // namespace waybill::bench
