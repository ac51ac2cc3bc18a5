// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/testing/memory_store.hpp>

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>

// What the disk holds when it is opened.
namespace waybill::testing {

[[nodiscard]] inline queued_job queued(const loaded_job& whole) {
    const job_state& state = whole.job.state;
    return {whole.job.seq, whole.job.spec.lane, whole.job.spec.origin, state.not_before, state.wait, state.reason};
}

WAYBILL_DECL asio::awaitable<store_contents> memory_store::open() {
    // Every change that was started before is completed first, as `store::open` requires.
    while (unacknowledged_ != 0) {
        co_await asio::post(executor_, asio::use_awaitable);
    }
    failed_ = false;
    co_await turn();
    if (disk_->owner != nullptr) {
        throw error(errc::store_locked, "memory");
    }
    if (before_open) {
        before_open();
    }
    disk_->owner = this;
    co_await migrate_disk();
    store_contents found;
    read_jobs(found);
    found.time = disk_->time;
    for (const auto& [which, pause] : disk_->holds) {
        found.holds.push_back({which, pause});
    }
    for (const auto& [what, rates] : disk_->limits) {
        found.limits.push_back({what, rates});
    }
    co_return found;
}

/// Their totals, and the first of every queue. What a crash interrupted is pending again.
WAYBILL_DECL void memory_store::read_jobs(store_contents& found) {
    found.totals = disk_->miscounted;
    std::map<std::pair<std::string, std::string>, queued_job> heads;
    for (auto& [seq, whole] : disk_->jobs) {
        job_state& state = whole.job.state;
        if (state.status == status::uploading || state.status == status::finalizing) {
            state.status = status::pending;
            ++disk_->commits;
        }
        found.totals[state.status].jobs += 1;
        found.totals[state.status].bytes += whole.job.spec.size;
        if (is_open(state.status)) {
            queued_job head = queued(whole);
            heads.try_emplace(std::pair(head.lane, head.origin), head);
        }
    }
    for (auto& [name, head] : heads) {
        found.lane_heads.push_back(std::move(head));
    }
}

/// A crash may come after each job: then the disk is unchanged.
WAYBILL_DECL asio::awaitable<void> memory_store::migrate_disk() {
    if (disk_->format >= format) {
        co_return;
    }
    std::map<job_seq, loaded_job> migrated = disk_->jobs;
    if (migrate_by_halves) {
        disk_->format = format;
    }
    for (auto& [seq, whole] : migrate_by_halves ? disk_->jobs : migrated) {
        co_await turn();
        migrate(whole);
    }
    if (!migrate_by_halves) {
        disk_->jobs = std::move(migrated);
        disk_->format = format;
    }
    ++disk_->commits;
}

WAYBILL_DECL asio::awaitable<void> memory_store::put_hold(hold what) {
    std::function<void()> work = [this, what = std::move(what)] { disk_->holds[what.which] = what.pause; };
    co_await write(std::move(work));
}

WAYBILL_DECL asio::awaitable<void> memory_store::remove_hold(selection which) {
    std::function<void()> work = [this, which = std::move(which)] { disk_->holds.erase(which); };
    co_await write(std::move(work));
}

WAYBILL_DECL asio::awaitable<void> memory_store::put_limit(bandwidth_limit what) {
    std::function<void()> work = [this, what = std::move(what)] { disk_->limits[what.what] = what.rates; };
    co_await write(std::move(work));
}

WAYBILL_DECL asio::awaitable<void> memory_store::remove_limit(limit_scope what) {
    std::function<void()> work = [this, what = std::move(what)] { disk_->limits.erase(what); };
    co_await write(std::move(work));
}

}  // namespace waybill::testing
