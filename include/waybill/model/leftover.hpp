// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/record.hpp>

#include <algorithm>
#include <cstdint>

namespace waybill {

/// An abandoned upload's remains at a server. Kept until it is cleaned up, or the server can be expected to have
/// deleted it.
struct leftover {
    std::int64_t id = 0;  ///< the store's
    job_spec job;         ///< id, URL without its query, protocol and headers of the job it belonged to
    checkpoint reached;   ///< what to clean up
    int attempts = 0;
    unix_millis since{};
    unix_millis not_before{};
};

/// What is needed to clean up an abandoned upload.
[[nodiscard]] inline leftover leftover_of(const job_record& job, const checkpoint& reached, unix_millis now) {
    leftover what;
    what.job = job.spec;
    what.job.protocol = job.effective_protocol();
    // It may be kept for days after its job: keep only what cleaning up needs, and no signature.
    what.job.url.erase(std::min(what.job.url.find('?'), what.job.url.size()));
    what.job.fields.clear();
    what.job.lane.clear();
    what.job.verifier.clear();
    what.reached = reached;
    what.since = now;
    return what;
}

}  // namespace waybill
