// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/record.hpp>
#include <waybill/model/snapshot.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace waybill::detail {

/// What a snapshot shows of a job that is not running: exactly what is committed.
[[nodiscard]] inline job_snapshot picture_of(const loaded_job& whole) {
    auto about = std::make_shared<job_snapshot::fixed>();
    const job_spec& spec = whole.job.spec;
    about->id = spec.id;
    about->lane = spec.lane;
    about->protocol = spec.protocol.name;
    about->size = spec.size;
    about->accepted = spec.accepted;
    const auto query = spec.url.find('?');
    about->url = query == std::string::npos ? spec.url : spec.url.substr(0, query) + "?…";

    job_snapshot shown;
    shown.seq = whole.job.seq;
    about->items.reserve(whole.items.size());
    shown.progress_of_items.reserve(whole.items.size());
    for (const item_record& item : whole.items) {
        about->items.push_back({item.spec.name, item.spec.path, item.spec.size});
        const std::uint64_t confirmed =
            item.state.now == item_status::completed ? item.spec.size : item.state.confirmed;
        shown.progress_of_items.push_back({item.state.now, confirmed, confirmed, 0});
        shown.confirmed += confirmed;
    }
    shown.about = std::move(about);
    shown.sent = shown.confirmed;

    const job_state& state = whole.job.state;
    shown.now = whole.damaged ? status::failed : state.now;
    shown.reason = state.reason;
    shown.spoken = state.spoken;
    shown.epoch = state.epoch;
    shown.attempt = state.attempt;
    shown.not_before = state.not_before;
    shown.finished = state.finished;
    shown.error = state.error;
    if (whole.damaged) {
        shown.error = {errc::record_damaged, {}, checkpoint::whole_job};  // not what the damaged record says
    }
    if (shown.error && shown.error.item < shown.progress_of_items.size() && shown.now == status::failed) {
        shown.progress_of_items[shown.error.item].now = item_status::failed;
    }
    return shown;
}

}  // namespace waybill::detail
