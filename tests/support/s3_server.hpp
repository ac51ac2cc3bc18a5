// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/http_server.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::test {

/// How an `s3_server` behaves; the defaults are a good server.
struct s3_behaviour {
    std::string region = "us-east-1";
    std::string session_token;                ///< that requests must have; empty: none
    std::string token_code = "InvalidToken";  ///< what it says of another one
    std::string gone_code = "NoSuchUpload";   ///< what it says of an upload it does not know
    std::int64_t clock_ahead = 0;             ///< seconds that its clock is ahead of this machine's
    std::uint64_t list_page = 1000;           ///< parts that ListParts tells at once
    std::uint64_t least_part = 5 << 20;       ///< of all parts but the last
    double rate = 0;                          ///< bytes per second of each request; 0: as fast as it goes
    bool keeps_bytes = true;                  ///< else only digests and sizes, for large objects
    bool logs_bodies = true;                  ///< else the log of requests is without them
    bool etags_are_md5 = true;                ///< else they say nothing of the bytes, as with encryption by KMS
    bool knows_checksums = true;
    bool lists_checksums = true;
    std::optional<std::uint64_t> refuses_parts_after;  ///< answers parts with 403 once it has so many of them
    bool refuses_lists = false;                        ///< answers ListParts with 403
    bool hides = false;                                ///< answers HEAD with 403, as to keys that may only write
    std::optional<reply> instead_of_list;              ///< answers ListParts so
    bool makes_buckets = false;                        ///< takes a PUT for the creation of a bucket
    bool wants_md5 = false;                            ///< of all bytes, as buckets do that lock their objects
    int refuses_every = 0;                             ///< one part in so many is refused with 503 SlowDown

    // Faults, each for as many requests as it says.
    int slow_downs = 0;              ///< parts refused with 503 SlowDown
    int damaged_parts = 0;           ///< parts refused with BadDigest
    int wrong_etags = 0;             ///< parts kept, and answered with another ETag than they have
    int missing_etags = 0;           ///< parts or objects kept, and answered without an ETag
    int lost_bodies = 0;             ///< objects answered 200 without an ETag, and not kept
    int emptied_bodies = 0;          ///< objects whose bytes get lost before the server, which then keeps none
    int conflicts = 0;               ///< objects refused with 409 because of `If-None-Match`; an upload is spoilt by it
    int lost_part_answers = 0;       ///< parts kept, and the connection closed instead of an answer
    std::deque<std::uint64_t> cuts;  ///< the next parts are cut off after so many bytes
    int failed_completions = 0;      ///< answered 200, with white space and an <Error>
    int empty_completions = 0;       ///< completed, and answered 200 with nothing
    int failed_after_all = 0;        ///< completed, and answered with the status `failure`
    int failure = 503;
    int lost_completions = 0;      ///< completed, and the connection closed instead of an answer
    int late_lists = 0;            ///< lists that still tell of an upload that is completed
    int cut_lists = 0;             ///< lists of parts that end in their middle
    bool lists_loop = false;       ///< each page of a list says that it goes on with the same part
    int busy_lists = 0;            ///< lists of parts refused with 503
    int ignored_aborts = 0;        ///< answered 204, and the upload is still there
    bool damages_objects = false;  ///< says that a completed object has another checksum than it has
    bool moves_completed = false;  ///< a completed object is taken away at once
};

/// A small, strict S3 server, written from the API reference: verifies every signature by itself,
/// refuses what S3 refuses, and remembers who did what must not be done.
///
/// @par Thread safety
///   All member functions may be called from any thread.
class s3_server {
public:
    static constexpr const char* access_key = "AKIDEXAMPLE";
    static constexpr const char* secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    struct object {
        std::string data;
        std::uint64_t size = 0;
        std::string etag;
        std::string checksum;                ///< CRC-32C of all of it, in base64; empty: none was asked for
        std::vector<std::string> part_sums;  ///< the SHA-256 of each part, in hexadecimal
        header_list headers;                 ///< of the request that made it
    };

    explicit s3_server(s3_behaviour how = {}, http_server_options options = {});

    [[nodiscard]] http_server& http() noexcept { return server_; }
    [[nodiscard]] const http_log& log() const noexcept { return server_.log(); }
    [[nodiscard]] std::string url(const std::string& path) const { return server_.url(path); }

    void behave(const std::function<void(s3_behaviour&)>& change);
    /// Answers a request that a script has held up.
    void serve(exchange& x);
    /// Every upload becomes unknown, as when a lifecycle rule aborts it.
    void abort_all();
    /// Puts other bytes in place of a part, behind the client's back.
    void replace_part(int number, const std::string& bytes);

    /// The objects, by decoded path.
    [[nodiscard]] std::map<std::string, object> objects() const;
    [[nodiscard]] std::size_t object_count() const;
    /// Uploads that are neither complete nor aborted.
    [[nodiscard]] std::size_t open_uploads() const;
    /// Parts of these.
    [[nodiscard]] std::size_t kept_parts() const;
    /// What a client must not do, and did.
    [[nodiscard]] std::vector<std::string> violations() const;
    /// Body bytes taken off the wire, of all requests.
    [[nodiscard]] std::uint64_t bytes_taken() const;
    /// How many requests of an operation came, such as `UploadPart`.
    [[nodiscard]] int count(const std::string& operation) const;

private:
    struct part {
        std::string data;
        std::uint64_t size = 0;
        std::string etag;
        std::string sum;
        std::string checksum;
    };
    struct upload {
        std::string path;
        header_list headers;
        std::string algorithm;
        bool of_whole = false;  ///< the object gets a checksum of its own, not one of its parts' checksums
        std::map<int, part> parts;
        bool spoilt = false;
        bool over = false;  ///< completed, and not yet forgotten
    };
    /// A request's target, taken apart.
    struct target {
        std::string path;  ///< decoded
        std::map<std::string, std::string> query;

        [[nodiscard]] bool has(const std::string& name) const { return query.count(name) == 1; }
        [[nodiscard]] std::string get(const std::string& name) const { return has(name) ? query.at(name) : ""; }
    };
    /// A body, and what it comes to.
    struct taken_body {
        std::string data;
        std::uint64_t size = 0;
        std::string md5;
        std::string sha256;
        std::string crc32c;
    };

    [[nodiscard]] bool authorize(exchange& x, const received_request& r, const s3_behaviour& how);
    [[nodiscard]] std::optional<taken_body> take_body(exchange& x, const received_request& r, const s3_behaviour& how,
                                                      std::uint64_t cut);
    void create(exchange& x, const received_request& r, const target& at, const s3_behaviour& how);
    void put_part(exchange& x, const received_request& r, const target& at, const s3_behaviour& how);
    void put_object(exchange& x, const received_request& r, const target& at, const s3_behaviour& how);
    void list_parts(exchange& x, const target& at, const s3_behaviour& how);
    void complete(exchange& x, const received_request& r, const target& at, const s3_behaviour& how);
    void abort(exchange& x, const target& at, const s3_behaviour& how);
    [[nodiscard]] bool has_md5_if_wanted(exchange& x, const received_request& r, const s3_behaviour& how);
    void head(exchange& x, const target& at, const s3_behaviour& how);

    void refuse(exchange& x, int status, const std::string& code, const std::string& more = {}) const;
    [[nodiscard]] header_list dated(header_list more = {}) const;
    bool require(bool kept, const std::string& otherwise);
    [[nodiscard]] s3_behaviour behaviour() const;
    [[nodiscard]] bool use_up(int s3_behaviour::*fault);
    static target parse_target(const std::string& text);
    static std::string operation_of(const std::string& method, const target& at);
    [[nodiscard]] bool checksum_holds(const received_request& r, const taken_body& body, const std::string& algorithm);
    [[nodiscard]] std::string assemble(const upload& from, const std::string& document, const s3_behaviour& how,
                                       object& into) const;

    mutable std::mutex mutex_;
    s3_behaviour how_;
    std::map<std::string, upload> uploads_;
    std::map<std::string, object> objects_;
    std::map<std::string, int> counts_;
    std::vector<std::string> violations_;
    std::uint64_t taken_ = 0;
    int next_ = 1;
    http_server server_;  // last: its threads use the rest
};

}  // namespace waybill::test
