// SPDX-License-Identifier: BSL-1.0
#pragma once

// What can be said on the command line.

#include <waybill/version.hpp>

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace cli {

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

    std::string decision;

    bool until_idle = false;
    std::string progress = "bar";
    bool json = false;
};

inline std::string default_store() {
    const char* const state = std::getenv("XDG_STATE_HOME");
    if (state != nullptr && *state == '/') {
        return std::string(state) + "/waybill/uploads.db";
    }
    const char* const home = std::getenv("HOME");
    return std::string(home != nullptr ? home : ".") + "/.local/state/waybill/uploads.db";
}

/// Refuses values that lack what is between their two parts: a forgotten one is no empty value.
inline CLI::Validator of_form(const std::string& form, char mark) {
    return {[form, mark](const std::string& text) {
                return text.find(mark) != std::string::npos ? "" : "'" + text + "' is not of the form " + form;
            },
            form, "form"};
}

// An empty id is most likely a shell variable that is not set.
inline std::string check_id(const std::string& id) {
    return id.empty() ? "empty; use 1 to 128 of the characters A-Z a-z 0-9 . _ : -" : "";
}

inline void describe(CLI::App& app, settings& s) {
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
    CLI::App* const resolve = app.add_subcommand(
        "resolve", "Decide about a job whose answer was lost: the server has it, send it again, or give it up");
    resolve->add_option("ID", s.id, "The job")->required();
    resolve->add_option("DECISION", s.decision, "completed, retry or canceled")
        ->check(CLI::IsMember({"completed", "retry", "canceled"}))
        ->required();
}

}  // namespace cli
