// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/accept/records.hpp>
#include <waybill/engine/engine.hpp>
#include <waybill/engine/show/snapshot_of.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// How a job is accepted.
namespace waybill::detail {
/// Files of jobs that are enqueued again under a known id, each with what was accepted.
struct offered_again {
    std::vector<wanted_file> files;
    std::vector<item_spec> accepted;

    void add(const job& offered, const loaded_job& known) {
        for (std::size_t i = 0; i < offered.items().size() && i < known.items.size(); ++i) {
            if (offered.items()[i].kind() != source_kind::bytes) {
                files.push_back(wanted_of(spec_of(offered.items()[i]), fingerprint_scope::sampled));
                accepted.push_back(known.items[i].spec);
            }
        }
    }
};

WAYBILL_DECL asio::awaitable<std::vector<job_id>> engine::enqueue(std::vector<job> jobs) {
    check_jobs(jobs, parts_.protocols);
    co_await open();
    std::shared_ptr<std::vector<new_job>> made;
    std::vector<added_job> added;
    for (bool again = true; again;) {
        const std::vector<std::optional<job_seq>> known = co_await known_before(jobs);
        std::vector<new_job> records = co_await pin(jobs, known);
        made = std::make_shared<std::vector<new_job>>(std::move(records));
        again = false;
        // A cancellation from here on is too late: the jobs that the store has accepted are made known, or they would
        // wait for the next start.
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        try {
            added = co_await ledger_.add(made);
        } catch (const error& e) {
            again = e.code() == errc::unknown_job;  // one was known a moment ago, and has been deleted since
            if (!again) {
                throw;
            }
        }
    }
    std::vector<job_id> ids;
    ids.reserve(added.size());
    std::vector<job_seq> known_already;
    for (std::size_t i = 0; i < added.size(); ++i) {
        new_job& one = (*made)[i];
        ids.push_back(one.job.spec.id);
        if (added[i].existed) {
            known_already.push_back(added[i].seq);
            continue;
        }
        loaded_job accepted;
        accepted.job = std::move(one.job);
        accepted.job.seq = added[i].seq;
        accepted.items = std::move(one.items);
        make_known(accepted);
    }
    alarm_->ring();
    for (const job_seq seq : known_already) {
        co_await show_known(seq);
    }
    publish();  // before the caller is notified: it must find its jobs in the newest snapshot
    co_return ids;
}

// Its lane may have been read from the store after the commit and before its result arrived here: then the job is known
// already, may have been started, and must not be started twice.
WAYBILL_DECL void engine::make_known(const loaded_job& accepted) {
    const job_seq seq = accepted.job.seq;
    const std::shared_ptr<const job_snapshot> shown = board_.find(seq);
    if (!shown) {
        show(snapshot_of(accepted), board::place::asked);
    }
    if (!shown || is_open(shown->status)) {
        scheduler_.push({accepted.job.spec.lane, accepted.job.spec.origin}, seq, {parts_.clock->steady_now()});
    }
}

/// Shows a job of an earlier run that is not listed. Nothing depends on it: if the store fails here, the job is
/// accepted nevertheless.
WAYBILL_DECL asio::awaitable<void> engine::show_known(job_seq seq) {
    if (board_.find(seq)) {
        co_return;
    }
    std::optional<loaded_job> known;
    try {
        known = co_await parts_.store->load(seq);
    } catch (const error&) {
        // The operation that needs the store more reports the error.
    }
    if (known && !board_.find(seq)) {
        show(snapshot_of(*known), board::place::asked);
    }
}

// A job that was accepted before is accepted again without its files: they may no longer exist.
WAYBILL_DECL asio::awaitable<std::vector<std::optional<job_seq>>> engine::known_before(const std::vector<job>& jobs) {
    std::vector<std::optional<job_seq>> known(jobs.size());
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
            known[i] = *next++;
        }
    }
    co_await require_same_files(jobs, known);
    co_return known;
}

// The same names with other contents are another job: an app that enqueues today's file under yesterday's id must not
// be told that the job is on its way. Files that no longer exist cannot differ.
WAYBILL_DECL asio::awaitable<void> engine::require_same_files(const std::vector<job>& jobs,
                                                              std::vector<std::optional<job_seq>>& known) {
    offered_again again;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (!known[i] || !has_files(jobs[i])) {
            continue;
        }
        std::optional<loaded_job> whole = co_await parts_.store->load(*known[i]);
        if (!whole) {
            known[i].reset();  // deleted in the meantime
        } else if (is_sound(*whole, parts_.protocols) && whole->job.spec.content == content_of(jobs[i])) {
            again.add(jobs[i], *whole);
        }
    }
    const std::vector<std::optional<pinned_file>> now = co_await pin_what_is_there(std::move(again.files));
    for (std::size_t i = 0; i < now.size(); ++i) {
        if (now[i] && !has_same_content(again.accepted[i], *now[i])) {
            throw error(errc::duplicate_id, now[i]->path + " has changed since it was accepted under this id");
        }
    }
}

/// All together as a rule, and one by one when some cannot be pinned.
WAYBILL_DECL asio::awaitable<std::vector<std::optional<pinned_file>>> engine::pin_what_is_there(
    std::vector<wanted_file> files) {
    std::vector<std::optional<pinned_file>> found(files.size());
    if (files.empty()) {
        co_return found;
    }
    try {
        std::vector<wanted_file> all = files;
        std::vector<pinned_file> pins = co_await parts_.sources->pin(std::move(all));
        std::move(pins.begin(), pins.end(), found.begin());
        co_return found;
    } catch (const error&) {
        // At least one of them no longer exists.
    }
    for (std::size_t i = 0; i < files.size(); ++i) {
        try {
            std::vector<wanted_file> one(1, files[i]);
            std::vector<pinned_file> pins = co_await parts_.sources->pin(std::move(one));
            found[i] = std::move(pins.front());
        } catch (const error&) {
            // It is this one.
        }
    }
    co_return found;
}

WAYBILL_DECL asio::awaitable<std::vector<new_job>> engine::pin(const std::vector<job>& jobs,
                                                               const std::vector<std::optional<job_seq>>& known) {
    std::vector<wanted_file> files;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        for (const item& one : jobs[i].items()) {
            if (!known[i] && one.kind() != source_kind::bytes) {
                const fingerprint_scope scope = one.fingerprint().value_or(options_.fingerprint);
                files.push_back(wanted_of(spec_of(one), scope));
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
    random_batch random(*parts_.random, random_numbers_a_job * jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (known[i]) {
            // Enough for the store to compare it with the one it has.
            job_spec& spec = made.emplace_back().job.spec;
            spec.id = jobs[i].id();
            spec.content = content_of(jobs[i]);
        } else {
            made.push_back(make_records(jobs[i], next, accepted, random));
            name_origin(made.back().job.spec, jobs[i].order(), i == 0 ? nullptr : &made[i - 1].job.spec);
        }
    }
    co_return made;
}

}  // namespace waybill::detail
