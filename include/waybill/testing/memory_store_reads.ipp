// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/testing/memory_store_open.ipp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace waybill::testing {

WAYBILL_DECL std::optional<job_seq> memory_store::seq_of(const job_id& id) const {
    for (const auto& [seq, whole] : disk_->jobs) {
        if (whole.job.spec.id == id) {
            return seq;
        }
    }
    return std::nullopt;
}

WAYBILL_DECL asio::awaitable<std::optional<loaded_job>> memory_store::load(job_seq seq) {
    co_await read();
    const auto found = disk_->jobs.find(seq);
    std::optional<loaded_job> result;
    if (found != disk_->jobs.end()) {
        result = found->second;
    }
    co_return result;
}

WAYBILL_DECL asio::awaitable<std::vector<std::optional<job_seq>>> memory_store::find(std::vector<job_id> ids) {
    co_await read();
    std::vector<std::optional<job_seq>> found;
    for (const job_id& id : ids) {
        found.push_back(seq_of(id));
    }
    co_return found;
}

WAYBILL_DECL asio::awaitable<std::vector<queued_job>> memory_store::lane(std::string name, std::string origin,
                                                                         job_seq after, std::size_t most) {
    co_await read();
    std::vector<queued_job> result;
    for (auto at = disk_->jobs.upper_bound(after); at != disk_->jobs.end() && result.size() < most; ++at) {
        const loaded_job& whole = at->second;
        if (whole.job.spec.lane == name && whole.job.spec.origin == origin && is_open(whole.job.state.status)) {
            result.push_back(queued(whole));
        }
    }
    co_return result;
}

/// Where a job is in a list.
[[nodiscard]] inline auto place(listing which, const job_record& j) {
    const auto finished = which == listing::finished ? -j.state.retired.count() : 0;
    const auto seq = static_cast<std::int64_t>(j.seq) * (which == listing::finished ? -1 : 1);
    const bool by_lane = which == listing::open;
    return std::tuple(finished, by_lane ? j.spec.lane : std::string(), by_lane ? j.spec.origin : std::string(), seq);
}

WAYBILL_DECL asio::awaitable<std::vector<loaded_job>> memory_store::list(listing which, std::optional<job_record> after,
                                                                         std::size_t most) {
    co_await read();
    std::vector<loaded_job> all;
    for (const auto& [seq, whole] : disk_->jobs) {
        const status as = whole.job.state.status;
        if (which == listing::all || (which == listing::open && is_open(as)) ||
            (which == listing::parked && is_parked(as)) || (which == listing::finished && is_terminal(as))) {
            all.push_back(whole);
        }
    }
    std::sort(all.begin(), all.end(),
              [&](const loaded_job& a, const loaded_job& b) { return place(which, a.job) < place(which, b.job); });
    if (after) {
        std::erase_if(all, [&](const loaded_job& j) { return place(which, j.job) <= place(which, *after); });
    }
    if (all.size() > most) {
        all.resize(most);
    }
    co_return all;
}

WAYBILL_DECL asio::awaitable<std::optional<leftover>> memory_store::next_leftover() {
    co_await read();
    std::optional<leftover> next;
    for (const auto& [id, one] : disk_->leftovers) {
        if (!next || one.not_before < next->not_before) {
            next = one;
        }
    }
    co_return next;
}

}  // namespace waybill::testing
