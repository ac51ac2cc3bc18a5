// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/acceptance.hpp>
#include <waybill/engine/accept/records.hpp>
#include <waybill/engine/run/abandon_uploads.hpp>
#include <waybill/source/recognition.hpp>
#include <waybill/store/apply.hpp>

#include <cstddef>
#include <utility>
#include <vector>

// How a finished job is restarted.
namespace waybill::detail {

/// A new epoch for a finished job: the files as they are now, a new key, no attempts counted. What the server has
/// confirmed of unchanged files stays confirmed.
WAYBILL_DECL asio::awaitable<job_change> acceptance::new_epoch(const loaded_job& whole, store_time now) {
    job_change next;
    next.repinned = co_await pin_again(whole);
    bool changed = false;
    for (std::size_t i = 0; i < whole.items.size(); ++i) {
        const item_record& before = whole.items[i];
        if (!is_unchanged(before.spec, next.repinned[i])) {
            next.items.emplace_back(i, item_state{});
            next.items.back().second.unknown = before.state.unknown;
            changed = true;
        } else if (before.state.status == item_status::failed) {
            next.items.emplace_back(i, before.state);
            next.items.back().second.status = item_status::pending;
        }
    }
    if (changed) {
        abandon_uploads(next, whole, parts_.clock->system_now());
    }
    const job_state& old = whole.job.state;
    next.to.unknown = old.unknown;
    next.to.epoch = old.epoch + 1;
    next.to.stage = changed ? stage::upload : old.stage;
    next.to.epoch_began = now.wall;
    next.to.began = now.open;
    next.to.key = make_key(*parts_.random);
    if (!changed && !whole.checkpoints.empty()) {
        // An upload can be continued only by the protocol that created it.
        next.to.negotiated_protocol = old.negotiated_protocol;
    }
    co_return next;
}

/// A job's items with their files as they are now. If the items are independent, delivered ones stay unchanged, and so
/// do those that cannot be pinned: the others need not wait for them.
WAYBILL_DECL asio::awaitable<std::vector<item_spec>> acceptance::pin_again(const loaded_job& whole) {
    const bool independent = whole.job.spec.if_item_fails == on_item_failure::go_on;
    std::vector<item_spec> specs;
    std::vector<std::size_t> asked;
    std::vector<wanted_file> files;
    for (const item_record& one : whole.items) {
        if (one.spec.kind != source_kind::bytes && !(independent && one.state.status == item_status::completed)) {
            asked.push_back(specs.size());
            files.push_back(wanted_of(one.spec, one.spec.content.scope));
        }
        specs.push_back(one.spec);
    }
    if (!independent && !files.empty()) {
        const std::vector<pinned_file> pins = co_await parts_.sources->pin(std::move(files));
        for (std::size_t i = 0; i < asked.size(); ++i) {
            apply_pin(specs[asked[i]], pins[i]);
        }
        co_return specs;
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        item_spec found = specs[asked[i]];
        try {
            std::vector<wanted_file> one{files[i]};
            const std::vector<pinned_file> pins = co_await parts_.sources->pin(std::move(one));
            apply_pin(found, pins.front());
        } catch (const error&) {
            continue;
        }
        specs[asked[i]] = std::move(found);
    }
    co_return specs;
}

}  // namespace waybill::detail
