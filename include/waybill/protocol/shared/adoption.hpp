// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/http/url.hpp>
#include <waybill/model/job.hpp>

#include <string>

namespace waybill::detail {

/// Rejects, before acceptance, a job that cannot continue the existing upload at `upload_url`: an upload belongs to one
/// item, and its bytes go only to the job's host.
inline void check_adoption(const waybill::job& job, const std::string& upload_url) {
    if (upload_url.empty()) {
        return;
    }
    if (job.items().size() != 1) {
        throw error(errc::invalid_setting, "upload-url: for jobs of one item");
    }
    const url there(upload_url);
    if (there.origin() != url(job.url()).origin()) {
        throw error(errc::invalid_setting,
                    "upload-url: " + there.redacted() + " is not at the origin of the job's URL");
    }
}

}  // namespace waybill::detail
