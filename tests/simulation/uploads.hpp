// SPDX-License-Identifier: BSL-1.0
#pragma once

// The server's side of tus 1.0.0, of resumable uploads and of S3: upload resources, kept as they come.

#include <waybill/testing/manual_clock.hpp>
#include <waybill/testing/seeded_random.hpp>

#include "simulation/arrival.hpp"
#include "simulation/posted_job.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace waybill::simulation {

class server_model;

/// One upload resource, with what its client can know of it.
struct upload {
    posted_job* job = nullptr;
    std::size_t item = 0;
    std::string content_type;
    std::optional<std::uint64_t> length;
    std::string data;
    bool complete = false;
    bool partial = false;  ///< of tus: one of those that are to be concatenated
    bool gone = false;     ///< deleted, dropped, or put away
    std::chrono::steady_clock::time_point expires = std::chrono::steady_clock::time_point::max();

    bool heard = false;            ///< the client was told its URL
    bool committed = false;        ///< and has had it on its disk
    bool early = false;            ///< it was told so before the whole body had left
    bool cut_back = false;         ///< bytes were lost that the client was told of
    bool untold = false;           ///< it was counted as finished, and nobody can ask about it
    bool excused = false;          ///< nobody can be expected to clean it up
    std::uint64_t told = 0;        ///< the offset the client was told last
    std::uint64_t confirmed = 0;   ///< the highest one
    std::uint64_t generation = 0;  ///< of the request that appends to it

    // Of one in parts.
    struct part {
        std::string data;
        std::string etag;
        std::string checksum;
        bool heard = false;  ///< the client knows that it is there
    };
    std::map<std::uint64_t, part> parts;
    std::string token;  ///< of the object it is to become
    std::string algorithm;
    bool says_md5 = true;  ///< in ETags
};

/// What a key of S3 has.
struct object {
    std::string token;
    std::string data;
    bool summed = false;  ///< it is told with a checksum of the whole
    bool hidden = false;
};

class upload_server {
public:
    upload_server(server_model& server, testing::manual_clock& time, testing::seeded_random& random)
        : server_(server), time_(time), random_(random) {}

    [[nodiscard]] std::unique_ptr<arrival> accept(const request& what, posted_job& job);
    /// Null when there never was one of that URL.
    [[nodiscard]] upload* find(const std::string& url);
    /// The client forgets what it heard and has not on its disk.
    void excuse_uncommitted();
    /// After everything was cleaned up: what is left that nobody wants. Empty: nothing.
    [[nodiscard]] std::string left_over() const;

private:
    class upload_request;
    class tus_request;
    class resumable_request;
    class object_request;

    [[nodiscard]] std::unique_ptr<arrival> accept_object(const request& what, posted_job& job);
    [[nodiscard]] std::string place(posted_job& job, const request& what);
    void look_whether_gone(upload& one);
    void lose_tail(upload& one);
    void require_none_open(const posted_job& job, std::size_t item);
    void count_untold(upload& one);
    void complete(upload& one, bool denied);
    void remove(const std::string& url, upload& one);

    server_model& server_;
    testing::manual_clock& time_;
    testing::seeded_random& random_;
    std::map<std::string, upload> all_;
    std::map<std::string, object> objects_;
};

}  // namespace waybill::simulation
