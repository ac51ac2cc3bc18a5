// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/acceptance.hpp>
#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/accept/records.hpp>

#include <cstddef>
#include <optional>
#include <utility>

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

// A job that was accepted before is accepted again without its files: they may no longer exist.
WAYBILL_DECL asio::awaitable<std::vector<std::optional<job_seq>>> acceptance::known_before(
    const std::vector<job>& jobs) {
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
WAYBILL_DECL asio::awaitable<void> acceptance::require_same_files(const std::vector<job>& jobs,
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
WAYBILL_DECL asio::awaitable<std::vector<std::optional<pinned_file>>> acceptance::pin_what_is_there(
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

WAYBILL_DECL asio::awaitable<std::vector<new_job>> acceptance::pin(const std::vector<job>& jobs,
                                                                   const std::vector<std::optional<job_seq>>& known,
                                                                   const store_time& accepted) {
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
