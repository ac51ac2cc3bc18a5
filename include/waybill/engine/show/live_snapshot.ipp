// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/show/live_snapshot.hpp>
#include <waybill/engine/show/snapshot_of.hpp>

#include <algorithm>
#include <utility>

namespace waybill::detail {

WAYBILL_DECL live_snapshot::live_snapshot(const loaded_job& whole, waybill::clock& clock)
    : whole_(whole), clock_(clock), shown_(snapshot_of(whole)), item_meters_(whole.items.size()) {}

WAYBILL_DECL live_snapshot::transfer::transfer(live_snapshot& shown, std::vector<body_span> body)
    : spans(std::move(body)), all_(shown.transfers_), place_(all_.insert(all_.end(), this)) {}

WAYBILL_DECL void live_snapshot::show(const job_change& change) {
    shown_.status = change.to.status;
    shown_.reason = change.to.reason;
    shown_.attempt = change.to.attempt;
    shown_.negotiated_protocol = change.to.negotiated_protocol;
    shown_.not_before = change.to.not_before;
    shown_.wait = change.to.wait;
    shown_.finished = change.to.finished;
    shown_.error = change.to.error;
    for (const auto& [index, state] : change.items) {
        job_snapshot::item_progress& p = shown_.progress_of_items[index];
        p.status = state.status;
        p.confirmed = state.confirmed;
    }
    show_server_side(change);
    if (change.to.status == status::failed && change.to.error.item < shown_.progress_of_items.size()) {
        shown_.progress_of_items[change.to.error.item].status = item_status::failed;
    }
}

WAYBILL_DECL void live_snapshot::show_server_side(const job_change& change) {
    server_side_builder there(shown_);
    if (change.drop_checkpoints) {
        there.drop_resources();
    }
    for (const std::size_t item : change.dropped) {
        there.show_resource(item, "");
    }
    for (const checkpoint& c : change.checkpoints) {
        there.show_resource(c.item, c.resource);
    }
    for (const auto& [index, state] : change.items) {
        there.show_receipt(index, state.receipt);
    }
}

WAYBILL_DECL const job_snapshot& live_snapshot::observe() {
    shown_.sent = 0;
    shown_.confirmed = 0;
    std::vector<std::uint64_t> before(whole_.items.size());
    for (std::size_t i = 0; i < whole_.items.size(); ++i) {
        job_snapshot::item_progress& p = shown_.progress_of_items[i];
        p.speed = 0;
        before[i] = shown_.status == status::uploading ? p.sent : 0;
        // Delivered but not committed yet: its bytes are sent, its state is not shown.
        p.sent = whole_.items[i].state.status == item_status::completed ? whole_.items[i].spec.size : p.confirmed;
        if (p.status == item_status::uploading) {
            p.status = item_status::pending;
        }
    }
    shown_.doing = shown_.status == status::uploading ? activity::restoring : activity::none;
    show_transfers();
    for (std::size_t i = 0; i < whole_.items.size(); ++i) {
        job_snapshot::item_progress& p = shown_.progress_of_items[i];
        // An interrupted request is over before the attempt's end is committed: until then the bytes shown as sent
        // stay, because within one attempt progress never goes back.
        p.sent = std::max(p.sent, before[i]);
        shown_.sent += p.sent;
        shown_.confirmed += p.confirmed;
        measure_item(i);
    }
    if (is_open(shown_.status) && shown_.doing != activity::none) {
        job_meter_.observe(clock_.steady_now(), shown_.sent);
        shown_.speed = job_meter_.speed();
    } else {
        shown_.speed = 0;
    }
    return shown_;
}

WAYBILL_DECL void live_snapshot::measure_item(std::size_t item) {
    job_snapshot::item_progress& p = shown_.progress_of_items[item];
    if (p.status == item_status::uploading) {
        item_meters_[item].observe(clock_.steady_now(), p.sent);
        p.speed = p.sent < whole_.items[item].spec.size ? item_meters_[item].speed() : 0;
    }
}

// Several requests may be in progress with parts of one item: their sent bytes add up.
WAYBILL_DECL void live_snapshot::show_transfers() {
    if (!transfers_.empty()) {
        const auto waits = [](const transfer* t) { return t->progress.body_sent; };
        shown_.doing =
            std::all_of(transfers_.begin(), transfers_.end(), waits) ? activity::awaiting_response : activity::sending;
    }
    for (const transfer* const t : transfers_) {
        for (const body_span& s : t->spans) {
            const std::uint64_t reached = t->progress.sent > s.body_offset ? t->progress.sent - s.body_offset : 0;
            job_snapshot::item_progress& p = shown_.progress_of_items[s.item];
            p.sent = std::min(whole_.items[s.item].spec.size, p.sent + std::min(reached, s.length));
            if (p.status == item_status::pending && (reached > 0 || t->spans.size() == 1)) {
                p.status = item_status::uploading;
            }
        }
    }
}

}  // namespace waybill::detail
