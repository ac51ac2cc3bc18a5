// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/persistent_trie.hpp>
#include <waybill/error.hpp>
#include <waybill/model/hold.hpp>
#include <waybill/model/id_index.hpp>
#include <waybill/model/ids.hpp>
#include <waybill/model/record.hpp>
#include <waybill/model/status.hpp>
#include <waybill/model/totals.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waybill {

/// Bytes as a fraction of the total, in [0, 1]; for a total of 0 bytes it is 1 once the item is done.
[[nodiscard]] constexpr double progress_of(std::uint64_t part, std::uint64_t whole, bool done) noexcept {
    if (done) {
        return 1.0;
    }
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// One item in a snapshot.
struct item_snapshot {
    std::string name;
    std::string path;  ///< empty for bytes from memory
    item_status status = item_status::pending;
    std::uint64_t size = 0;
    std::uint64_t sent = 0;       ///< bytes handed to the network in the current attempt, or confirmed before
    std::uint64_t confirmed = 0;  ///< bytes the server has confirmed
    int attempt = 0;              ///< the job's attempt this item is in
    double speed = 0;             ///< bytes per second; 0 when it is not being sent
    std::optional<std::chrono::seconds> time_left;
    /// The unfinished upload at the server, its URL or id, once that is durable: another client can continue there.
    /// Anyone who has it may do so; do not log it. Empty: not known.
    std::string resource;
    std::string receipt;  ///< what the server returned for the completed item: an ETag, a digest, a URL
    stored_error error;   ///< set on the item the job failed at

    [[nodiscard]] double progress() const noexcept { return progress_of(sent, size, status == item_status::completed); }
};

/// What a job is doing right now, finer than its stored status.
enum class activity : std::uint8_t {
    none,               ///< it is not running
    restoring,          ///< checks its files, asks the server what it has
    sending,            ///< bytes are being sent
    awaiting_response,  ///< all bytes of a request are sent; the server is working
};

/// One job in a snapshot. Copies are cheap: what never changes is shared.
struct job_snapshot {
    /// What never changes while the job lives in one epoch.
    struct fixed {
        job_id id;
        std::string lane;
        std::string url;  ///< without its query, which may hold a signature
        std::string protocol;
        std::uint64_t size = 0;
        unix_millis accepted{};
        struct item {
            std::string name;
            std::string path;
            std::uint64_t size = 0;
        };
        std::vector<item> items;
    };
    /// What the server has or returned; as in `item_snapshot`. Shared, so that copies stay cheap.
    struct server_side {
        std::string resource;
        std::string receipt;
    };
    /// What changes, for each item.
    struct item_progress {
        item_status status = item_status::pending;
        std::uint64_t sent = 0;
        std::uint64_t confirmed = 0;
        double speed = 0;
        std::shared_ptr<const server_side> there = nullptr;  ///< null: nothing is known
    };

    job_seq seq{};
    std::shared_ptr<const fixed> about;
    waybill::status status = waybill::status::pending;
    wait_reason reason = wait_reason::none;
    activity doing = activity::none;
    bool pausing = false;  ///< it will be paused: the request that must not be repeated is seen to its end first
    std::shared_ptr<const job_pause> pause;  ///< what the app said when it paused the job; null: it is not paused
    std::string negotiated_protocol;         ///< the protocol that `automatic` has chosen; empty: the job's own
    int epoch = 1;
    int attempt = 0;
    unix_millis not_before{};           ///< when waiting: the next attempt, or
    std::chrono::milliseconds wait{0};  ///< this long from now, if that is sooner: clocks are put right
    unix_millis finished{};             ///< when terminal
    stored_error error;                 ///< the last one; stays visible while the job is retried
    double speed = 0;                   ///< bytes per second
    std::uint64_t sent = 0;
    std::uint64_t confirmed = 0;
    std::string resource;  ///< as in `item_snapshot`, for a job that is one upload
    std::vector<item_progress> progress_of_items;

    [[nodiscard]] const job_id& id() const noexcept { return about->id; }
    [[nodiscard]] std::uint64_t size() const noexcept { return about->size; }
    [[nodiscard]] bool terminal() const noexcept { return is_terminal(status); }
    [[nodiscard]] double progress() const noexcept { return progress_of(sent, size(), status == status::completed); }

    /// How long a waiting job waits for its next attempt; zero: it is due.
    [[nodiscard]] std::chrono::milliseconds until_next_attempt(
        std::chrono::system_clock::time_point now) const noexcept {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(not_before - now);
        return std::clamp(left, std::chrono::milliseconds(0), std::max(wait, std::chrono::milliseconds(0)));
    }

    [[nodiscard]] std::optional<std::chrono::seconds> time_left() const noexcept {
        return left_at(speed, size() - sent);
    }

    /// The last error, its remedy, and the job's disposition, in one line; empty when nothing failed. Whether the job
    /// is retried follows from its status, not from the error: the same error may be its first or its last.
    [[nodiscard]] std::string message() const {
        std::string text = error.message();
        if (!error || status == status::completed || status == status::canceled || is_parked(status)) {
            return text;
        }
        if (status != status::failed) {
            return text + "; retried automatically";
        }
        const bool said = error.code.message().find("retry the job") != std::string::npos;
        const bool no_use = error.code == errc::record_damaged;  // its record cannot be trusted: it can only be removed
        return said || no_use ? text : text + "; retry the job once that is fixed";
    }

    [[nodiscard]] std::size_t item_count() const noexcept { return about->items.size(); }

    [[nodiscard]] item_snapshot item(std::size_t index) const {
        const fixed::item& what = about->items.at(index);
        const item_progress& how = progress_of_items.at(index);
        item_snapshot result;
        result.name = what.name;
        result.path = what.path;
        result.size = what.size;
        result.status = how.status;
        result.sent = how.sent;
        result.confirmed = how.confirmed;
        result.speed = how.speed;
        result.attempt = attempt;
        result.time_left = left_at(how.speed, what.size - how.sent);
        if (how.there) {
            result.resource = how.there->resource;
            result.receipt = how.there->receipt;
        }
        if (error && error.item == index) {
            result.error = error;
        }
        return result;
    }

private:
    [[nodiscard]] static std::optional<std::chrono::seconds> left_at(double speed, std::uint64_t bytes) noexcept {
        if (speed < 1) {
            return std::nullopt;
        }
        return std::chrono::seconds(static_cast<std::int64_t>(static_cast<double>(bytes) / speed + 0.5));
    }
};

/// An immutable view of all state. Everything in it except byte counts is committed to the store.
///
/// Lists the jobs in the order of their acceptance: all that are active, and the others up to
/// `options::snapshot_jobs`; `overall()` counts every job.
///
/// @par Thread safety
///   Immutable: any number of threads may read the same snapshot.
class snapshot {
public:
    using job_map = detail::persistent_trie<job_seq, std::shared_ptr<const job_snapshot>>;

    snapshot() = default;
    snapshot(std::uint64_t version, job_map jobs, detail::id_index ids, totals overall, std::uint64_t sent,
             bool cleaning = false, std::shared_ptr<const std::string> moved_aside = nullptr,
             std::shared_ptr<const std::vector<hold>> holds = nullptr, bool all_held = false)
        : version_(version), jobs_(std::move(jobs)), ids_(std::move(ids)), overall_(overall), sent_(sent),
          cleaning_(cleaning), moved_aside_(std::move(moved_aside)), holds_(std::move(holds)), all_held_(all_held) {}

    /// Grows with every snapshot of one uploader.
    [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

    /// The listed jobs, to iterate over: `for (const auto& job : snap->jobs()) use(job->id());`
    [[nodiscard]] const job_map& jobs() const noexcept { return jobs_; }

    /// The job, or null when it is not listed.
    [[nodiscard]] std::shared_ptr<const job_snapshot> find(const job_id& id) const {
        const job_snapshot* const found = search(id);
        return found == nullptr ? nullptr : *jobs_.find(found->seq);
    }

    /// The job. Throws `errc::unknown_job` when it is not listed.
    [[nodiscard]] const job_snapshot& at(const job_id& id) const {
        if (const job_snapshot* const found = search(id)) {
            return *found;
        }
        throw error(errc::unknown_job, id.str());
    }

    [[nodiscard]] const totals& overall() const noexcept { return overall_; }
    /// Bytes of all jobs together.
    [[nodiscard]] std::uint64_t size() const noexcept { return overall_.bytes(); }
    /// Bytes sent of all jobs together: all bytes of completed jobs, and what listed jobs have sent.
    [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
    /// True when no job has work left: all are final or parked.
    [[nodiscard]] bool idle() const noexcept { return overall_.open() == 0; }
    /// True when no job can go on: all are final or parked, or held by a pause of their lane or of all jobs.
    [[nodiscard]] bool at_rest() const noexcept { return idle() || all_held_; }
    /// What keeps all jobs, or those of a lane, from starting (`async_pause` with a `selection`); all jobs first, then
    /// by lane. The jobs themselves do not show it: thousands need not change for one rule.
    [[nodiscard]] const std::vector<hold>& holds() const noexcept {
        static const std::vector<hold> none;
        return holds_ ? *holds_ : none;
    }
    /// The first of them that concerns this job; null when there is none, or the job is finished or parked.
    [[nodiscard]] const hold* hold_on(const job_snapshot& job) const noexcept {
        if (is_open(job.status)) {
            for (const hold& one : holds()) {
                if (one.which.includes_lane(job.about->lane)) {
                    return &one;
                }
            }
        }
        return nullptr;
    }
    /// True while abandoned uploads are being deleted on servers. Deletions that failed and wait for a later retry do
    /// not count.
    [[nodiscard]] bool cleaning() const noexcept { return cleaning_; }
    /// The new name of the store that was found damaged when this uploader opened it (`damaged_store::move_aside`);
    /// empty: it was sound.
    [[nodiscard]] std::string moved_aside() const { return moved_aside_ ? *moved_aside_ : std::string(); }

private:
    [[nodiscard]] const job_snapshot* search(const job_id& id) const {
        if (const auto* const same = ids_.find(detail::hash_of(id))) {
            for (const job_seq seq : **same) {
                const auto* const listed = jobs_.find(seq);
                if (listed != nullptr && (*listed)->id() == id) {
                    return listed->get();
                }
            }
        }
        return nullptr;
    }

    std::uint64_t version_ = 0;
    job_map jobs_;
    detail::id_index ids_;
    totals overall_;
    std::uint64_t sent_ = 0;
    bool cleaning_ = false;
    std::shared_ptr<const std::string> moved_aside_;
    std::shared_ptr<const std::vector<hold>> holds_;
    bool all_held_ = false;
};

}  // namespace waybill
