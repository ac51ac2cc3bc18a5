// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/http_server.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::test {

/// How a `resumable_server` behaves; the defaults are a good server.
struct resumable_behaviour {
    int interop = 8;
    bool interim = true;               ///< sends 104 with the upload's URL
    std::uint64_t progress_every = 0;  ///< sends 104 with the offset each so many bytes; 0: never
    std::string limits = "min-size=0";
    std::uint64_t body_limit = 0;  ///< a request with more is refused (413); 0: none
    double rate = 0;               ///< bytes per second of each request; 0: as fast as it goes
    bool repr_digest = false;      ///< answers the digest that was asked for
    bool digest_lies = false;      ///< … of other bytes

    // Faults, each for as many requests as it says.
    std::deque<std::uint64_t> cuts;  ///< the next bodies are cut off after so many bytes
    int lost_answers = 0;            ///< completed, and the connection closed instead of an answer
    int lost_creations = 0;
    std::deque<int> spoilt_answers;  ///< completed, and answered with these statuses, which are not the target's
    bool replays = true;             ///< tells the target's answer again
    bool forgets_completed = false;  ///< a completed upload is gone at once
    std::int64_t offset_lie = 0;     ///< added to the offset that HEAD and PATCH answer
    std::int64_t interim_lie = 0;    ///< added to the offsets in 104
    int target_status = 201;         ///< what the target says of a completed upload
    std::string location_prefix;     ///< put in front of the Location; another origin
};

/// A small, strict server of draft-ietf-httpbis-resumable-upload, written from its text: keeps what
/// arrived of a broken body, refuses what the draft forbids and remembers who did it.
///
/// @par Thread safety
///   All member functions may be called from any thread.
class resumable_server {
public:
    struct delivered {
        std::string method;
        std::string target;
        header_list headers;  ///< of the request that created the upload
        std::string body;
    };

    explicit resumable_server(resumable_behaviour how = {}, http_server_options options = {});

    [[nodiscard]] http_server& http() noexcept { return server_; }
    [[nodiscard]] const http_log& log() const noexcept { return server_.log(); }
    [[nodiscard]] std::string url(const std::string& path) const { return server_.url(path); }

    void behave(const std::function<void(resumable_behaviour&)>& change);
    /// Answers a request that a script has held up.
    void serve(exchange& x);
    /// Every upload becomes unknown (404), as after their expiry.
    void expire();

    /// What arrived whole, in order.
    [[nodiscard]] std::vector<delivered> arrived() const;
    /// What a client must not do, and did.
    [[nodiscard]] std::vector<std::string> violations() const;
    /// Body bytes taken off the wire, of all requests.
    [[nodiscard]] std::uint64_t bytes_taken() const;
    /// Uploads that are neither complete nor canceled.
    [[nodiscard]] std::size_t open_uploads() const;
    [[nodiscard]] int canceled() const;

private:
    struct upload {
        delivered what;
        std::optional<std::uint64_t> length;
        bool complete = false;
        std::string wanted_digest;
        int holder = 0;  // the request that may append; another one takes its place
    };
    using handle = std::shared_ptr<upload>;

    void create(exchange& x, const received_request& r);
    void append(exchange& x, const received_request& r, const handle& to);
    void receive(exchange& x, const received_request& r, const handle& to, bool last, const std::string& location);
    void finish(exchange& x, const handle& to);
    void tell(exchange& x, const handle& of);
    bool require(bool kept, const std::string& otherwise);
    [[nodiscard]] handle find(const std::string& target) const;
    [[nodiscard]] resumable_behaviour behaviour() const;
    [[nodiscard]] header_list fields(const resumable_behaviour& how, std::uint64_t offset, bool complete) const;
    [[nodiscard]] header_list answer_fields(const resumable_behaviour& how, std::uint64_t offset) const;

    mutable std::mutex mutex_;
    resumable_behaviour how_;
    std::map<std::string, handle> uploads_;  // by path
    std::vector<delivered> arrived_;
    std::vector<std::string> violations_;
    std::uint64_t taken_ = 0;
    int canceled_ = 0;
    int next_ = 1;
    int next_holder_ = 1;
    http_server server_;  // last: its threads use the rest
};

}  // namespace waybill::test
