// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_digest.hpp>
#include <waybill/protocol/s3/checksum.hpp>
#include <waybill/protocol/s3/item.hpp>
#include <waybill/protocol/shared/preconditions.hpp>

#include <algorithm>
#include <utility>

// The object at an item's target: whether it is the one this upload was to create.
namespace waybill::detail {

/// The server does not know the upload: it was completed and the response lost, or it was aborted. The object's token
/// shows which; another upload is created only if the object cannot be there.
WAYBILL_DECL asio::awaitable<void> s3_item::lost() {
    gone_ = false;
    const bool surely = std::exchange(surely_, false);
    if (!surely) {  // a proxy before the server may also respond with "not found"
        const bool listed = co_await compare();
        if (receipt_) {
            co_return;
        }
        if (listed) {
            fail(disposition::retry, make_http_error(404), s3_response(), "the upload was not found, and is listed");
        }
        gone_ = surely_ = false;
    }
    std::string checksum = co_await checksum_of_file();
    receipt_ = co_await find_object(std::move(checksum));
    if (receipt_) {
        co_return;
    }
    if (job_.in_doubt(index_)) {
        fail(disposition::ambiguous, errc::outcome_unknown, s3_response(),
             "neither the upload nor its object exists any more");
    }
    s3_response dropped;
    dropped.http.status = 404;
    co_await restart(dropped, !surely);
}

/// The owner of an object of our size that shows no token. An ETag that is an MD5 decides it, if the file can be read;
/// ETags of objects encrypted with a key of KMS or of the customer look like an MD5 and are none (S3 API, "Common
/// response headers").
WAYBILL_DECL asio::awaitable<whose> s3_item::whose_by_etag(const response& got) {
    const shown_content shown = shown_by(got, job_.spec().headers);
    const bool encrypted = begins_ignoring_case(got.header("x-amz-server-side-encryption").value_or(""), "aws:kms") ||
                           got.header("x-amz-server-side-encryption-customer-algorithm").has_value();
    if (shown.md5.empty() || encrypted) {
        co_return whose::unknown;
    }
    const std::string md5 = to_hex(co_await digest_of_file("md5"));
    co_return md5.empty() ? whose::unknown : md5 == shown.md5 ? whose::ours : whose::other;
}

/// The receipt of the object, if it is the one this upload was to create.
///
/// @param checksum what was sent as its checksum; empty: none.
WAYBILL_DECL asio::awaitable<std::optional<std::string>> s3_item::find_object(std::string checksum) {
    request head = make_request("HEAD", target_);
    if (settings_.whole_checksum) {
        head.headers.push_back(header_field{"x-amz-checksum-mode", "ENABLED"});
    }
    const s3_response got = co_await send(std::move(head), to_hex(digest_of("sha-256", "")));
    std::optional<std::string> found;
    foreign_ = bucket_ = false;
    const verdict v = judge(got, true);
    // S3 responds with 403 to hide what we may not read, and some servers do not support the query. But 400, without a
    // document, is also the response for keys that have just expired.
    const bool unrevealed = v.code.category() == http_category() || v.code == errc::redirect_refused;
    if (v.what == disposition::permanent && !v.accepted && unrevealed) {
        if (got.http.status == 400) {
            fail(disposition::retry, v.code, got, "HEAD");
        }
        co_return found;
    }
    require(got);
    // A response may lose its length on the way.
    const auto length = parse_decimal(got.http.header("Content-Length").value_or(std::to_string(size())));
    const std::string etag(got.http.header("ETag").value_or(""));
    const auto token = got.http.header(s3_token_header);
    whose there = token == state_.token && length == size() ? whose::ours : whose::other;
    if (!token && length == size()) {  // a proxy before the server may remove the token
        there = co_await whose_by_etag(got.http);
    }
    if (there == whose::ours) {
        require_whole_checksum(got, got.http.header("x-amz-checksum-crc32c").value_or(""), checksum);
        found = receipt(etag, checksum);
    }
    const bool nothing_there = etag.empty() && !got.http.header("Last-Modified");
    foreign_ = there == whose::other && (token || !nothing_there);
    bucket_ = nothing_there && !found && has_header_beginning(got.http, "x-amz-");
    co_return found;
}

/// A condition does not hold, after a request for the same target whose response was lost. If nothing may be there,
/// another client's object means that ours was not created. In all other cases our own request may be the cause.
WAYBILL_DECL void s3_item::settle_condition(const s3_response& got) {
    const detail::string_pairs& headers = job_.spec().headers;
    const bool if_none = std::all_of(headers.begin(), headers.end(), [](const auto& h) {
        return place_of(h.first) != s3_header::condition || same_header(h.first, "If-None-Match");
    });
    if (!foreign_ || !if_none) {
        fail(disposition::ambiguous, errc::outcome_unknown, got, "the condition may not hold because of this upload");
    }
    if (got.error.code != "ConditionalRequestConflict") {
        throw failure(failed(judge(got, false), got).settle());
    }
    state_.doubtful = false;
}

/// The object's own checksum, from those of its parts; empty when none was asked for, or a part's is not known.
WAYBILL_DECL std::string s3_item::whole_checksum() const {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < sent_.size(); ++i) {
        const std::optional<std::uint32_t> part = parse_crc32c(sent_[i].checksum);
        if (!settings_.whole_checksum || !part) {
            return {};
        }
        sum = crc32c_combined(sum, *part, state_.length(i, size()));
    }
    return sent_.empty() ? std::string() : write_crc32c(sum);
}

/// The same from the bytes: what was sent of an upload that no longer exists need not be known any more. Empty, too,
/// when its file no longer exists or has changed.
WAYBILL_DECL asio::awaitable<std::string> s3_item::checksum_of_file() {
    std::string known = whole_checksum();
    if (settings_.whole_checksum && known.empty()) {
        known = to_base64(co_await digest_of_file("crc32c"));
    }
    co_return known;
}

/// Raw; empty when its file no longer exists or has changed.
WAYBILL_DECL asio::awaitable<std::string> s3_item::digest_of_file(std::string algorithm) {
    std::string sum;
    try {
        std::vector<std::string> algorithms{std::move(algorithm)};
        std::vector<std::string> sums = co_await digests_of(*source_, std::move(algorithms), job_.piece_size());
        sum = std::move(sums.front());
    } catch (const failure& f) {
        if (f.what_to_do() != disposition::permanent) {
            throw;
        }
    }
    co_return sum;
}

/// The server's checksum of the object must be `sent`. If it is not, and what an earlier request sent is no longer
/// known, the file may have been edited since and its modification time restored: then it cannot be determined which of
/// the two is wrong.
WAYBILL_DECL void s3_item::require_whole_checksum(const s3_response& got, std::string_view returned,
                                                  const std::string& sent) const {
    const std::optional<std::uint32_t> theirs = parse_crc32c(returned);
    if (!settings_.whole_checksum || !theirs || sent.empty() || *theirs == parse_crc32c(sent)) {
        return;
    }
    if (job_.in_doubt(index_) && whole_checksum().empty()) {
        fail(disposition::ambiguous, errc::outcome_unknown, got, "the object's crc32c is not that of the file");
    }
    const verdict other{false, disposition::permanent, errc::invalid_response};
    throw failure(failed(other, got, "the object's crc32c at the server differs from that of the sent bytes").settle());
}

}  // namespace waybill::detail
