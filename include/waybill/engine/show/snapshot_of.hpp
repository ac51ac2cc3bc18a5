// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/record.hpp>
#include <waybill/model/snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace waybill::detail {

/// The server's state of checkpoints and items: exactly what is committed.
class server_side_builder {
public:
    explicit server_side_builder(job_snapshot& shown) : shown_(shown) {}

    void show_resource(std::size_t item, const std::string& resource) {
        if (item == checkpoint::whole_job) {
            shown_.resource = resource;
        } else if (item < shown_.progress_of_items.size()) {
            change(item, [&](job_snapshot::server_side& s) { s.resource = resource; });
        }
    }
    void show_receipt(std::size_t item, const std::string& receipt) {
        change(item, [&](job_snapshot::server_side& s) { s.receipt = receipt; });
    }
    void drop_resources() {
        shown_.resource.clear();
        for (std::size_t i = 0; i < shown_.progress_of_items.size(); ++i) {
            change(i, [](job_snapshot::server_side& s) { s.resource.clear(); });
        }
    }

private:
    template <class Change>
    void change(std::size_t item, Change&& how) {
        std::shared_ptr<const job_snapshot::server_side>& there = shown_.progress_of_items[item].there;
        job_snapshot::server_side next = there ? *there : job_snapshot::server_side();
        how(next);
        const bool nothing = next.resource.empty() && next.receipt.empty();
        there = nothing ? nullptr : std::make_shared<const job_snapshot::server_side>(std::move(next));
    }

    job_snapshot& shown_;
};

inline void show_pause(job_snapshot& shown, const job_state& state) {
    const bool paused = shown.status == status::paused;
    shown.pause = paused ? std::make_shared<const job_pause>(state.pause) : nullptr;
}

/// What never changes while the job lives in one epoch.
[[nodiscard]] inline std::shared_ptr<const job_snapshot::fixed> fixed_part_of(const loaded_job& whole) {
    auto about = std::make_shared<job_snapshot::fixed>();
    const job_spec& spec = whole.job.spec;
    about->id = spec.id;
    about->lane = spec.lane;
    about->protocol = spec.protocol.name;
    about->size = spec.size;
    about->accepted = spec.accepted;
    const auto query = spec.url.find('?');
    about->url = query == std::string::npos ? spec.url : spec.url.substr(0, query) + "?…";
    about->items.reserve(whole.items.size());
    for (const item_record& item : whole.items) {
        about->items.push_back({item.spec.name, item.spec.path, item.spec.size});
    }
    return about;
}

/// The snapshot of a job that is not running: exactly what is committed.
[[nodiscard]] inline job_snapshot snapshot_of(const loaded_job& whole) {
    job_snapshot shown;
    shown.seq = whole.job.seq;
    shown.about = fixed_part_of(whole);
    shown.progress_of_items.reserve(whole.items.size());
    for (const item_record& item : whole.items) {
        const std::uint64_t confirmed =
            item.state.status == item_status::completed ? item.spec.size : item.state.confirmed;
        shown.progress_of_items.push_back({item.state.status, confirmed, confirmed, 0});
        shown.confirmed += confirmed;
    }
    server_side_builder there(shown);
    for (std::size_t i = 0; i < whole.items.size(); ++i) {
        there.show_receipt(i, whole.items[i].state.receipt);
    }
    for (const checkpoint& c : whole.checkpoints) {
        there.show_resource(c.item, c.resource);
    }
    shown.sent = shown.confirmed;

    const job_state& state = whole.job.state;
    shown.status = whole.damaged ? status::failed : state.status;
    shown.reason = state.reason;
    show_pause(shown, state);
    shown.negotiated_protocol = state.negotiated_protocol;
    shown.epoch = state.epoch;
    shown.attempt = state.attempt;
    shown.not_before = state.not_before;
    shown.wait = state.wait;
    shown.finished = state.finished;
    shown.error = state.error;
    if (whole.damaged) {
        shown.error = {errc::record_damaged, {}, checkpoint::whole_job};  // not the status of the damaged record
    }
    if (shown.error && shown.error.item < shown.progress_of_items.size() && shown.status == status::failed) {
        shown.progress_of_items[shown.error.item].status = item_status::failed;
    }
    return shown;
}

}  // namespace waybill::detail
