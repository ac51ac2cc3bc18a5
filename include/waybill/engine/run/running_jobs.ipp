// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/erased.hpp>
#include <waybill/detail/in_parallel.hpp>
#include <waybill/engine/run/running_jobs.hpp>

#include <utility>
#include <vector>

namespace waybill::detail {

WAYBILL_DECL void running_jobs::start(job_seq seq, const std::shared_ptr<void>& owner) {
    const auto run = std::make_shared<runner>(seq, environment_);
    runs_.emplace(seq, run);
    spawn(
        home_, [owner, run] { return run->run(); }, run->signal(),
        [this, owner, run, seq](const std::exception_ptr& thrown) {
            runs_.erase(seq);
            on_ended(seq, thrown);
            ended_.notify_all();
        });
}

WAYBILL_DECL std::shared_ptr<runner> running_jobs::find(job_seq seq) const {
    const auto found = runs_.find(seq);
    return found == runs_.end() ? nullptr : found->second;
}

WAYBILL_DECL std::vector<std::pair<job_seq, std::shared_ptr<runner>>> running_jobs::list(
    std::optional<job_seq> only) const {
    const auto found = only ? runs_.find(*only) : runs_.end();
    if (found == runs_.end()) {
        return {};
    }
    return {*found};
}

WAYBILL_DECL void running_jobs::interrupt(job_seq seq, runner::wish why) {
    if (const std::shared_ptr<runner> run = find(seq)) {  // kept: it may end immediately
        run->interrupt(why);
    }
}

WAYBILL_DECL asio::awaitable<void> running_jobs::interrupt_all() {
    std::vector<job_seq> all;
    for (const auto& [seq, run] : runs_) {
        all.push_back(seq);
    }
    for (const job_seq seq : all) {
        if (const std::shared_ptr<runner> run = find(seq); run && !run->interrupted()) {
            run->interrupt(runner::wish::stop);
        }
    }
    while (!runs_.empty()) {
        co_await ended_.wait_uncancellable();
    }
}

using flush_queue = std::vector<std::shared_ptr<attempt>>;

[[nodiscard]] inline asio::awaitable<bool> flush_next(std::shared_ptr<flush_queue> remaining) {
    if (remaining->empty()) {
        co_return false;
    }
    const std::shared_ptr<attempt> next = std::move(remaining->back());
    remaining->pop_back();
    if (next->dirty()) {
        co_await next->flush();
    }
    co_return true;
}

/// Handed to the store together.
WAYBILL_DECL asio::awaitable<void> running_jobs::flush(std::shared_ptr<void> owner) {
    const auto dirty = std::make_shared<flush_queue>();
    for (const auto& [seq, run] : runs_) {
        if (run->job() && run->job()->dirty()) {
            dirty->push_back(run->job());
        }
    }
    if (!dirty->empty()) {
        std::function<asio::awaitable<bool>()> step = [dirty] { return flush_next(dirty); };
        co_await in_parallel(home_, std::move(owner), dirty->size(), std::move(step));
    }
}

}  // namespace waybill::detail
