// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/job.hpp>
#include <waybill/model/record.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::simulation {

/// A broken promise; its text says which.
struct broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// How a job is spoken.
enum class way : std::uint8_t { put, post, form, tus, resumable, resumable_form, s3 };

inline constexpr std::array<std::pair<std::string_view, way>, 7> ways = {{
    {"put", way::put},
    {"post", way::post},
    {"form", way::form},
    {"tus", way::tus},
    {"resumable", way::resumable},
    {"resumable_form", way::resumable_form},
    {"s3", way::s3},
}};

/// A job as the app and its server know it.
struct posted_job {
    std::string id;
    way via = way::put;
    bool conditional = false;  ///< nothing may be there yet
    bool automatic = false;    ///< what its endpoint speaks is found out by asking
    int deaf = 0;              ///< its endpoint breaks over OPTIONS: 1 answers 500, 2 hangs up
    int shows = 0;             ///< of an object its endpoint shows 0 an MD5, 1 a digest, 2 only its size
    int list_status = 0;       ///< with which its server of S3 answers lists of parts; 0: with lists
    std::string gone_code;     ///< what that says of an upload it does not know
    protocol_spec spec;
    on_unknown policy = on_unknown::park;
    bool verified = false;
    std::vector<std::string> paths;
    bool append_only = false;                ///< its files are logs
    bool independent = false;                ///< an item that fails does not stop the others
    std::optional<fingerprint_scope> scope;  ///< by how much of them its files are known
    std::string batch;
    std::string host = "server.test";

    // What the app knows and wants.
    bool accepted = false;                ///< `async_enqueue` has completed
    bool cancel_confirmed = false;        ///< `async_cancel` has completed, and nothing else was asked since
    bool pause_confirmed = false;         ///< `async_pause` has completed, and nothing else was asked since
    bool said_completed = false;          ///< the app has said so itself
    std::set<std::string> edited_unseen;  ///< files whose edits a sample may have missed
    bool said_by_backend = false;         ///< its backend has: what is at the server may be the very object
    std::set<std::size_t> said;           ///< of these items
    int pauses_asked = 0;                 ///< and resumptions
    int unanswered = 0;                   ///< times it has asked to send it again whose end is not known

    // What was seen.
    int granted = 0;     ///< times it began anew because the app had asked for it
    bool tried = false;  ///< something was asked about it in its present attempt
    std::chrono::steady_clock::time_point epoch_began{};
    bool begun_healed = false;      ///< its present attempt began when everything worked
    int untold = 0;                 ///< uploads that were finished, and that nobody can ask about
    std::set<std::size_t> left;     ///< items of which a last byte has left for which a mark is needed
    std::set<std::size_t> arrived;  ///< items that came with a request that is not to be repeated blindly
    std::set<std::string> keys;     ///< the `Idempotency-Key`s of its posts

    /// What the server has made visible, of each item and in order. A form is there in all of them.
    std::map<std::size_t, std::vector<std::string>> copies;

    [[nodiscard]] bool is_form() const noexcept { return via == way::form || via == way::resumable_form; }
    /// Its server can be asked what it has.
    [[nodiscard]] bool is_upload() const noexcept { return via != way::put && via != way::post && via != way::form; }
    [[nodiscard]] std::string lane() const { return id.back() % 2 == 0 ? "even" : "odd"; }
    /// What it sends in one request is not to be repeated blindly.
    [[nodiscard]] bool is_post() const noexcept { return via == way::post || is_form(); }

    /// Something of it is there, so a condition that nothing may be does not hold.
    [[nodiscard]] bool is_there(std::size_t item) const {
        const auto found = copies.find(item);
        return found != copies.end() && !found->second.empty();
    }

    [[nodiscard]] std::string url() const {
        static const std::map<way, std::string> names = {{way::put, "put"},
                                                         {way::post, "post"},
                                                         {way::tus, "tus"},
                                                         {way::resumable, "resumable"},
                                                         {way::resumable_form, "forms"},
                                                         {way::s3, "s3"}};
        const bool keyed = policy == on_unknown::retry_same_key;
        const std::string kind = via == way::form ? (keyed ? "keyed" : "posts") : names.at(via);
        return "http://" + host + "/" + kind + "/" + id + "/";
    }

    /// How often an item may become visible; more is a duplicate that nobody wanted.
    [[nodiscard]] std::size_t most_copies() const noexcept {
        const auto asked = static_cast<std::size_t>(1 + granted);
        if (verified || policy == on_unknown::park) {
            return asked;
        }
        if (is_upload()) {
            return asked + static_cast<std::size_t>(untold);
        }
        return policy == on_unknown::retry ? static_cast<std::size_t>(-1) : asked;
    }
};

/// What a newer version of the library notes in each record of a job; this one does not know it.
[[nodiscard]] inline std::string newer_field(const loaded_job& whole) {
    return "a newer field of " + whole.job.spec.id.str();
}

inline void add_newer_fields(loaded_job& whole) {
    whole.job.spec.unknown = whole.job.state.unknown = newer_field(whole);
    for (item_record& one : whole.items) {
        one.spec.unknown = one.state.unknown = newer_field(whole);
    }
}

/// The job that a URL of ours is about.
[[nodiscard]] inline std::string job_in(const std::string& url) {
    const auto kind = url.find('/', std::string("http://").size()) + 1;
    const auto begin = url.find('/', kind) + 1;
    return url.substr(begin, url.find('/', begin) - begin);
}

}  // namespace waybill::simulation
