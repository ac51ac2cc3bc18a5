// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/engine_options.hpp>
#include <waybill/model/record.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>
#include <waybill/transport/url.hpp>

#include <chrono>
#include <string>
#include <utility>

// What every request of a job gets, whoever sends it. Pure functions.
namespace waybill::detail {

inline void replace_header(header_list& headers, header_field with) {
    std::erase_if(headers, [&with](const header_field& h) { return same_header(h.name, with.name); });
    headers.push_back(std::move(with));
}

/// Adds the watchdogs, and to what the protocol has not signed the job's headers and the credentials
/// of its origin.
inline void prepare(request& what, const job_spec& job, const engine_options& options) {
    what.limits = options.limits;
    // A server may need minutes for every gigabyte: to scan, to move, to assemble.
    what.limits.answer += std::chrono::milliseconds(what.body_size() / 6000);
    if (what.sealed) {
        return;
    }
    for (const auto& [name, value] : job.headers) {
        replace_header(what.headers, header_field{name, value});
    }
    if (!options.credentials) {
        return;
    }
    // Credentials belong to one origin, and nothing of a job may replace them.
    const std::string origin = url(what.url).origin();
    if (url(job.url).origin() == origin) {
        for (header_field& h : options.credentials(origin)) {
            replace_header(what.headers, std::move(h));
        }
    }
}

/// Points the request to where a 307 or 308 sends it; these keep method and body (RFC 9110 section
/// 15.4). Only within the origin: bytes and credentials go to no host that was not asked for.
[[nodiscard]] inline bool redirected(request& what, const response& answer, int redirects) {
    constexpr int most_redirects = 5;
    const auto location = answer.header("Location");
    const bool asked = answer.status == 307 || answer.status == 308;
    if (!asked || !location || what.sealed || redirects >= most_redirects) {
        return false;
    }
    try {
        const url from(what.url);
        const url to = from.resolve(std::string(*location));
        if (to.origin() != from.origin()) {
            return false;
        }
        what.url = to.str();
        return true;
    } catch (const error&) {
        return false;
    }
}

}  // namespace waybill::detail
