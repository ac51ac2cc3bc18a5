// SPDX-License-Identifier: BSL-1.0
#pragma once

// The options of the command line.

#include <waybill/version.hpp>

#include "text.hpp"
#include "units.hpp"
#include "validators.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <pwd.h>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <unistd.h>

namespace cli {

struct settings {
    std::string store;

    std::string to;
    std::string via = "put";
    std::string method;
    std::string chunk_size;
    std::string digest;
    std::string parallel;
    std::string checksum;
    std::vector<std::string> protocol_settings;  // NAME=VALUE
    std::string lane;
    bool strict = false;
    std::string id;
    std::string if_unknown = "park";
    std::vector<std::string> fields;
    std::vector<std::string> headers;
    std::string file_field;
    std::string content_type;
    std::vector<std::string> names;
    std::string if_file_fails = "stop";
    bool append_only = false;
    std::string fingerprint;
    std::vector<std::string> files;

    std::string decision;

    bool until_idle = false;
    std::optional<std::chrono::milliseconds> run_for;
    std::string progress = "bar";
    std::string ca_file;
    std::string cert_file;
    std::string key_file;
    std::string proxy;
    std::string proxy_password;            // the name of a variable
    std::vector<std::string> credentials;  // ORIGIN=VARIABLE
    std::optional<std::size_t> max_concurrent_jobs;
    std::optional<std::chrono::milliseconds> pause_for;
    std::string why;
    bool all = false;
    std::optional<std::string> of_lane;
    std::string rates;
    std::optional<std::string> of_host;
    std::optional<int> attempts;
    std::optional<std::chrono::milliseconds> max_age;
    std::optional<std::chrono::milliseconds> connect_timeout;
    std::optional<std::chrono::milliseconds> stall_timeout;
    std::optional<std::chrono::milliseconds> answer_timeout;

    bool json = false;
};

inline std::string default_store() {
    const char* const state = std::getenv("XDG_STATE_HOME");
    if (state != nullptr && *state == '/') {
        return std::string(state) + "/waybill/uploads.db";
    }
    const char* const home = std::getenv("HOME");
    std::string where = home != nullptr ? home : "";
    if (where.empty()) {  // as for a service: the same place whatever the current directory
        const passwd* const me = ::getpwuid(::geteuid());
        where = me != nullptr ? me->pw_dir : "/";
    }
    return where + "/.local/state/waybill/uploads.db";
}

inline void describe_add(CLI::App& app, settings& s) {
    CLI::App* const add =
        app.add_subcommand("add", "Queue one job of one or more files; prints its id once it is safe");
    add->add_option("--to", s.to, "Target URL. With several files by put or s3, it must end in / or contain {name}")
        ->required();
    add->add_option("--via", s.via, "Protocol")
        ->check(CLI::IsMember({"put", "multipart", "tus", "resumable", "s3", "auto"}))
        ->capture_default_str();
    add->add_option("--method", s.method, "POST or PATCH instead of PUT, with --via put");
    add->add_option("--chunk-size,--part-size", s.chunk_size, "Maximum bytes of one request, for protocols that resume")
        ->transform(size());
    add->add_option("--digest", s.digest, "Digest to compute and compare, such as sha-256");
    add->add_option("--parallel", s.parallel, "Parts of one file sent concurrently, for protocols that can")
        ->check(whole_number());
    add->add_option("--checksum", s.checksum, "Checksum of each request, such as sha256, where the protocol has one");
    repeatable(add->add_option("--set", s.protocol_settings, "Another setting of the protocol (repeatable)")
                   ->check(of_form("name=value", '='))
                   ->check(CLI::Validator([](const std::string& text) { return has_its_own_option(text, '='); }, "")));
    add->add_option("--lane", s.lane, "Jobs of one lane run one after the other, those to one host in their order");
    add->add_flag("--strict", s.strict, "In its lane, also wait for such jobs before it that go to other hosts")
        ->disable_flag_override();
    repeatable(add->add_option("--field", s.fields, "Form field (repeatable)")->check(of_form("name=value", '=')));
    add->add_option("--file-field", s.file_field,
                    "The files' form field; PHP and Rails keep several files only with a name in [], such as photos[]");
    repeatable(add->add_option("--header", s.headers, "Request header (repeatable)")
                   ->check(of_form("Name: value", ':'))
                   ->check(CLI::Validator([](const std::string& text) { return has_its_own_option(text, ':'); }, "")));
    add->add_option("--content-type", s.content_type, "The files' media type; without it, by their extensions")
        ->check(of_form("type/subtype", '/'));
    repeatable(add->add_option("--name", s.names,
                               "Name of a file at the server, instead of its own; given once "
                               "for each FILE, in their order"));
    add->add_option("--id", s.id, "Your own job id: the same twice is accepted once")->check(check_id);
    add->add_option("--if-unknown", s.if_unknown, "When the response to a POST is lost")
        ->check(CLI::IsMember({"park", "retry-same-key", "retry"}))
        ->capture_default_str();
    add->add_option("--if-file-fails", s.if_file_fails,
                    "When one of several files is missing or rejected: send the others, or not; not for forms")
        ->check(CLI::IsMember({"stop", "go-on"}))
        ->capture_default_str();
    add->add_flag("--append-only", s.append_only, "The files are logs: send what they hold now, though they may grow")
        ->disable_flag_override();
    add->add_option("--fingerprint", s.fingerprint,
                    "How much of each file is read now, to recognise it by later; sampled without it")
        ->check(CLI::IsMember({"none", "sampled", "whole"}));
    add->add_option("FILE", s.files, "Files to send, in this order")->required();
    add->callback([&s] {
        if (!s.names.empty() && s.names.size() != s.files.size()) {
            throw CLI::ValidationError("--name", count(s.names.size(), "name") + " for " +
                                                     count(s.files.size(), "file") +
                                                     "; give it once for each FILE, in their order");
        }
        if (std::find(s.names.begin(), s.names.end(), "") != s.names.end()) {
            throw CLI::ValidationError("--name", "empty; omit it to send a file under its own name");
        }
        if (!s.fields.empty() && s.via == "put") {
            throw CLI::ValidationError("--field", "a PUT has no form fields; --via multipart or resumable has");
        }
        if (!s.file_field.empty() && s.via != "multipart" && s.via != "resumable" && s.via != "auto") {
            throw CLI::ValidationError("--file-field", s.via + " sends no form; --via multipart or resumable does");
        }
        if (!s.method.empty() && s.via != "put" && s.via != "resumable") {
            throw CLI::ValidationError("--method", s.via + " has its own method; omit it");
        }
    });
    add->footer(
        "Examples:\n"
        "  waybill add --to https://example.com/photos/ a.jpg b.jpg\n"
        "  waybill add --to https://example.com/posts --via multipart --field title=Trip \\\n"
        "      --file-field 'photos[]' a.jpg b.jpg\n"
        "  waybill add --to https://s3.example.com/bucket/video.mov --via s3 --part-size 16M video.mov\n"
        "Exit codes: 0 the job is safe; 2 it was rejected; 3, 4, 5 the store, see waybill --help.");
}

inline void describe_run(CLI::App& app, settings& s) {
    CLI::App* const run = app.add_subcommand("run", "Deliver queued jobs; Ctrl-C stops and keeps everything");
    run->add_flag("--until-idle", s.until_idle, "End when there is nothing to do; with --for, at the latest then")
        ->disable_flag_override();
    add_time(run, "--for", s.run_for, "End after that time, even with unfinished jobs; the next run continues");
    run->add_option("--progress", s.progress, "What to show")
        ->check(CLI::IsMember({"bar", "json", "none"}))
        ->capture_default_str();
    run->add_option("--ca", s.ca_file, "PEM file of certificate authorities to trust")->check(CLI::ExistingFile);
    CLI::Option* const cert =
        run->add_option("--cert", s.cert_file, "PEM file of the client certificate")->check(CLI::ExistingFile);
    run->add_option("--key", s.key_file, "PEM file of its key, without a passphrase; without it --cert holds both")
        ->check(CLI::ExistingFile)
        ->needs(cert);
    CLI::Option* const proxy = run->add_option("--proxy", s.proxy, "Proxy URL, http://user@host:port; none without it");
    run->add_option("--proxy-password", s.proxy_password, "The variable that holds the password of the proxy's user")
        ->type_name("VARIABLE")
        ->check(CLI::Validator(is_set, ""))
        ->needs(proxy);
    repeatable(
        run->add_option("--credential", s.credentials, "Send the variable's value as Authorization to that origin")
            ->check(of_form("ORIGIN=VARIABLE", '='))
            ->check(CLI::Validator(is_set, "")));
    add_number(run, "--jobs", s.max_concurrent_jobs,
               "Maximum number of concurrent jobs, of different lanes; default 4");
    add_number(run, "--attempts", s.attempts, "Failed attempts without progress before a job fails; default 12");
    add_time(run, "--max-age", s.max_age, "How long a job is tried before it fails; default 7d");
    add_time(run, "--connect-timeout", s.connect_timeout, "Until a connection is established; default 30s");
    add_time(run, "--stall-timeout", s.stall_timeout, "While sending, without one byte being sent; default 60s");
    add_time(run, "--answer-timeout", s.answer_timeout, "From the last byte to the end of the response; default 5m");
    run->footer(
        "Examples:\n"
        "  waybill run                                      until Ctrl-C\n"
        "  waybill run --until-idle --for 10m --progress none      for cron and scripts\n"
        "  TOKEN='Bearer …' waybill run --credential https://example.com=TOKEN\n"
        "Exit codes: 0 all has arrived; 1 a job failed in this run, or its outcome is unknown;\n"
        "  6 nothing failed, but some jobs are unfinished; 130, 143 stopped by a signal with unfinished jobs;\n"
        "  3, 4, 5 the store, see waybill --help.");
}

inline void describe_looks(CLI::App& app, settings& s) {
    CLI::App* const list = app.add_subcommand("list", "Show all jobs, and why they wait or failed");
    list->add_flag("--json", s.json, "One JSON object a line");
    list->footer(
        "Examples:\n  waybill list\n  waybill list --json | jq -r 'select(.state == \"failed\") | .id'\n"
        "Exit codes: 0, whatever the jobs' states are; 3, 4, 5 the store, see waybill --help.");
    CLI::App* const show = app.add_subcommand("show", "Show one job with everything that is known about it");
    show->add_option("ID", s.id, "The job")->required();
    show->add_flag("--json", s.json, "As one JSON object");
    show->footer("Example:\n  waybill show trip-1\nExit codes: 0; 2 there is no such job.");
}

}  // namespace cli
