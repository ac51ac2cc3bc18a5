// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/show/filler.hpp>
#include <waybill/engine/show/snapshot_of.hpp>

#include <cstddef>
#include <utility>

namespace waybill::detail {

WAYBILL_DECL filler::filler(store& kept, board& shown) : store_(kept), board_(shown) {
    for (const listing which : {listing::parked, listing::open, listing::finished}) {
        rest_.push_back({which, {}});
    }
}

WAYBILL_DECL asio::awaitable<std::vector<loaded_job>> filler::next_pages() {
    std::vector<loaded_job> damaged;
    std::vector<unlisted> further;
    for (unlisted& one : rest_) {
        const bool more = co_await list_page(one, damaged);
        if (more) {
            further.push_back(std::move(one));
        }
    }
    rest_ = std::move(further);
    co_return damaged;
}

/// False when there are no more of this kind, or no room for them.
WAYBILL_DECL asio::awaitable<bool> filler::list_page(unlisted& rest, std::vector<loaded_job>& damaged) {
    constexpr std::size_t page = 128;
    std::vector<loaded_job> found = co_await store_.list(rest.which, rest.last, page);
    for (const loaded_job& whole : found) {
        if (rest.which == listing::finished && board_.full()) {
            co_return false;
        }
        if (rest.which == listing::parked && whole.damaged) {
            damaged.push_back(whole);
            continue;  // shown once that is committed
        }
        // A job that is shown already is at least as new as the one just read.
        if (!board_.find(whole.job.seq) && !board_.show(snapshot_of(whole))) {
            no_room_ = true;
            co_return false;
        }
    }
    if (found.size() < page) {
        co_return false;
    }
    rest.last = std::move(found.back().job);
    co_return true;
}

}  // namespace waybill::detail
