// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/admission.hpp>
#include <waybill/engine/engine.hpp>
#include <waybill/engine/picture.hpp>

#include <utility>

// How a job is accepted.
namespace waybill {

WAYBILL_DECL asio::awaitable<std::vector<job_id>> engine::enqueue(std::vector<job> jobs) {
    for (const job& j : jobs) {
        detail::check_job(j, parts_.protocols);
    }
    co_await open();
    const std::vector<bool> known = co_await known_before(jobs);
    std::vector<new_job> made = co_await pin(jobs, known);
    // The store takes them by value; what is shown afterwards is kept without the bytes.
    std::vector<loaded_job> kept;
    kept.reserve(made.size());
    for (const new_job& m : made) {
        loaded_job& k = kept.emplace_back();
        k.job = m.job;
        for (const item_record& i : m.items) {
            item_record& copy = k.items.emplace_back(i);
            copy.spec.data.clear();
        }
    }
    const std::vector<added_job> added = co_await parts_.store->add(std::move(made));
    std::vector<job_id> ids;
    ids.reserve(added.size());
    for (std::size_t i = 0; i < added.size(); ++i) {
        ids.push_back(kept[i].job.spec.id);
        if (!added[i].existed) {
            kept[i].job.seq = added[i].seq;
            board_.count_new(status::pending, kept[i].job.spec.size);
            make_known(kept[i]);
        } else if (!board_.find(added[i].seq)) {  // of an earlier run, and not listed yet
            const loaded_job known_already = co_await load(added[i].seq);
            if (!board_.find(added[i].seq)) {
                show(detail::picture_of(known_already));
            }
        }
    }
    publish();  // before the caller hears of it: it must find its jobs in the newest snapshot
    alarm_->ring();
    co_return ids;
}

// Its lane may have been read from the store after the commit and before it was heard of here: then
// the job is known already, may have been begun, and must not be begun twice.
WAYBILL_DECL void engine::make_known(const loaded_job& accepted) {
    const job_seq seq = accepted.job.seq;
    const std::shared_ptr<const job_snapshot> shown = board_.find(seq);
    if (!shown) {
        show(detail::picture_of(accepted));
    }
    if (!shown || is_open(shown->now)) {
        scheduler_.push(accepted.job.spec.lane, seq, steady(accepted.job.state.not_before, accepted.job.state.reason));
    }
}

// A job that was accepted before is accepted again without its files: they may be gone by now.
WAYBILL_DECL asio::awaitable<std::vector<bool>> engine::known_before(const std::vector<job>& jobs) {
    std::vector<bool> known(jobs.size(), false);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (!jobs[i].id().empty()) {
            known[i] = (co_await parts_.store->find(jobs[i].id())).has_value();
        }
    }
    co_return known;
}

WAYBILL_DECL asio::awaitable<std::vector<new_job>> engine::pin(const std::vector<job>& jobs,
                                                               const std::vector<bool>& known) {
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        for (const item& one : jobs[i].items()) {
            if (!known[i] && one.kind() != source_kind::bytes) {
                paths.push_back(one.path());
            }
        }
    }
    std::vector<pinned_file> pins;
    if (!paths.empty()) {
        pins = co_await parts_.sources->pin(std::move(paths));
    }
    std::vector<new_job> made;
    made.reserve(jobs.size());
    auto next = pins.cbegin();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (known[i]) {
            // Enough for the store to compare it with the one it has.
            job_spec& spec = made.emplace_back().job.spec;
            spec.id = jobs[i].id();
            spec.content = detail::content_of(jobs[i]);
        } else {
            made.push_back(detail::make_records(jobs[i], next, now(), *parts_.random));
        }
    }
    co_return made;
}

}  // namespace waybill
