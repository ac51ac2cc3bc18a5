// SPDX-License-Identifier: BSL-1.0
#pragma once

// One protocol, its server and the files of a job: what each clause of the contract begins with.

#include "loopback/contract/protocol_under_contract.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/temp_dir.hpp"

#include <asio/use_future.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

class contract_scene {
public:
    explicit contract_scene(protocol_under_contract what) : what_(std::move(what)), server_(what_.make_server()) {}

    [[nodiscard]] contract_server& server() noexcept { return *server_; }
    [[nodiscard]] const capabilities& can() const noexcept { return what_.can; }

    /// A job of files with these contents.
    job job_of(const std::vector<std::string>& contents) {
        job one = server_->make_job();
        for (std::size_t i = 0; i < contents.size(); ++i) {
            one.file(dir_.write(file_name(i), contents[i]));
        }
        return one;
    }
    /// The file of an item is another one from now on.
    void change_file(std::size_t item) const { dir_.write(file_name(item), "other bytes"); }

    /// What breaks is tried again soon.
    options quick() const { return tuned(quick_options(dir_)); }
    /// What breaks is tried again when the test says so.
    options patient() const {
        options how = tuned(patient_options(dir_));
        how.retry.host_pause = how.retry.host_pause_cap = std::chrono::hours(1);
        return how;
    }
    [[nodiscard]] std::string store_path() const { return quick().store.path; }

    /// Body bytes that the server has taken of requests that carry items.
    [[nodiscard]] std::uint64_t bytes_taken() const {
        std::uint64_t sum = 0;
        for (const received_request& r : server_->http().requests()) {
            sum += server_->carries(r) ? r.body_bytes : 0;
        }
        return sum;
    }

    /// What has arrived is exactly this, each item once.
    void require_arrived(const std::vector<std::string>& contents) const {
        const std::vector<std::string> there = server_->arrived();
        CHECK(there.size() == (what_.can.is_form ? std::min<std::size_t>(1, contents.size()) : contents.size()));
        for (const std::string& content : contents) {
            const bool found = std::any_of(there.begin(), there.end(), [&](const std::string& body) {
                return what_.can.is_form ? body.find(content) != std::string::npos : body == content;
            });
            CHECK(found);
        }
    }

    /// What a form has besides its items; nothing else may have it.
    [[nodiscard]] std::uint64_t overhead() const noexcept { return what_.can.is_form ? 4096 : 0; }

private:
    static std::string file_name(std::size_t item) { return "item-" + std::to_string(item); }

    options tuned(options how) const {
        what_.tune(how);
        return how;
    }

    temp_dir dir_;
    protocol_under_contract what_;
    std::unique_ptr<contract_server> server_;
};

/// The server has met a script of this name.
[[nodiscard]] inline bool has_met(const http_log::requests& all, const std::string& name) {
    return std::any_of(all.begin(), all.end(), [&](const received_request& r) { return r.script == name; });
}
/// The same, and is done with it.
inline void wait_until_over(const http_log& log, const std::string& name) {
    log.wait_until(name, [&](const http_log::requests& all) {
        return std::any_of(all.begin(), all.end(), [&](const auto& r) { return r.script == name && r.over; });
    });
}

/// Waits for the break that `contract_server::cut` makes, of a job that is left alone then: nothing more is sent.
inline void wait_until_broken(contract_scene& s, delivery& uploads, const job_id& id) {
    wait_until_over(s.server().http().log(), "cut");
    if (!s.can().repeats_within_attempt) {  // else it may wait within its attempt
        REQUIRE(uploads.waiting(id).status == status::waiting);
    }
}

/// Ends the waiting of a job whose attempt has failed.
inline void try_again(delivery& uploads, const job_id& id) {
    uploads.up().async_retry(id, asio::use_future).get();
}

/// The next process on the same store, which goes on with the job at once.
inline std::unique_ptr<delivery> next_process(const options& how, const job_id& id) {
    auto uploads = std::make_unique<delivery>(how);
    const job_snapshot found =
        uploads->wait_until(id, [](const job_snapshot& j) { return j.status != status::pending; });
    if (found.status == status::waiting) {
        try_again(*uploads, id);
    }
    return uploads;
}

}  // namespace waybill::test
