// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the other side knows: the truth the promises are checked against.

#include <waybill/testing/manual_clock.hpp>
#include <waybill/testing/memory_store.hpp>
#include <waybill/testing/seeded_random.hpp>
#include <waybill/waybill.hpp>

#include "simulation/arrival.hpp"
#include "simulation/file_history.hpp"
#include "simulation/outage.hpp"
#include "simulation/posted_job.hpp"
#include "simulation/uploads.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace waybill::simulation {

/// A server that keeps what it got and counts what it made visible. What breaks a promise is
/// remembered, not thrown: an exception here would look like a network error.
class server_model {
public:
    server_model(std::map<std::string, posted_job>& jobs, const file_history& files, const testing::memory_disk& disk,
                 testing::manual_clock& time, testing::seeded_random& random)
        : jobs_(jobs), files_(files), disk_(disk), random_(random), uploads_(*this, time, random) {}

    bool healed = false;
    bool prompt = false;  ///< it never asks for patience
    outage away;
    /// For so many turns something is known of a marked request that is not on the disk yet.
    int tense = 0;
    std::string violation;
    std::set<selection> paused;  ///< `async_pause` has completed, and nothing else was asked since

    [[nodiscard]] upload_server& uploads() noexcept { return uploads_; }

    /// Somebody wants to send this: may they?
    void asked(const request& what);
    /// The connection stands.
    [[nodiscard]] std::unique_ptr<arrival> accept(const request& what);
    /// All of a request has been handed over: whether or not it comes, it may.
    void may_arrive(const request& what);
    /// Somebody in between breaks over this very request.
    [[nodiscard]] bool breaks_over(const request& what) const;
    /// The client has this answer: from now on it matters what becomes of it.
    void note_answer(const request& what, const response& answer);
    /// What the app's backend says of an item of a job, or of the whole job.
    [[nodiscard]] verification verify(const std::string& id, std::size_t item) const;

    // For those who take requests in.
    void violate(const std::string& what);
    [[nodiscard]] int draw_status(bool of_upload);
    [[nodiscard]] const loaded_job* stored(const std::string& id) const;
    /// The client has given this upload up, and is about to remove it.
    [[nodiscard]] bool is_given_up(const std::string& url) const;
    /// The last byte is here of what is not to be repeated blindly: that must be on the disk.
    void require_marked(posted_job& job, std::size_t item);
    /// Makes an item visible.
    void show(posted_job& job, std::size_t item, std::string content);
    /// The same for a form, with all its parts.
    void show_form(posted_job& job, const std::string& content_type, const std::string& body);
    /// The parts of a form; empty when they are not those of its job.
    [[nodiscard]] std::vector<std::string> parts_of(const posted_job& job, const std::string& content_type,
                                                    const std::string& body);

private:
    std::map<std::string, posted_job>& jobs_;
    const file_history& files_;
    const testing::memory_disk& disk_;
    testing::seeded_random& random_;
    upload_server uploads_;
};

}  // namespace waybill::simulation
