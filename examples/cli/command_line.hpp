// SPDX-License-Identifier: BSL-1.0
#pragma once

// The command line: all subcommands and their options.

#include <waybill/version.hpp>

#include "control_options.hpp"
#include "settings.hpp"

#include <CLI/CLI.hpp>

namespace cli {

inline void describe(CLI::App& app, settings& s) {
    app.name("waybill");
    app.require_subcommand(1);
    app.fallthrough();  // --store may follow the subcommand
    app.set_version_flag("--version", "waybill " WAYBILL_VERSION_STRING);
    app.add_option("--store", s.store, "Where jobs are kept")->default_val(default_store());
    app.footer(
        "Sizes are written as 8388608, 512k, 8M, 8MiB (of 1024) or 8MB (of 1000), times as 90s, 10m, 1h30m,\n"
        "7d or 500ms.\n"
        "Exit codes: 0 all well, 1 a job failed or is undecided, 2 usage or rejected job, 3 the store is in\n"
        "use, 4 the store is damaged, 5 other errors, 6 jobs are unfinished, 130 interrupted.\n"
        "waybill COMMAND --help has examples.");
    describe_add(app, s);
    describe_run(app, s);
    describe_looks(app, s);
    describe_explain(app, s);
    describe_changes(app, s);
    describe_pauses(app, s);
    describe_limits(app, s);
}

}  // namespace cli
