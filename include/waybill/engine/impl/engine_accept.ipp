// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/admission.hpp>
#include <waybill/engine/engine.hpp>
#include <waybill/engine/picture.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

// How a job is accepted.
namespace waybill {

WAYBILL_DECL asio::awaitable<std::vector<job_id>> engine::enqueue(std::vector<job> jobs) {
    detail::check_jobs(jobs, parts_.protocols);
    co_await open();
    std::shared_ptr<std::vector<new_job>> made;
    std::vector<added_job> added;
    for (bool again = true; again;) {
        const std::vector<bool> known = co_await known_before(jobs);
        std::vector<new_job> records = co_await pin(jobs, known);
        made = std::make_shared<std::vector<new_job>>(std::move(records));
        again = false;
        try {
            added = co_await parts_.store->add(made);
        } catch (const error& e) {
            again = e.code() == errc::unknown_job;  // one was known a moment ago, and has been forgotten since
            if (!again) {
                throw;
            }
        }
    }
    std::vector<job_id> ids;
    ids.reserve(added.size());
    for (std::size_t i = 0; i < added.size(); ++i) {
        new_job& one = (*made)[i];
        ids.push_back(one.job.spec.id);
        if (!added[i].existed) {
            loaded_job accepted;
            accepted.job = std::move(one.job);
            accepted.job.seq = added[i].seq;
            accepted.items = std::move(one.items);
            board_.count_new(status::pending, accepted.job.spec.size);
            make_known(accepted);
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
        scheduler_.push({accepted.job.spec.lane, accepted.job.spec.origin}, seq, {parts_.clock->steady_now()});
    }
}

// A job that was accepted before is accepted again without its files: they may be gone by now.
WAYBILL_DECL asio::awaitable<std::vector<bool>> engine::known_before(const std::vector<job>& jobs) {
    std::vector<bool> known(jobs.size(), false);
    std::vector<job_id> named;
    for (const job& j : jobs) {
        if (!j.id().empty()) {
            named.push_back(j.id());
        }
    }
    if (named.empty()) {
        co_return known;
    }
    const std::vector<std::optional<job_seq>> found = co_await parts_.store->find(std::move(named));
    auto next = found.begin();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (!jobs[i].id().empty()) {
            known[i] = (next++)->has_value();
        }
    }
    co_return known;
}

WAYBILL_DECL asio::awaitable<std::vector<new_job>> engine::pin(const std::vector<job>& jobs,
                                                               const std::vector<bool>& known) {
    std::vector<wanted_file> files;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        for (const item& one : jobs[i].items()) {
            if (!known[i] && one.kind() != source_kind::bytes) {
                const fingerprint_scope scope = one.fingerprint().value_or(options_.fingerprint);
                files.push_back(detail::wanted_of(detail::spec_of(one), scope));
            }
        }
    }
    std::vector<pinned_file> pins;
    if (!files.empty()) {
        pins = co_await parts_.sources->pin(std::move(files));
    }
    std::vector<new_job> made;
    made.reserve(jobs.size());
    auto next = pins.cbegin();
    const store_time accepted = lived();
    random_batch random(*parts_.random, detail::random_numbers_a_job * jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (known[i]) {
            // Enough for the store to compare it with the one it has.
            job_spec& spec = made.emplace_back().job.spec;
            spec.id = jobs[i].id();
            spec.content = detail::content_of(jobs[i]);
        } else {
            made.push_back(detail::make_records(jobs[i], next, accepted, random));
            detail::name_origin(made.back().job.spec, jobs[i].order(), i == 0 ? nullptr : &made[i - 1].job.spec);
        }
    }
    co_return made;
}

}  // namespace waybill
