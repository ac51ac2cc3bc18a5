// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/protocol/s3/endpoint.hpp>
#include <waybill/protocol/s3/plan.hpp>
#include <waybill/protocol/session.hpp>
#include <waybill/protocol/shared/preconditions.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::detail {

/// One item during one attempt: as one PUT, or as a multipart upload.
///
/// The server lists what it has (ListParts), and that is verified: a part counts when its size is right and its ETag is
/// the one it was confirmed with, or is the MD5 of our bytes. Everything else is sent again, which replaces it. A
/// server need not list parts, nor show objects: both only save work.
///
/// A part that is refused while others are accepted is sent again within the attempt, a few times.
class s3_item : public std::enable_shared_from_this<s3_item> {
public:
    s3_item(session& job, std::size_t index, const s3_settings& settings, std::shared_ptr<s3_endpoint> endpoint);

    /// Returns when the object is there.
    asio::awaitable<void> deliver();

private:
    static constexpr std::uint64_t most_restarts = 8;
    static constexpr int most_troubles = 3;
    static constexpr int most_refusals = 3;

    /// The digests sent with a body.
    struct body_sums {
        std::string payload;   ///< for the signature
        std::string checksum;  ///< in base64, when one was asked for
        std::string sha256;    ///< in base64, when it is in the signature
        std::string md5;       ///< in base64, when the server wants it
    };

    [[nodiscard]] bool decodes(const checkpoint& known) const;
    asio::awaitable<void> deliver_whole();
    asio::awaitable<s3_response> put_whole(const body_sums& sums);
    asio::awaitable<std::string> confirmed_whole(const s3_response& got, const body_sums& sums);
    asio::awaitable<void> deliver_parts();

    // Which upload it is.
    asio::awaitable<void> begin();
    asio::awaitable<void> create();
    asio::awaitable<void> lost();
    asio::awaitable<void> restart(const s3_response& because, bool discard);
    asio::awaitable<std::optional<std::string>> find_object(std::string checksum);
    asio::awaitable<whose> whose_by_etag(const response& got);

    // Its parts.
    asio::awaitable<bool> compare();
    [[nodiscard]] std::string page_after(std::uint64_t part) const;
    asio::awaitable<std::optional<std::vector<s3_listed_part>>> list();
    asio::awaitable<void> adopt(std::vector<s3_listed_part> listed);
    asio::awaitable<void> send_parts();
    asio::awaitable<bool> send_next_part();
    asio::awaitable<void> send_part(std::size_t part);
    asio::awaitable<s3_response> put_part(std::size_t part, body_source& body, const body_sums& sums);
    asio::awaitable<void> put_off(std::size_t part, const failure& why);

    // Its end.
    asio::awaitable<void> complete();
    asio::awaitable<void> not_completed(s3_response got);
    [[nodiscard]] bool leaves_doubt(const s3_response& got) const;
    void settle_condition(const s3_response& got);

    asio::awaitable<body_sums> sums_of(body_source& body);
    asio::awaitable<s3_response> send(request what, std::string payload);
    [[nodiscard]] request make_request(std::string method, std::string url) const;
    void add_object_headers(request& what) const;
    void add_sums(request& what, const body_sums& sums) const;
    void require_checksum(const s3_response& got, const body_sums& sums) const;
    void require_known_checksum(const s3_response& got) const;
    [[nodiscard]] std::string whole_checksum() const;
    asio::awaitable<std::string> checksum_of_file();
    asio::awaitable<std::string> digest_of_file(std::string algorithm);
    void require_whole_checksum(const s3_response& got, std::string_view returned, const std::string& sent) const;
    [[nodiscard]] std::string receipt(const std::string& etag, const std::string& checksum) const;
    void require(const s3_response& got) const;
    [[nodiscard]] failure failed(const verdict& why, const s3_response& got, std::string detail = {}) const;
    [[noreturn]] void fail(disposition what, std::error_code code, const s3_response& got, std::string detail) const;

    [[nodiscard]] std::uint64_t size() const noexcept { return job_.items()[index_].spec.size; }
    [[nodiscard]] std::size_t first_missing() const noexcept;
    [[nodiscard]] std::size_t missing() const noexcept;
    [[nodiscard]] checkpoint reached() const;

    session& job_;
    std::size_t index_;
    const s3_settings& settings_;
    std::shared_ptr<s3_endpoint> endpoint_;
    std::string target_;    ///< the object's URL
    std::string resource_;  ///< the upload's
    std::unique_ptr<body_source> source_;
    s3_state state_;
    std::vector<s3_sent_part> sent_;         ///< what completion names; missing parts have empty entries
    std::vector<bool> in_flight_;            ///< taken up in this round
    std::vector<int> refusals_;              ///< of each part in this attempt
    std::optional<failure> failed_;          ///< of a part, while the others finish
    std::optional<failure> unacknowledged_;  ///< of parts that may have arrived nevertheless: the list shows it
    std::size_t unacknowledged_in_a_row_ = 0;
    std::optional<std::string> receipt_;  ///< the object is there
    bool superseded_ = false;             ///< but not by this upload, whose completion was refused
    bool gone_ = false;                   ///< the server does not know the upload
    bool surely_ = false;                 ///< and has said so with S3's own code
    bool foreign_ = false;                ///< another client's object is there, or a bucket
    bool bucket_ = false;                 ///< the latter
    int troubles_ = 0;                    ///< completions refused in a row
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/s3/completion.ipp>
#include <waybill/protocol/s3/item.ipp>
#include <waybill/protocol/s3/object.ipp>
#include <waybill/protocol/s3/parts.ipp>
#include <waybill/protocol/s3/sums.ipp>
#endif
