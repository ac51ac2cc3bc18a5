// SPDX-License-Identifier: BSL-1.0
//
// waybill: a durable upload queue for the command line.
//
//   waybill add --to https://example.com/photos/ a.jpg b.jpg     queue a job; prints its id
//   waybill run                                                  deliver what is queued
//
// `waybill --help` shows the rest.

#include <waybill/waybill.hpp>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/job.hpp"
#include "cli/run.hpp"
#include "cli/settings.hpp"
#include "cli/text.hpp"

#include <CLI/CLI.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <csignal>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

void complain(const std::string& text) {
    std::cerr << "waybill: " << cli::printable(text) << std::endl;
}

/// Prints the result of parsing the command line: help, or what is wrong.
int exit_with(const CLI::App& app, const CLI::ParseError& e) {
    if (const std::vector<std::string> rest = app.remaining(); app.get_subcommands().empty() && !rest.empty()) {
        complain("'" + rest[0] + "' is no command; waybill --help lists them");
        return cli::usage;
    }
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(e, out, err);
    std::cout << cli::printable_lines(out.str());
    std::cerr << cli::printable_lines(err.str());
    return code == 0 ? cli::all_well : cli::usage;
}

/// Runs one command to its end, or until Ctrl-C, and closes the store.
int perform(const cli::settings& s, const CLI::App& app) {
    asio::io_context context(1);
    waybill::uploader up(context.get_executor(), cli::options_for(s));
    asio::signal_set signals(context, SIGINT, SIGTERM);
    // libcurl is configured not to touch signals; a TLS peer that disconnects, or a closed pipe, must not end the
    // program.
    std::signal(SIGPIPE, SIG_IGN);
    int stopped_by = 0;
    int result = cli::all_well;
    bool failed = false;
    const auto report = [&](std::error_code ec, const std::string& text) {
        const bool interrupted = stopped_by != 0 && ec == waybill::errc::stopped;
        complain(interrupted ? cli::interrupted(app) : text + cli::hint(ec, text));
        result = interrupted ? 128 + stopped_by : cli::code_of(ec);
        failed = true;
    };
    const auto finish = [&](const std::exception_ptr& thrown) {
        try {
            if (thrown) {
                std::rethrow_exception(thrown);
            }
        } catch (const std::system_error& e) {
            report(e.code(), e.what());
        }
        up.async_stop([&](std::error_code) { signals.cancel(); });
    };
    signals.async_wait([&](std::error_code ec, int number) {
        if (!ec) {
            stopped_by = number;
            up.async_stop([](std::error_code) {});
        }
    });
    const waybill::job_id id(s.id);
    const auto then_well = [](asio::awaitable<void> work) -> asio::awaitable<int> {
        co_await std::move(work);
        co_return cli::all_well;
    };
    asio::awaitable<int> work = app.got_subcommand("add")      ? cli::add(up, s)
                                : app.got_subcommand("run")    ? cli::run(up, s)
                                : app.got_subcommand("list")   ? cli::list(up, s)
                                : app.got_subcommand("show")   ? cli::show(up, s)
                                : app.got_subcommand("cancel") ? then_well(up.async_cancel(id))
                                : app.got_subcommand("retry")  ? then_well(up.async_retry(id))
                                : app.got_subcommand("remove") ? then_well(up.async_remove(id))
                                : app.got_subcommand("pause")  ? cli::pause(up, s)
                                : app.got_subcommand("resume") ? cli::resume(up, s)
                                : app.got_subcommand("limit")  ? cli::limit(up, s)
                                : app.got_subcommand("explain")
                                    ? cli::explain(up, s)
                                    : then_well(up.async_resolve(id, cli::decision_from(s)));
    asio::co_spawn(context, std::move(work), [&](const std::exception_ptr& thrown, int code) {
        result = failed ? result : code;  // a command that could not run has failed
        finish(thrown);
    });
    context.run();
    if (!std::cout.flush()) {
        complain("standard output cannot be written");
        return cli::broken;  // the reader must not assume that it got the id
    }
    const bool unfinished = stopped_by != 0 && app.got_subcommand("run") && !up.latest()->idle();
    return unfinished && (result <= cli::not_all_well || result == cli::some_are_left) ? 128 + stopped_by : result;
}

}  // namespace

int main(int argc, char** argv) {
    cli::know_characters();
    cli::settings s;
    CLI::App app("A durable upload queue: added jobs are delivered despite crashes, restarts and bad networks.");
    try {
        cli::describe(app, s);
        app.parse(argc, argv);
        return perform(s, app);
    } catch (const CLI::ParseError& e) {
        return exit_with(app, e);
    } catch (const std::system_error& e) {
        complain(e.what());
        return cli::code_of(e.code());
    } catch (const std::exception& e) {
        complain(e.what());
        return cli::broken;
    }
}
