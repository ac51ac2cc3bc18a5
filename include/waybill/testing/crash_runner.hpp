// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/testing/process.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace waybill::testing {

/// An app's own work, as a test sees it. The object survives the crash: its members stand for what the app keeps on its
/// own disk. What `start` started in the process dies with it.
class workflow {
public:
    virtual ~workflow() = default;
    /// Before the first start: files, and what the server will do.
    virtual void prepare(surroundings& /*around*/) {}
    /// Changes the options of the app's uploader; called at each start.
    virtual void adjust(options& /*how*/) {}
    /// What the app does when it starts, including after a crash.
    virtual void start(process& app) = 0;
    /// Once the process is idle: the problems found. Empty: none.
    [[nodiscard]] virtual std::string check(const surroundings& around) = 0;
};

/// Where to crash.
enum class crash_points : std::uint8_t {
    every_commit,  ///< before each commit of the uploader's store, and after it, before any caller is notified
    every_turn,    ///< after each turn of the loop: also in mid-transfer, also between two steps of the app
};

/// The result.
struct crash_report {
    std::size_t crashes = 0;
    std::size_t commits = 0;              ///< of the run without a crash
    std::vector<std::string> complaints;  ///< the messages of `workflow::check`, with the turn of the crash
};

/// Runs a workflow once undisturbed, and then repeatedly, each time with a crash at another moment and a new start
/// after it.
///
/// @param make a new workflow for each run; runs must take the same course, so nothing in it may depend
///   on real time or chance.
[[nodiscard]] inline crash_report crash_everywhere(const std::function<std::unique_ptr<workflow>()>& make,
                                                   crash_points where = crash_points::every_commit) {
    crash_report report;

    // One run, with a crash after so many turns; calls `each` after every turn of the first life.
    const auto run = [&](std::size_t crash_after, const std::function<void(std::size_t, const surroundings&)>& each) {
        const std::unique_ptr<workflow> work = make();
        surroundings around;
        work->prepare(around);
        std::string complaint;
        try {
            const auto adjust = [&](options& how) { work->adjust(how); };
            for (std::uint64_t life = 1; life <= 2; ++life) {
                process app(around, adjust, life);
                work->start(app);
                std::size_t turns = 0;
                while ((life == 2 || turns < crash_after) && app.turn()) {
                    ++turns;
                    if (life == 1 && each) {
                        each(turns, around);
                    }
                    if (turns == 5'000'000) {
                        throw std::runtime_error("the process does not become idle");
                    }
                }
            }
            complaint = work->check(around);
        } catch (const std::exception& e) {
            complaint = e.what();
        }
        if (!complaint.empty()) {
            report.complaints.push_back("crash after turn " + std::to_string(crash_after) + ": " + complaint);
        }
    };

    std::set<std::size_t> points;
    std::uint64_t commits = 0;
    run(static_cast<std::size_t>(-1), [&](std::size_t turn, const surroundings& around) {
        const bool committed = around.disk->commits != commits;
        commits = around.disk->commits;
        if (where == crash_points::every_turn) {
            points.insert(turn);
        } else if (committed) {
            points.insert(turn - 1);
            points.insert(turn);
        }
    });
    report.commits = static_cast<std::size_t>(commits);
    for (const std::size_t point : points) {
        run(point, nullptr);
        ++report.crashes;
    }
    return report;
}

}  // namespace waybill::testing
