// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/hashing_source.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/resumable/settings.hpp>
#include <waybill/protocol/session.hpp>
#include <waybill/protocol/shared/finishing.hpp>
#include <waybill/protocol/shared/upload_fields.hpp>
#include <waybill/transport/request.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waybill::detail {

/// The bytes of one upload: an item, or a form with all items.
struct representation {
    struct part {
        std::size_t item;
        std::uint64_t offset;  ///< where the item's bytes begin
        std::uint64_t size;
    };

    std::size_t about = checkpoint::whole_job;
    std::string method;
    std::string url;
    header_list headers;
    std::unique_ptr<body_source> body;
    std::vector<part> parts;
    std::string boundary;  ///< a form's; kept, because the next epoch would choose another
};

/// What a checkpoint of a resumable upload keeps in addition to URL and offset. Decoded as untrusted input.
struct resumable_state {
    int interop = 8;
    std::uint64_t length = 0;
    std::uint64_t most_append = 0;  ///< bytes of one request; 0: no limit known
    /// An upper bound on the bytes that may have been sent; a server that reports more violates the protocol. Stored
    /// only between attempts: empty, and nothing is known, while one may be sending.
    std::optional<std::uint64_t> sent_bound;
    finishing last;  ///< the request with the last byte
    std::string boundary;
    std::string algorithm;
    std::string digest_points;

    [[nodiscard]] WAYBILL_DECL std::string encode() const;
    /// Empty when it cannot be decoded. Every released version is decoded forever.
    [[nodiscard]] static WAYBILL_DECL std::optional<resumable_state> decode(std::string_view bytes);
};

/// The headers that name the version of the draft.
[[nodiscard]] WAYBILL_DECL header_field interop_header(int version);

/// The response has a field of the draft, so the upload's server sent it.
[[nodiscard]] inline bool mentions_uploads(const response& got) noexcept {
    return has_header_beginning(got, "Upload-");
}

/// One upload by draft-ietf-httpbis-resumable-upload, from its current offset to its end.
///
/// Every offset a server reports is checked: never below what it has confirmed, never beyond what it can have. Whenever
/// the state is uncertain the server is asked (HEAD); it is never guessed.
class resumable_upload {
public:
    resumable_upload(session& job, const resumable_settings& how, representation what);

    /// Returns when the server has all of it, with the server's receipt. Throws `failure`.
    asio::awaitable<std::string> deliver();

private:
    struct interim_notes;

    // Loads the stored state.
    [[nodiscard]] bool load();
    [[nodiscard]] checkpoint reached() const;
    /// `settles`: it shows the outcome of the request with the last byte.
    void advance(std::uint64_t offset, bool settles = false);
    void note_sent(const response& got, std::uint64_t begin);
    void note_reported(const failure& why);
    void take_limits(const upload_fields& said);
    [[nodiscard]] std::string receipt(const response& got) const;

    // Requests.
    [[nodiscard]] request new_request(std::string method, const std::string& url) const;
    [[nodiscard]] std::vector<body_span> spans(std::uint64_t begin, std::uint64_t length) const;
    [[nodiscard]] std::uint64_t next_length() const;
    asio::awaitable<std::string> digest_field(std::string algorithm, std::uint64_t begin, std::uint64_t length);
    asio::awaitable<request> creation(bool whole);
    asio::awaitable<request> continuation(std::uint64_t length, bool last);
    void watch(request& what, interim_notes& notes, std::uint64_t begin);

    // Steps.
    asio::awaitable<void> go_on();
    asio::awaitable<void> create();
    asio::awaitable<void> create_with_body();
    asio::awaitable<void> adopt(const response& got, std::string location);
    asio::awaitable<void> require_right_size(const upload_fields& said);
    asio::awaitable<void> ask();
    asio::awaitable<void> require_offset(const response& got, const upload_fields& said);
    asio::awaitable<void> stands_at(std::uint64_t offset);
    asio::awaitable<void> replay();
    asio::awaitable<void> found_complete(const response& got);
    asio::awaitable<void> append();
    asio::awaitable<void> appended(const response& got, std::uint64_t length, bool last);
    asio::awaitable<void> refused(const response& got, std::uint64_t length, bool last);
    asio::awaitable<void> resync(verdict because, const response& got);
    asio::awaitable<void> gone(const response& got);
    asio::awaitable<void> lost_tail(std::uint64_t offset, const response& got);
    asio::awaitable<void> restart(bool discard);
    asio::awaitable<void> finish(const response& got);
    asio::awaitable<void> require_same_digest(const response& got);

    // Ends.
    [[nodiscard]] failure failed(const verdict& why, const response& got) const;
    /// The server contradicts itself or us: abandons the upload, and throws.
    asio::awaitable<void> break_off(std::error_code code, std::string detail);

    session& job_;
    const resumable_settings& how_;
    representation what_;
    hashing_source* hash_ = nullptr;  // what_.body, when there is a digest to compute
    std::uint64_t size_;

    int interop_;
    std::string resource_;
    std::uint64_t position_ = 0;               // what the server has confirmed
    std::optional<std::uint64_t> sent_bound_;  // see `resumable_state::sent_bound`
    finishing last_;                           // see `resumable_state::last`
    std::optional<response> refusal_;          // the response to the request with the last byte, in this attempt
    std::uint64_t most_append_ = 0;
    std::uint64_t least_append_ = 0;
    std::int64_t expires_ = 0;
    bool adopting_ = false;  // the upload is another client's until it has been asked about
    bool complete_ = false;
    int restarts_ = 0;
    int standstills_ = 0;
    std::string receipt_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/resumable/creation.ipp>
#include <waybill/protocol/resumable/recovery.ipp>
#include <waybill/protocol/resumable/requests.ipp>
#include <waybill/protocol/resumable/upload.ipp>
#endif
