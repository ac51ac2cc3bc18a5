// SPDX-License-Identifier: BSL-1.0

#include "simulation/checker.hpp"

#include <string>

namespace waybill::simulation {
namespace {

void require(bool holds, const std::string& id, const std::string& what) {
    if (!holds) {
        throw broken(id + ": " + what);
    }
}

std::string name(status s) {
    return std::string(to_string(s));
}

}  // namespace

void checker::process_began() {
    version_ = 0;
    sent_.clear();
}

void checker::look_at_disk() {
    for (const auto& [seq, whole] : disk_.jobs) {
        look_at_job(whole);
    }
}

void checker::look_at_job(const loaded_job& whole) {
    const job_state& now = whole.job.state;
    const std::string& id = whole.job.spec.id.str();
    const posted_job& asked = jobs_.at(id);
    const point here(now.epoch, now.attempt, now.now);
    const auto before = last_.find(id);
    if (before != last_.end() && before->second == here) {
        return;
    }
    if (before != last_.end()) {
        const auto& [epoch, attempt, was] = before->second;
        require(!is_terminal(was) || now.epoch > epoch || now.now == was, id,
                "went from " + name(was) + " to " + name(now.now) + " without being asked");
        require(now.epoch >= epoch, id, "went back to an earlier epoch");
    }
    require(now.epoch <= 1 + asked.retries, id, "has more epochs than it was asked for");
    last_[id] = here;
    committed_[id].insert(here);
    mix(static_cast<std::uint64_t>(whole.job.seq));
    mix(static_cast<std::uint64_t>(now.now) << 32 | static_cast<std::uint64_t>(now.attempt));
    mix(static_cast<std::uint64_t>(now.not_before.time_since_epoch().count()));
    if (now.now == status::completed) {
        look_at_delivery(whole);
    }
}

void checker::look_at_delivery(const loaded_job& whole) const {
    const posted_job& asked = jobs_.at(whole.job.spec.id.str());
    if (asked.said_completed) {
        return;
    }
    if (asked.form) {
        require(asked.finalised > 0, asked.id, "is completed, and the server has nothing");
        return;
    }
    for (const item_record& i : whole.items) {
        const auto found = server_.objects().find("http://server.test" + i.spec.path);
        require(found != server_.objects().end(), asked.id, "is completed, and the server lacks " + i.spec.path);
        require(found->second == files_.as_pinned(i.spec.path, i.spec.identity), asked.id,
                "is completed, and the server has other bytes of " + i.spec.path);
    }
}

void checker::look_for_jobs() const {
    std::map<std::string, std::size_t> stored;
    std::map<std::string, std::size_t> batches;
    for (const auto& [seq, whole] : disk_.jobs) {
        const posted_job& asked = jobs_.at(whole.job.spec.id.str());
        require(whole.items.size() == asked.paths.size(), asked.id, "is stored in part");
        ++stored[asked.id];
        ++batches[asked.batch];
    }
    for (const auto& [id, asked] : jobs_) {
        require(!asked.accepted || stored[id] == 1, id, "was accepted and is lost");
        require(stored[id] <= 1, id, "is stored twice");
        if (!asked.batch.empty() && stored[id] == 1) {
            std::size_t whole = 0;
            for (const auto& [other, one] : jobs_) {
                whole += one.batch == asked.batch ? 1 : 0;
            }
            require(batches[asked.batch] == whole, id, "is stored without the jobs it was accepted with");
        }
    }
}

void checker::look_at(const snapshot& seen) {
    if (seen.version() == version_) {
        return;
    }
    require(seen.version() > version_, "snapshot", "its version went back");
    version_ = seen.version();
    for (const auto& shown : seen.jobs()) {
        const std::string& id = shown->id().str();
        const point here(shown->epoch, shown->attempt, shown->now);
        require(committed_[id].contains(here), id,
                "is shown as " + name(shown->now) + " in attempt " + std::to_string(shown->attempt) +
                    ", which was never committed");
        look_at_progress(*shown);
    }
}

void checker::look_at_progress(const job_snapshot& shown) {
    const std::string& id = shown.id().str();
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < shown.item_count(); ++i) {
        const item_snapshot item = shown.item(i);
        require(item.sent <= item.size && item.confirmed <= item.size, id, "has sent more than there is");
        sum += item.sent;
    }
    require(sum == shown.sent && shown.sent <= shown.size(), id, "has items that do not add up");
    const point here(shown.epoch, shown.attempt, shown.now);
    auto& [when, sent] = sent_[id];
    require(when != here || shown.now != status::uploading || shown.sent >= sent, id,
            "went back from " + std::to_string(sent) + " to " + std::to_string(shown.sent) + " bytes in one attempt");
    when = here;
    sent = shown.sent;
}

void checker::look_at_end(const snapshot& seen) const {
    for (const auto& [seq, whole] : disk_.jobs) {
        const std::string& id = whole.job.spec.id.str();
        const status now = whole.job.state.now;
        require(is_terminal(now) || is_parked(now), id, "came to rest as " + name(now));
        require(seen.at(whole.job.spec.id).now == now, id, "is shown otherwise than it is stored");
    }
}

std::uint64_t checker::completed() const {
    std::uint64_t sum = 0;
    for (const auto& [seq, whole] : disk_.jobs) {
        sum += whole.job.state.now == status::completed ? 1 : 0;
    }
    return sum;
}

}  // namespace waybill::simulation
