// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>
#include <waybill/error.hpp>
#include <waybill/model/checkpoint.hpp>
#include <waybill/model/doubt.hpp>
#include <waybill/model/fingerprint.hpp>
#include <waybill/model/ids.hpp>
#include <waybill/model/item.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/status.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

namespace waybill {

/// Wall-clock time as it is stored: milliseconds since 1970-01-01 UTC.
using unix_millis = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

/// A file's identity. All five are compared while it is open; `detail::compare` decides which of them must match when
/// it is reopened, and when its content is compared instead.
struct file_identity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_ns = 0;

    bool operator==(const file_identity&) const = default;
};

/// The store's own time: it advances while the store is open, plus at most one day for each time it was closed.
/// Adjusting the wall clock does not affect it.
struct store_time {
    std::chrono::milliseconds open{0};    ///< for how long it has been open, in all
    std::chrono::milliseconds closed{0};  ///< for how long it was closed in between, as far as that counts
    unix_millis wall{};                   ///< the wall clock's value then

    /// Both together: finished jobs are deleted by this time.
    [[nodiscard]] std::chrono::milliseconds all() const noexcept { return open + closed; }
};

/// An error as it is kept with a job: the code and its details.
struct stored_error {
    std::error_code code;
    diagnostics details;
    /// The item it happened to; `checkpoint::whole_job` when it concerns the whole job.
    std::size_t item = checkpoint::whole_job;

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(code); }
    bool operator==(const stored_error&) const = default;

    /// Cause and remedy in one line.
    [[nodiscard]] std::string message() const {
        if (!code) {
            return {};
        }
        return details.detail.empty() ? code.message() : details.detail + ": " + code.message();
    }
};

/// The part of a job that is fixed when it is accepted.
struct job_spec {
    job_id id;
    std::string lane;
    /// Jobs of this origin keep their order within the lane; those of others pass while it waits. Empty: it keeps order
    /// with every job of its lane that has none.
    std::string origin;
    std::string url;
    protocol_spec protocol;
    detail::string_pairs headers;
    detail::string_pairs fields;
    on_unknown if_unknown = on_unknown::park;
    on_item_failure if_item_fails = on_item_failure::stop;
    std::string verifier;    ///< the hook that may know its outcome
    std::uint64_t size = 0;  ///< sum of the items' sizes
    std::size_t item_count = 0;
    unix_millis accepted{};
    std::uint32_t content = 0;  ///< checksum of what the app asked for: distinguishes a repeat from a conflict
    std::string unknown;        ///< fields of a newer version, kept as they are
};

/// Where the pipeline continues after a crash.
enum class stage : std::uint8_t {
    upload = 0,    ///< bytes are still to be sent
    finalize = 1,  ///< every byte is confirmed
};

/// No pause lasts longer.
inline constexpr std::chrono::hours longest_pause{24 * 3650};
/// The last second of the year 9999.
inline constexpr unix_millis latest_time{std::chrono::milliseconds(253'402'300'799'000)};

/// What the app said when it paused a job.
struct job_pause {
    unix_millis until{};                   ///< it goes on by itself then, or
    std::chrono::milliseconds lasting{0};  ///< this long after it was said: clocks are put right. Zero: never
    std::string why;                       ///< in the app's words

    bool operator==(const job_pause&) const = default;
};

/// The part of a job that changes.
struct job_state {
    waybill::status status = waybill::status::pending;
    waybill::stage stage = waybill::stage::upload;
    wait_reason reason = wait_reason::none;
    int epoch = 1;                         ///< epochs so far: one more for each explicit retry
    int attempt = 0;                       ///< attempts started in this epoch
    int failures = 0;                      ///< attempts failed in a row without confirmed progress
    int early_cuts = 0;                    ///< connections in a row lost in mid-body: a refusal may be unacknowledged
    waybill::intent intent;                ///< that a request may arrive from now on
    unix_millis not_before{};              ///< the next attempt begins no earlier, or
    std::chrono::milliseconds wait{0};     ///< this long after it was reported: clocks are adjusted
    unix_millis epoch_began{};             ///< acceptance or last retry
    std::chrono::milliseconds began{0};    ///< the same in the store's time: how long it had been open
    unix_millis finished{};                ///< when it became terminal
    std::chrono::milliseconds retired{0};  ///< the same in the store's time, `store_time::all()`
    int troubles = 0;  ///< failed attempts in a row, of any cause; while the job is refused, only refusals
    std::chrono::milliseconds refused_since{0};  ///< in the store's open time: the first of refusals in a row
    job_pause pause;                             ///< while it is paused
    std::string negotiated_protocol;             ///< the protocol that was negotiated, when it is not the job's own
    std::string key;                             ///< 32 hexadecimal digits, random for each (job, epoch)
    stored_error error;                          ///< the last one
    std::string unknown;                         ///< as in `job_spec`
};

/// `job_state::retired` of a job that is not deleted by age.
inline constexpr std::chrono::milliseconds never_retired = std::chrono::milliseconds::max();

struct job_record {
    job_seq seq{};
    job_spec spec;
    job_state state;

    /// The protocol that transfers this job: the negotiated one, or the job's own.
    [[nodiscard]] protocol_spec effective_protocol() const {
        return state.negotiated_protocol.empty() ? spec.protocol : protocol_spec{state.negotiated_protocol, {}};
    }
};

/// The part of an item that is fixed until the job is retried.
struct item_spec {
    source_kind kind = source_kind::file;
    std::string path;          ///< absolute, for files and ranges
    std::uint64_t offset = 0;  ///< first byte of a range
    std::uint64_t size = 0;    ///< bytes to send
    file_identity identity;    ///< of the file, when it was pinned
    file_fingerprint content;  ///< of the bytes to send, when it was pinned
    bool append_only = false;  ///< the file may grow
    std::string name;
    std::string field;  ///< of a form; empty: use the protocol's setting
    std::string content_type;
    std::string data;     ///< the bytes of a `source_kind::bytes` item
    std::string unknown;  ///< as in `job_spec`
};

/// The part of an item that changes.
struct item_state {
    item_status status = item_status::pending;
    std::uint64_t confirmed = 0;  ///< bytes the server has confirmed
    std::string receipt;          ///< what the server returned for it: an ETag, a digest, a URL
    std::string unknown;          ///< as in `job_spec`
};

struct item_record {
    item_spec spec;
    item_state state;
};

/// A whole job, as the pipeline works on it.
struct loaded_job {
    job_record job;
    std::vector<item_record> items;
    std::vector<checkpoint> checkpoints;
    bool damaged = false;  ///< a checksum did not match: only `seq` and `id` may be trusted
};

}  // namespace waybill
