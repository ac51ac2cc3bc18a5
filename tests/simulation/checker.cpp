// SPDX-License-Identifier: BSL-1.0

#include "simulation/checker.hpp"

#include <waybill/detail/digest.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace waybill::simulation {
namespace {

void require(bool holds, const std::string& id, std::string_view what) {
    if (!holds) {
        throw broken(id + ": " + std::string(what));
    }
}

/// The same, told only when it is broken: for what is looked at in every turn.
template <class Tell>
void require(bool holds, const std::string& id, const Tell& tell) requires std::is_invocable_v<Tell> {
    if (!holds) {
        throw broken(id + ": " + tell());
    }
}

std::string name(status s) {
    return std::string(to_string(s));
}

/// The uploads that a checkpoint is about.
std::set<std::string> resources_of(const checkpoint& reached) {
    std::set<std::string> urls = {reached.resource};
    if (const auto known = detail::decode_tus_state(reached.state)) {
        for (const detail::tus_part& part : known->parts) {
            urls.insert(part.url);
        }
    }
    return urls;
}

}  // namespace

void checker::process_began() {
    version_ = 0;
    sent_.clear();
    shown_.clear();
}

void checker::look_at_disk() {
    for (const auto& [seq, whole] : disk_.jobs) {
        look_at_job(whole);
        look_at_checkpoints(whole);
        look_at_newer_fields(whole);
    }
}

// A disk of a newer format has them in every record, whatever becomes of it. Nothing here knows what they mean.
void checker::look_at_newer_fields(const loaded_job& whole) const {
    if (disk_.format == 1) {
        return;
    }
    const std::string expected = newer_field(whole);
    bool same = whole.job.spec.unknown == expected && whole.job.state.unknown == expected;
    for (const item_record& one : whole.items) {
        same = same && one.spec.unknown == expected && one.state.unknown == expected;
    }
    require(same, whole.job.spec.id.str(), "lacks fields of a newer version, though its disk was migrated");
}

// A checkpoint never says more than the server has confirmed.
void checker::look_at_checkpoints(const loaded_job& whole) const {
    for (const checkpoint& c : whole.checkpoints) {
        if (const auto in_parts = detail::decode_tus_state(c.state); in_parts && in_parts->parts.size() > 1) {
            look_at_parts(*in_parts, whole.job.spec.id.str());
            continue;
        }
        if (upload* const there = c.resource.empty() ? nullptr : server_.uploads().find(c.resource)) {
            there->committed = true;
            require(c.offset <= there->confirmed, whole.job.spec.id.str(), [&] {
                return "has " + std::to_string(c.offset) + " bytes in its checkpoint, and the server said " +
                       std::to_string(there->confirmed);
            });
        }
    }
}

void checker::look_at_parts(const detail::tus_state& known, const std::string& id) const {
    for (const detail::tus_part& part : known.parts) {
        if (upload* const there = part.url.empty() ? nullptr : server_.uploads().find(part.url)) {
            there->committed = true;
            require(part.offset <= there->confirmed, id, "has more bytes in its checkpoint than the server confirmed");
        }
    }
    if (upload* const there = known.final_url.empty() ? nullptr : server_.uploads().find(known.final_url)) {
        there->committed = true;
    }
}

void checker::look_at_leftovers(std::chrono::system_clock::time_point since) {
    if (leftovers_.empty() && disk_.leftovers.empty()) {
        return;
    }
    for (const auto& [id, one] : leftovers_) {
        if (disk_.leftovers.contains(id)) {
            continue;
        }
        for (const std::string& url : resources_of(one.reached)) {
            upload* const there = server_.uploads().find(url);
            if (there == nullptr || there->gone || there->complete) {
                continue;
            }
            const bool given_up = one.since < since;
            there->excused = there->excused || given_up;
            require(there->excused, one.job.id.str(), "was to be cleaned up at the server, and is not");
        }
    }
    leftovers_ = disk_.leftovers;
}

void checker::look_at_job(const loaded_job& whole) {
    const job_state& now = whole.job.state;
    const std::string& id = whole.job.spec.id.str();
    const point here(now.epoch, now.attempt, now.status);
    auto& [epoch, files] = accepted_[id];
    if (epoch != now.epoch) {
        epoch = now.epoch;
        files.clear();
        for (const item_record& i : whole.items) {
            files.push_back(i.spec.identity);
        }
    }
    const auto before = last_.find(id);
    if (before != last_.end() && before->second == here) {
        return;
    }
    if (before != last_.end()) {
        look_at_change(before->second, whole, jobs_.at(id));
    } else {
        jobs_.at(id).epoch_began = present;
    }
    last_[id] = here;
    committed_[id].insert(here);
    mix(static_cast<std::uint64_t>(whole.job.seq));
    mix(static_cast<std::uint64_t>(now.status) << 32 | static_cast<std::uint64_t>(now.attempt));
    mix(static_cast<std::uint64_t>(now.not_before.time_since_epoch().count()));
    if (now.status == status::completed) {
        look_at_delivery(whole);
    }
}

void checker::look_at_change(const point& from, const loaded_job& to, posted_job& asked) const {
    const auto& [epoch, attempt, was] = from;
    const job_state& now = to.job.state;
    require(!is_terminal(was) || now.epoch > epoch || now.status == was, asked.id,
            "went from " + name(was) + " to " + name(now.status) + " without being asked");
    require(now.epoch >= epoch, asked.id, "went back to an earlier epoch");
    const bool anew = now.epoch > epoch || (was == status::unknown_outcome && now.status == status::pending);
    if (anew) {
        require(asked.unanswered > 0, asked.id, "began anew, from " + name(was) + ", without being asked");
        ++asked.granted;
        asked.left.clear();
        asked.epoch_began = now.epoch > epoch ? present : asked.epoch_began;
    }
    if (now.status == status::pending && now.intent.stands()) {  // interrupted: the intent is all that is known
        asked.left.insert(asked.is_form() ? 0 : now.intent.item());
    }
    if (now.status == status::unknown_outcome && was != now.status) {
        look_at_doubt(to, asked);
    }
    for (std::size_t i = 0; was == status::unknown_outcome && asked.said_completed && i < to.items.size(); ++i) {
        if (to.items[i].state.status == item_status::completed) {
            asked.said.insert(i);
        }
    }
    require(was != status::unknown_outcome || now.status != status::completed || asked.said_completed, asked.id,
            "was set aside, and is completed though nobody said so");
    if (now.attempt != attempt || now.epoch != epoch) {
        asked.tried = false;
        asked.begun_healed = server_.healed;
    }
    // But for a doubt that nobody can clear up: then the job's policy has it sent once more.
    // And for bytes that were lost before, and are missed now.
    const bool missed = now.error.code == errc::outcome_unknown || now.error.code == errc::wrong_offset;
    const bool touched = now.error.code == errc::file_touched;  // before it all worked
    const bool in_vain = now.status == status::waiting && !missed && !touched;
    const bool finds_out = asked.automatic && asked.deaf != 0;  // that its endpoint cannot be asked what it speaks
    require(!in_vain || !asked.begun_healed || finds_out, asked.id,
            "has to be tried again though everything works: " + now.error.message());
    if (now.status == status::failed) {
        look_at_failure(to, asked);
        const bool ran = was == status::uploading || was == status::finalizing;
        // To look for its file is to try it.
        const std::string disk_away = make_error_code(errc::source_unavailable).message();
        const bool looked = now.error.details.detail.find(disk_away) != std::string::npos;
        require(now.error.code != errc::expired || (ran && (asked.tried || looked)), asked.id,
                "expired, and was not even tried");
    }
}

// With a server that tells the truth and a store that is not damaged nothing else can have gone wrong.
void checker::look_at_failure(const loaded_job& whole, const posted_job& asked) const {
    const std::error_code code = whole.job.state.error.code;
    const std::set<std::error_code> known = {errc::file_changed,    errc::source_missing,   errc::expired,
                                             errc::connection_lost, errc::send_stalled,     errc::response_timed_out,
                                             errc::outcome_unknown, errc::redirect_refused, errc::early_response,
                                             errc::file_touched};
    const bool by_s3 = asked.via == way::s3;
    const std::string& detail = whole.job.state.error.details.detail;
    const bool forgetful = detail.find("the server lost the end of the upload") != std::string::npos;
    require(code.category() == http_category() || known.contains(code) || (by_s3 && code == errc::invalid_response) ||
                (forgetful && code == errc::wrong_offset && !asked.begun_healed),
            whole.job.spec.id.str(), "failed for no good reason: " + whole.job.state.error.message());
    require(!by_s3 || (code != make_http_error(405) && code != make_http_error(501)), asked.id,
            "failed because its server does not list parts");
    // What may have been sent in duplicate counts, whoever was at fault.
    const bool duplicates = asked.is_post() && asked.policy == on_unknown::retry;
    require((!concerns_host(code) || duplicates) && code != make_http_error(401), asked.id,
            "failed, and it was its host's fault: " + whole.job.state.error.message());
    // Its age counts from the call that began the epoch; what is known here is the commit, a moment later.
    constexpr std::chrono::seconds most_for_the_commit(10);
    const auto age = present - asked.epoch_began + most_for_the_commit;
    require(code != errc::expired || age >= max_age, asked.id, "expired, and is not that old");
    look_at_source(whole);
    // A server that is well refuses nothing but what is there already.
    const bool dropped = detail.find("the server dropped the upload") != std::string::npos;
    const bool refused = code.category() == http_category() && code != make_http_error(412) && !dropped;
    require(!asked.begun_healed || !refused, asked.id,
            [&] { return "failed though everything works: " + whole.job.state.error.message(); });
    // Whoever reads that it failed sends it again. Of one that has begun anew, or that its policy has sent again, it
    // may have come the first time.
    const bool again = asked.policy == on_unknown::retry || (asked.policy != on_unknown::park && asked.untold > 0);
    const bool may_be = asked.granted > 0 || again;
    for (std::size_t i = 0; i < whole.items.size(); ++i) {
        // What the server shows is compared with the file as it is: an edit that the sample missed makes it another's.
        const bool unseen = asked.edited_unseen.contains(asked.paths[i]) && code == make_http_error(412);
        require(may_be || unseen || whole.items[i].state.status == item_status::completed || !asked.arrived.contains(i),
                asked.id, [&] {
                    return "failed, and the server has " + asked.paths[i] + ": " + whole.job.state.error.message();
                });
    }
}

// A file of which no byte was written is the accepted one, and whose items are independent has all it can have.
void checker::look_at_source(const loaded_job& whole) const {
    const stored_error& why = whole.job.state.error;
    const std::string& id = whole.job.spec.id.str();
    if (why.code == errc::file_changed && why.item < whole.items.size()) {
        const item_spec& spec = whole.items[why.item].spec;
        const auto* const now = files_.now(spec.path);
        const bool written = now == nullptr || now->identity.mtime_ns != spec.identity.mtime_ns ||
                             now->content != files_.as_pinned(spec.path, spec.identity);
        require(written, id, "failed because a file has changed, and no byte of it has");
    }
    if (why.details.detail.find("items were delivered") != std::string::npos) {
        for (const item_record& one : whole.items) {
            require(one.state.status == item_status::completed || one.state.status == item_status::failed, id,
                    "failed before all its items had their turn");
        }
    }
}

// Something that nobody has confirmed may have arrived, or the app would be asked for nothing.
void checker::look_at_doubt(const loaded_job& whole, const posted_job& asked) {
    bool open = false;
    for (std::size_t i = 0; i < whole.items.size(); ++i) {
        const bool left = asked.left.contains(asked.is_form() ? 0 : i);
        open = open || (left && whole.items[i].state.status != item_status::completed);
    }
    require(open, asked.id, "was set aside, and nothing of it can have arrived");
}

void checker::look_at_delivery(const loaded_job& whole) const {
    const posted_job& asked = jobs_.at(whole.job.spec.id.str());
    for (const item_record& i : whole.items) {
        require(i.state.status == item_status::completed, asked.id, "is completed, and not all of its items are");
    }
    for (std::size_t i = 0; i < whole.items.size(); ++i) {
        if (asked.said.contains(i)) {
            continue;
        }
        const item_spec& spec = whole.items[i].spec;
        const auto found = asked.copies.find(i);
        require(found != asked.copies.end(), asked.id, "is completed, and the server lacks " + spec.path);
        const std::string& right = files_.as_pinned(spec.path, spec.identity);
        // As it is known now, or as it was accepted: a repeated key is answered for what came under it first.
        const std::string& first = files_.as_pinned(spec.path, accepted_.at(asked.id).second.at(i));
        const auto there = [&](const std::string& content) {
            return std::find(found->second.begin(), found->second.end(), content) != found->second.end();
        };
        require(there(right) || there(first), asked.id, "is completed, and the server has other bytes of " + spec.path);
        look_at_digest(whole.items[i].state.receipt, right, asked);
    }
}

// Computed over several attempts and processes, it must still be that of the file.
void checker::look_at_digest(const std::string& receipt, const std::string& content, const posted_job& asked) {
    const auto begin = receipt.find("=:");
    for (const auto& [name, value] : asked.spec.settings) {
        if (name == "digest" && begin != std::string::npos && !asked.is_form()) {
            const std::string sum = detail::to_base64(detail::digest_of(value, content));
            require(receipt.find(value + "=:" + sum + ":") != std::string::npos, asked.id,
                    "has another digest in its receipt than its file has");
        }
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
    std::set<std::shared_ptr<const job_snapshot>> all;
    for (const auto& shown : seen.jobs()) {
        if (!shown_.contains(shown)) {  // else it is the picture that was looked at before
            look_at_picture(*shown);
        }
        all.insert(shown);
    }
    shown_ = std::move(all);
}

void checker::look_at_picture(const job_snapshot& shown) {
    const std::string& id = shown.id().str();
    const point here(shown.epoch, shown.attempt, shown.status);
    require(committed_[id].contains(here), id, [&] {
        return "is shown as " + name(shown.status) + " in attempt " + std::to_string(shown.attempt) +
               ", which was never committed";
    });
    look_at_progress(shown);
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
    const point here(shown.epoch, shown.attempt, shown.status);
    auto& [when, sent] = sent_[id];
    require(when != here || shown.status != status::uploading || shown.sent >= sent, id, [&, was = sent] {
        return "went back from " + std::to_string(was) + " to " + std::to_string(shown.sent) + " bytes in one attempt";
    });
    when = here;
    sent = shown.sent;
}

void checker::look_after_outage(const outage& away, const std::set<std::string>& unreachable,
                                std::chrono::steady_clock::time_point begun, std::chrono::milliseconds most) const {
    const auto took = present - begun;
    // An attempt asks about each part of an upload.
    const auto most_asked = 100 + 4 * (took / std::chrono::minutes(2));
    require(away.asked() < most_asked, "a host that is away",
            "is asked too often: " + std::to_string(away.asked()) + " times in half a day");
    for (const auto& [seq, whole] : disk_.jobs) {
        const posted_job& asked = jobs_.at(whole.job.spec.id.str());
        const job_state& state = whole.job.state;
        // Its last attempt may have met a connection that was refused, before it came to the file.
        const bool for_its_disk = state.reason == wait_reason::source ||
                                  std::any_of(whole.items.begin(), whole.items.end(), [&](const item_record& one) {
                                      return unreachable.contains(one.spec.path);
                                  });
        // Before that it had got on, or its disk was away.
        const bool refused_lately = state.refused_since > std::chrono::milliseconds(0) &&
                                    disk_.time.open - state.refused_since < std::chrono::hours(6);
        const bool waits = is_open(state.status) && !for_its_disk && !refused_lately && !away.concerns(asked.url());
        require(!waits || took < std::chrono::hours(6) || most < took, asked.id,
                "still waits though its host is there: " + whole.job.state.error.message());
    }
}

void checker::look_at_end(const snapshot& seen) const {
    totals rows;
    for (const auto& [seq, whole] : disk_.jobs) {
        rows[whole.job.state.status].jobs += 1;
        rows[whole.job.state.status].bytes += whole.job.spec.size;
    }
    for (std::size_t i = 0; i < status_count; ++i) {
        const totals::row& shown = seen.overall().by_status[i];
        require(shown.jobs == rows.by_status[i].jobs && shown.bytes == rows.by_status[i].bytes, "totals", [&] {
            return "say that " + std::to_string(shown.jobs) + " jobs are " + name(static_cast<status>(i)) +
                   ", and there are " + std::to_string(rows.by_status[i].jobs);
        });
    }
    for (const auto& [seq, whole] : disk_.jobs) {
        const std::string& id = whole.job.spec.id.str();
        const status now = whole.job.state.status;
        require(is_terminal(now) || is_parked(now), id, "came to rest as " + name(now));
        require(seen.at(whole.job.spec.id).status == now, id, "is shown otherwise than it is stored");
    }
}

std::uint64_t checker::completed() const {
    std::uint64_t sum = 0;
    for (const auto& [seq, whole] : disk_.jobs) {
        sum += whole.job.state.status == status::completed ? 1 : 0;
    }
    return sum;
}

}  // namespace waybill::simulation
