// SPDX-License-Identifier: BSL-1.0
#pragma once

// The options of the subcommands that control known jobs.

#include "settings.hpp"
#include "validators.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <tuple>

namespace cli {

/// One job, those of a lane, or all.
inline void add_selection(CLI::App* to, settings& s) {
    CLI::Option_group* const which = to->add_option_group("Which");
    which->add_option("ID", s.id, "The job");
    which->add_option("--lane", s.of_lane, "All jobs of this lane, also those that are added later");
    which->add_flag("--all", s.all, "All jobs, also those that are added later");
    which->require_option(1);
}

inline void describe_pauses(CLI::App& app, settings& s) {
    CLI::App* const pause = app.add_subcommand("pause", "Let a job, a lane or everything rest until it is resumed");
    add_selection(pause, s);
    add_time(pause, "--for", s.pause_for, "It goes on by itself after that time");
    pause->add_option("--why", s.why, "For those who look: shown by list and show");
    pause->footer(
        "Nothing of it is sent any more. Jobs behind a paused one go on; it has its old place when it is resumed.\n"
        "Examples:\n  waybill pause trip-1\n  waybill pause trip-1 --for 1h --why 'until the meeting is over'\n"
        "  waybill pause --lane photos\n"
        "Exit codes: 0 done; 2 there is no such job, or its state does not allow it.");
    CLI::App* const resume = app.add_subcommand("resume", "Let a paused job, a lane or everything go on");
    add_selection(resume, s);
    resume->footer(
        "Jobs that were paused one by one are not resumed by --lane or --all.\n"
        "Examples:\n  waybill resume trip-1\n  waybill resume --all\n"
        "Exit codes: 0 done; 2 there is no such job, or its state does not allow it.");
}

inline void describe_limits(CLI::App& app, settings& s) {
    CLI::App* const limit = app.add_subcommand("limit", "Limit how fast everything is sent, or show the limits");
    limit->add_option(
        "RATE", s.rates,
        "512K, 1.5M, off, stop, or a timetable such as '08:00,512K 18:00,off'; default: remove the limit");
    CLI::Option* const host = limit->add_option("--host", s.of_host, "Only what is sent to this host");
    limit->add_option("--lane", s.of_lane, "Only the jobs of this lane")->excludes(host);
    limit->footer(
        "The limit is stored and holds for every run. A transfer obeys all limits that apply to it.\n"
        "Examples:\n  waybill limit 512K\n  waybill limit '08:00,1M 18:00,off' --host backup.example.com\n"
        "  waybill limit off\n  waybill limit\n"
        "Exit codes: 0 done; 2 the text is not a rate or a timetable.");
}

inline void describe_explain(CLI::App& app, settings& s) {
    CLI::App* const explain = app.add_subcommand("explain", "Say why a job is not running");
    explain->add_option("ID", s.id, "The job")->required();
    explain->add_flag("--json", s.json, "One JSON object a line");
    explain->footer("Example:\n  waybill explain trip-1\nExit codes: 0; 2 there is no such job.");
}

inline void describe_changes(CLI::App& app, settings& s) {
    for (const auto& [name, text, more] :
         {std::tuple("cancel", "Cancel a job", "It is no longer sent; waybill retry sends it after all."),
          std::tuple("retry", "Try a job again",
                     "A failed or canceled job restarts, with its files as they are now; "
                     "a waiting one is tried immediately."),
          std::tuple("remove", "Delete a finished job", "Only completed, failed and canceled jobs can be deleted.")}) {
        CLI::App* const change = app.add_subcommand(name, text);
        change->add_option("ID", s.id, "The job")->required();
        change->footer(std::string(more) + "\nExample:\n  waybill " + name +
                       " trip-1\nExit codes: 0 done; 2 there is no such job, or its status does not allow it.");
    }
    CLI::App* const resolve = app.add_subcommand(
        "resolve", "Decide about a job whose response was lost: the server has it, send it again, or cancel it");
    resolve->add_option("ID", s.id, "The job")->required();
    resolve->add_option("DECISION", s.decision, "completed, retry or canceled")
        ->check(CLI::IsMember({"completed", "retry", "canceled"}))
        ->required();
    resolve->footer(
        "Example:\n  waybill resolve trip-1 completed\n"
        "Exit codes: 0 done; 2 there is no such job, or its outcome is known.");
}

}  // namespace cli
