// SPDX-License-Identifier: BSL-1.0
#pragma once

// Snapshots as JSON, one object for each.

#include <waybill/model/snapshot.hpp>

#include "response_text.hpp"
#include "words.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace cli {

inline nlohmann::ordered_json to_json(const waybill::job_snapshot& job) {
    nlohmann::ordered_json out;
    out["id"] = job.id().str();
    out["state"] = to_string(job.status);
    out["progress"] = job.progress();
    out["sent"] = job.sent;
    out["confirmed"] = job.confirmed;
    out["size"] = job.size();
    out["attempt"] = job.attempt;
    out["error"] = job.error ? nlohmann::ordered_json(job.error.message()) : nlohmann::ordered_json();
    if (job.error.details.http_status != 0) {
        out["http_status"] = job.error.details.http_status;
    }
    if (!job.error.details.transport_text.empty()) {
        out["transport_text"] = job.error.details.transport_text;
    }
    if (std::string said = sentence_of(job.error.details.excerpt); !said.empty()) {
        out["server_says"] = std::move(said);
    }
    if (std::string words = situation(job); !words.empty()) {
        out["message"] = std::move(words);
    }
    out["lane"] = job.about->lane;
    out["url"] = job.about->url;
    out["via"] = job.about->protocol;
    if (!job.negotiated_protocol.empty()) {
        out["negotiated_protocol"] = job.negotiated_protocol;
    }
    if (job.status == waybill::status::waiting) {
        out["waiting_for"] = to_string(job.reason);
        const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
        out["not_before_ms"] = std::min(job.not_before, now + job.until_next_attempt(now)).time_since_epoch().count();
    }
    if (job.pause) {
        out["paused_because"] = job.pause->why;
        if (job.pause->lasting > std::chrono::milliseconds(0)) {
            out["paused_until_ms"] = job.pause->until.time_since_epoch().count();
        }
    }
    if (job.speed > 0) {
        out["speed"] = job.speed;
    }
    if (const auto left = job.time_left()) {
        out["time_left_s"] = left->count();
    }
    auto& items = out["items"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < job.item_count(); ++i) {
        const waybill::item_snapshot item = job.item(i);
        nlohmann::ordered_json one;
        one["path"] = item.path.empty() ? item.name : item.path;
        one["state"] = to_string(item.status);
        one["sent"] = item.sent;
        one["size"] = item.size;
        items.push_back(std::move(one));
    }
    return out;
}

/// Includes where its uploads are and the server's receipts. Anyone who has an upload's URL can continue it, so this is
/// for `list`, not for a log of progress.
inline nlohmann::ordered_json to_json_with_places(const waybill::job_snapshot& job) {
    nlohmann::ordered_json out = to_json(job);
    if (!job.resource.empty()) {
        out["resource"] = job.resource;
    }
    for (std::size_t i = 0; i < job.item_count(); ++i) {
        const waybill::item_snapshot item = job.item(i);
        if (!item.resource.empty()) {
            out["items"][i]["resource"] = item.resource;
        }
        if (!item.receipt.empty()) {
            out["items"][i]["receipt"] = item.receipt;
        }
    }
    return out;
}

inline nlohmann::ordered_json to_json(const waybill::snapshot& all) {
    nlohmann::ordered_json out;
    out["version"] = all.version();
    out["total"] = all.overall().jobs();
    out["started"] = all.overall().started();
    out["sent"] = all.sent();
    out["size"] = all.size();
    auto& jobs = out["jobs"] = nlohmann::ordered_json::array();
    for (const auto& job : all.jobs()) {
        jobs.push_back(to_json(*job));
    }
    return out;
}

/// On one line and in ASCII: no control character and no text direction reaches a terminal. Bytes of a name that are
/// not UTF-8 become U+FFFD.
inline std::string line(const nlohmann::ordered_json& value) {
    return value.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace cli
