// SPDX-License-Identifier: BSL-1.0
#pragma once

// A job's situation in words: what failed and why, what it waits for and how long, what can be done.

#include <waybill/model/snapshot.hpp>

#include "response_text.hpp"
#include "text.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace cli {

/// What a waiting job waits for. By the reason's name, so that an unknown one is shown as it is.
inline std::string reason_in_words(std::string_view reason) {
    for (const auto& [name, words] :
         {std::pair("backoff", "a pause between two attempts"),
          std::pair("network", "its host, or the way to it, is out of order"),
          std::pair("credentials", "its credentials are rejected"), std::pair("server_busy", "its server is busy"),
          std::pair("server_error", "its server fails at it"), std::pair("source", "its file cannot be reached"),
          std::pair("locked", "its target is locked by another client")}) {
        if (reason == name) {
            return words;
        }
    }
    return std::string(reason);
}

/// What a status means for an upload, and what can be done about it; empty: the name is sufficient.
inline std::string status_in_words(int status) {
    switch (status) {
        case 401: return "it wants other credentials; give them with waybill run --credential";
        case 403: return "it does not allow this; check the credentials and their permissions";
        case 404:
        case 410: return "there is no such place; check the URL";
        case 405: return "it does not take uploads in this way; check the URL and --via";
        case 407: return "the proxy wants other credentials; check --proxy";
        case 409: return "something is in the way, or the folder above is missing";
        case 412: return "the target does not meet the condition of the job's If- header";
        case 413:
            return "it is too large for this server; have the limit raised, or upload in parts: --via tus, resumable, "
                   "s3";
        case 415: return "it does not take files of this type; check --content-type";
        case 423: return "another client has locked it";
        case 429: return "it has had too many requests";
        case 507: return "its storage is full; make room there";
        case 500:
        case 502:
        case 503:
        case 504: return "the server, or a proxy before it, has an internal error";
        default: return "";
    }
}

/// The error in one line: the thing, the cause, the remedy, and the messages of the transport and the server.
inline std::string error_in_words(const waybill::stored_error& error) {
    std::string text = error.message();
    const waybill::diagnostics& d = error.details;
    if (error.code.category() == waybill::http_category()) {
        const std::string meaning = status_in_words(error.code.value());
        text += meaning.empty() ? "" : ": " + meaning;
    }
    if (d.http_status == 0 && !d.transport_text.empty() && text.find(d.transport_text) == std::string::npos) {
        text += " (" + shortened(d.transport_text, longest_sentence) + ")";
    }
    const std::string said = sentence_of(d.excerpt);
    if (!said.empty() && text.find(said) == std::string::npos) {
        text += "; the server says: \"" + said + "\"";
    }
    return text;
}

/// When a waiting job is tried again.
inline std::string next_try(const waybill::job_snapshot& job, std::chrono::system_clock::time_point now) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(job.until_next_attempt(now));
    return left.count() <= 0 ? "due now" : "tried again in " + duration(left);
}

/// How long something is paused, and why.
inline std::string paused(const waybill::job_pause& pause, std::chrono::system_clock::time_point now) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(std::min<std::chrono::milliseconds>(
        std::chrono::ceil<std::chrono::milliseconds>(pause.until - now), pause.lasting));
    const bool for_a_time = pause.lasting > std::chrono::milliseconds(0);
    const std::string until = !for_a_time         ? "until it is resumed"
                              : left.count() <= 0 ? "until the next run"
                                                  : "for " + duration(left) + " more";
    return until + (pause.why.empty() ? "" : " (" + pause.why + ")");
}

/// A word that a person may copy into a shell.
inline std::string for_the_shell(const std::string& word) {
    std::string quoted = "'";
    for (const char c : word) {
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return quoted + "'";
}

/// A pause of all jobs, or of a lane.
inline std::string in_words(const waybill::hold& one,
                            std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) {
    if (one.which.is_all()) {
        return "all jobs are paused " + paused(one.pause, now) + "; to go on: waybill resume --all";
    }
    const std::string& lane = *one.which.lane_name();
    return "lane '" + lane + "' is paused " + paused(one.pause, now) + "; to go on: waybill resume --lane " +
           for_the_shell(lane);
}

inline std::string in_words(const waybill::closed_gate& closed) {
    using waybill::gate;
    switch (closed.which) {
        case gate::decision: return "its outcome is unknown: " + closed.detail;
        case gate::paused: return "it is paused" + (closed.detail.empty() ? "" : ": " + closed.detail);
        case gate::held: return "paused: " + closed.detail;
        case gate::queue: return closed.detail;
        case gate::waiting: return "it waits: " + closed.detail;
        case gate::host: return "its host is left alone for now: " + closed.detail;
        case gate::concurrency: return closed.detail + ", and no more may run at once";
        case gate::delivery: return "nothing is sent while no waybill run is running";
    }
    return "";
}

/// A job's situation beyond its status; empty when all is well.
inline std::string situation(const waybill::job_snapshot& job,
                             std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) {
    using waybill::status;
    const std::string error = job.error ? error_in_words(job.error) : "";
    const std::string id = job.id().str();
    switch (job.status) {
        case status::completed:
        case status::canceled: return "";
        case status::failed: {
            if (job.error.code == waybill::errc::record_damaged) {
                return error + "; to delete it: waybill remove " + id;
            }
            const bool said = error.find("retry the job") != std::string::npos;
            return error + (said ? "; that is: waybill retry " : "; to send it after all: waybill retry ") + id;
        }
        case status::unknown_outcome:
            return error + "; when you know: waybill resolve " + id + " completed, retry or canceled";
        case status::waiting:
            return reason_in_words(to_string(job.reason)) + "; " + next_try(job, now) + (error.empty() ? "" : ": ") +
                   error;
        case status::paused:
            return (job.pause ? paused(*job.pause, now) : "until it is resumed") + "; to go on: waybill resume " + id;
        default: return error.empty() ? "" : "last error: " + error;
    }
}

}  // namespace cli
