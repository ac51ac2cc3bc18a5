// SPDX-License-Identifier: BSL-1.0
//
// waybill: a durable upload queue for the command line.
//
//   waybill add --to https://example.com/photos/ a.jpg b.jpg     queue a job; prints its id
//   waybill run                                                  deliver what is queued
//
// `waybill --help` tells the rest.

#include <waybill/waybill.hpp>

#include "cli/json.hpp"
#include "cli/progress.hpp"

#include <CLI/CLI.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

enum exit_code : int { all_well = 0, not_all_well = 1, usage = 2, locked = 3, damaged = 4, broken = 5 };

struct settings {
    std::string store;
    std::string ca_file;
    std::string proxy;
    std::vector<std::string> credentials;  // ORIGIN=VARIABLE

    std::string to;
    std::string via = "put";
    std::string chunk_size;
    std::string digest;
    std::string parallel;
    std::string checksum;
    std::vector<std::string> protocol_settings;  // NAME=VALUE
    std::string lane;
    std::string id;
    std::string if_unknown = "park";
    std::vector<std::string> fields;
    std::vector<std::string> headers;
    std::vector<std::string> files;

    bool until_idle = false;
    std::string progress = "bar";
    bool json = false;
};

std::string default_store() {
    const char* const state = std::getenv("XDG_STATE_HOME");
    if (state != nullptr && *state == '/') {
        return std::string(state) + "/waybill/uploads.db";
    }
    const char* const home = std::getenv("HOME");
    return std::string(home != nullptr ? home : ".") + "/.local/state/waybill/uploads.db";
}

/// Splits at the first `mark`; without one the second part is empty.
std::pair<std::string, std::string> split(const std::string& text, std::string_view mark) {
    const auto at = text.find(mark);
    return at == std::string::npos ? std::pair(text, std::string())
                                   : std::pair(text.substr(0, at), text.substr(at + mark.size()));
}

// A secret stays in the environment: only the name of its variable is on the command line.
waybill::credentials_provider credentials(const settings& s) {
    std::map<std::string, std::string> variables;
    for (const std::string& one : s.credentials) {
        const auto at = one.rfind('=');
        variables[waybill::url(one.substr(0, at)).origin()] = one.substr(at + 1);
    }
    return [variables](const std::string& origin) {
        waybill::header_list headers;
        if (const auto found = variables.find(origin); found != variables.end()) {
            if (const char* const value = std::getenv(found->second.c_str())) {
                headers.push_back({"Authorization", value});
            }
        }
        return headers;
    };
}

waybill::options options_for(const settings& s) {
    waybill::options o;
    o.store.path = s.store;
    o.http.ca_file = s.ca_file;
    o.http.proxy = s.proxy;
    o.credentials = credentials(s);
    return o;
}

/// A protocol by its name, with settings as they are stored.
struct chosen_protocol {
    waybill::protocol_spec value;
    [[nodiscard]] waybill::protocol_spec spec() const { return value; }
};

chosen_protocol protocol_from(const settings& s) {
    chosen_protocol chosen{{s.via, {}}};
    for (const std::string& one : s.protocol_settings) {
        chosen.value.settings.push_back(split(one, "="));
    }
    const char* const size = s.via == "s3" ? "part-size" : "chunk-size";
    for (const auto& [name, value] : {std::pair(size, s.chunk_size), std::pair("digest", s.digest),
                                      std::pair("parallel", s.parallel), std::pair("checksum", s.checksum)}) {
        if (!value.empty()) {
            chosen.value.settings.emplace_back(name, value);
        }
    }
    return chosen;
}

waybill::job job_from(const settings& s) {
    waybill::job job(s.to);
    job.via(protocol_from(s));
    if (!s.id.empty()) {
        job.id(waybill::job_id(s.id));
    }
    job.lane(s.lane);
    job.if_unknown(s.if_unknown == "retry"            ? waybill::on_unknown::retry
                   : s.if_unknown == "retry-same-key" ? waybill::on_unknown::retry_same_key
                                                      : waybill::on_unknown::park);
    for (const std::string& field : s.fields) {
        auto [name, value] = split(field, "=");
        job.field(std::move(name), std::move(value));
    }
    for (const std::string& header : s.headers) {
        auto [name, value] = split(header, ":");
        value.erase(0, value.find_first_not_of(' '));
        job.header(std::move(name), std::move(value));
    }
    for (const std::string& file : s.files) {
        job.file(file.empty() ? file : std::filesystem::absolute(file).string());
    }
    return job;
}

asio::awaitable<int> add(waybill::uploader& up, const settings& s) {
    const waybill::job_id id = co_await up.async_enqueue(job_from(s));
    std::cout << id.str() << std::endl;
    co_return all_well;
}

int verdict(const waybill::snapshot& end) {
    const waybill::totals& t = end.overall();
    const bool well = t[waybill::status::failed].jobs == 0 && t[waybill::status::unknown_outcome].jobs == 0;
    return well ? all_well : not_all_well;
}

asio::awaitable<int> run(waybill::uploader& up, const settings& s) {
    std::unique_ptr<cli::progress> shown;
    if (s.progress == "bar") {
        shown = ::isatty(STDOUT_FILENO) != 0 ? std::unique_ptr<cli::progress>(std::make_unique<cli::bar_progress>())
                                             : std::make_unique<cli::plain_progress>();
    }
    waybill::feed feed = up.snapshots();
    std::shared_ptr<const waybill::snapshot> last = up.latest();
    while (auto next = co_await feed.async_next()) {
        last = next;
        if (shown) {
            shown->show(*next);
        } else if (s.progress == "json") {
            std::cout << cli::line(cli::to_json(*next)) << std::endl;
        }
        if (s.until_idle && next->idle()) {
            break;
        }
    }
    if (shown) {
        shown->finish();
    }
    co_return verdict(*last);
}

asio::awaitable<int> list(waybill::uploader& up, const settings& s) {
    std::optional<waybill::job_seq> after;
    constexpr std::size_t page = 256;
    for (;;) {
        const std::vector<waybill::job_snapshot> jobs = co_await up.async_list(after, page);
        for (const waybill::job_snapshot& job : jobs) {
            if (s.json) {
                std::cout << cli::line(cli::to_json_with_places(job)) << "\n";
            } else {
                std::cout << cli::fit(job.id().str(), 22) << cli::fit(to_string(job.now), 16)
                          << cli::fit(std::to_string(static_cast<int>(job.progress() * 100)) + " %", 7)
                          << cli::fit(cli::bytes(static_cast<double>(job.size())), 10) << cli::printable(job.about->url)
                          << (job.error ? "  " + cli::printable(job.error.message()) : "") << "\n";
            }
        }
        if (jobs.size() < page) {
            co_return all_well;
        }
        after = jobs.back().seq;
    }
}

int code_of(const std::error_code& ec) {
    if (ec == waybill::errc::store_locked) {
        return locked;
    }
    if (ec == waybill::errc::store_damaged || ec == waybill::errc::store_too_new) {
        return damaged;
    }
    return ec == waybill::cause::permanent && ec != waybill::cause::storage ? usage : broken;
}

/// Runs one command to its end, or until Ctrl-C, and closes the store.
int perform(const settings& s, const CLI::App& app) {
    asio::io_context context(1);
    waybill::uploader up(context.get_executor(), options_for(s));
    asio::signal_set signals(context, SIGINT, SIGTERM);
    int stopped_by = 0;
    int result = all_well;
    bool failed = false;
    const auto report = [&](std::error_code ec, const std::string& text) {
        std::cerr << "waybill: " << text << std::endl;
        result = code_of(ec);
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
    if (app.got_subcommand("run")) {
        asio::co_spawn(context, up.async_run(), [&](const std::exception_ptr& thrown) {
            if (thrown) {
                finish(thrown);
            }
        });
    }
    const waybill::job_id id(s.id);
    const auto then_well = [](asio::awaitable<void> work) -> asio::awaitable<int> {
        co_await std::move(work);
        co_return all_well;
    };
    asio::awaitable<int> work = app.got_subcommand("add")      ? add(up, s)
                                : app.got_subcommand("run")    ? run(up, s)
                                : app.got_subcommand("list")   ? list(up, s)
                                : app.got_subcommand("cancel") ? then_well(up.async_cancel(id))
                                : app.got_subcommand("retry")  ? then_well(up.async_retry(id))
                                                               : then_well(up.async_remove(id));
    asio::co_spawn(context, std::move(work), [&](const std::exception_ptr& thrown, int code) {
        result = failed ? result : code;  // what could not run has not gone well
        finish(thrown);
    });
    context.run();
    if (!std::cout.flush()) {
        std::cerr << "waybill: standard output cannot be written" << std::endl;
        return broken;  // whoever waits for the id must not believe to have heard it
    }
    const bool unfinished = stopped_by != 0 && !up.latest()->idle();
    return unfinished && result <= not_all_well ? 128 + stopped_by : result;
}

/// Refuses values that lack what is between their two parts: a forgotten one is no empty value.
CLI::Validator of_form(const std::string& form, char mark) {
    return {[form, mark](const std::string& text) {
                return text.find(mark) != std::string::npos ? "" : "'" + text + "' is not of the form " + form;
            },
            form, "form"};
}

// An empty id is most likely a shell variable that is not set.
std::string check_id(const std::string& id) {
    return id.empty() ? "empty; use 1 to 128 of the characters A-Z a-z 0-9 . _ : -" : "";
}

void describe(CLI::App& app, settings& s) {
    app.require_subcommand(1);
    app.set_version_flag("--version", "waybill " WAYBILL_VERSION_STRING);
    app.add_option("--store", s.store, "Where jobs are kept")->default_val(default_store());
    app.footer(
        "Exit codes: 0 all completed, 1 some job failed or is undecided, 2 usage or refused job,\n"
        "3 the store is in use, 4 the store is damaged, 5 other errors, 130 stopped with work left.");

    CLI::App* const add =
        app.add_subcommand("add", "Queue one job of one or more files; prints its id once it is safe");
    add->add_option("--to", s.to, "URL: for several PUTs ending in / or with {name}")->required();
    add->add_option("--via", s.via, "Protocol")
        ->check(CLI::IsMember({"put", "multipart", "tus", "resumable", "s3", "auto"}))
        ->capture_default_str();
    add->add_option("--chunk-size,--part-size", s.chunk_size,
                    "The most bytes of one request, for protocols that resume")
        ->check(CLI::Number);
    add->add_option("--digest", s.digest, "Digest to compute and compare, such as sha-256");
    add->add_option("--parallel", s.parallel, "Parts of one file sent at once, for protocols that can")
        ->check(CLI::Number);
    add->add_option("--checksum", s.checksum, "Checksum of each request, such as sha256, where the protocol has one");
    add->add_option("--set", s.protocol_settings, "Another setting of the protocol (repeatable)")
        ->check(of_form("name=value", '='))
        ->take_all()
        ->allow_extra_args(false);
    add->add_option("--lane", s.lane, "Jobs of one lane run one after the other");
    add->add_option("--field", s.fields, "Form field (repeatable)")
        ->check(of_form("name=value", '='))
        ->take_all()
        ->allow_extra_args(false);
    add->add_option("--header", s.headers, "Request header (repeatable)")
        ->check(of_form("Name: value", ':'))
        ->take_all()
        ->allow_extra_args(false);
    add->add_option("--id", s.id, "Your own job id: the same twice is accepted once")->check(check_id);
    add->add_option("--if-unknown", s.if_unknown, "When a POST's answer is lost")
        ->check(CLI::IsMember({"park", "retry-same-key", "retry"}))
        ->capture_default_str();
    add->add_option("FILE", s.files, "Files to send, in this order")->required();

    CLI::App* const run = app.add_subcommand("run", "Deliver queued jobs; Ctrl-C stops and keeps everything");
    run->add_flag("--until-idle", s.until_idle, "End when nothing is left to do");
    run->add_option("--progress", s.progress, "What to show")
        ->check(CLI::IsMember({"bar", "json", "none"}))
        ->capture_default_str();
    run->add_option("--ca", s.ca_file, "PEM file of certificate authorities to trust")->check(CLI::ExistingFile);
    run->add_option("--proxy", s.proxy, "Proxy URL; none without it");
    run->add_option("--credential", s.credentials, "Send the variable's value as Authorization to that origin")
        ->check(of_form("ORIGIN=VARIABLE", '='))
        ->take_all()
        ->allow_extra_args(false);

    CLI::App* const list = app.add_subcommand("list", "Show all jobs");
    list->add_flag("--json", s.json, "One JSON object a line");
    for (const auto& [name, text] : {std::pair("cancel", "Give a job up"), std::pair("retry", "Try a job again"),
                                     std::pair("remove", "Forget a finished job")}) {
        app.add_subcommand(name, text)->add_option("ID", s.id, "The job")->required();
    }
}

}  // namespace

int main(int argc, char** argv) {
    settings s;
    CLI::App app("A durable upload queue: what is added arrives, through crashes, restarts and bad networks.");
    try {
        describe(app, s);
        app.parse(argc, argv);
        return perform(s, app);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? all_well : usage;
    } catch (const std::system_error& e) {
        std::cerr << "waybill: " << e.what() << std::endl;
        return code_of(e.code());
    }
}
