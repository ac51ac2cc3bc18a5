// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/s3/item.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The request that assembles an object from its parts.
namespace waybill::detail {

/// Names the parts. The server may respond with 200 immediately and report its failure later, in the body.
WAYBILL_DECL asio::awaitable<void> s3_item::complete() {
    const std::string document = complete_document(sent_, state_.checksum);
    bytes_source body(document);
    request make = make_request("POST", resource_);
    make.body = &body;
    make.headers.push_back(header_field{"Content-Type", "application/xml"});
    add_headers(make.headers, job_.spec().headers, s3_header::condition);
    const std::string checksum = whole_checksum();
    if (!checksum.empty()) {
        make.headers.push_back(header_field{"x-amz-checksum-type", "FULL_OBJECT"});
        make.headers.push_back(header_field{"x-amz-checksum-crc32c", checksum});
    }
    if (job_.in_doubt(index_) && !state_.doubtful) {
        state_.doubtful = true;  // by an earlier one, whose response was lost; committed with this one's intent
        job_.save_soon(reached());
    }
    make.finishing = true;
    make.assembles = size();
    make.fresh_connection = true;  // a silent repetition would get "no such upload"
    s3_response got = co_await send(std::move(make), to_hex(digest_of("sha-256", document)));
    if (!got.error && judge(got, false).accepted) {
        if (const std::optional<s3_completed> made = parse_completed(got.http.body)) {
            require_whole_checksum(got, made->checksum, checksum);
            receipt_ = receipt(made->etag, checksum);
        }
    }
    if (!receipt_) {
        if (leaves_doubt(got)) {
            state_.doubtful = true;
            checkpoint doubtful = reached();
            co_await job_.save_with_intent(std::move(doubtful));  // its response has cleared the intent
        }
        co_await not_completed(std::move(got));
    }
}

/// The upload may have been completed although the response was a 2xx without a completion document, or a server error.
/// Once the outcome is in doubt, later responses do not resolve it: `NoSuchUpload` is also what a successful completion
/// leaves behind.
WAYBILL_DECL bool s3_item::leaves_doubt(const s3_response& got) const {
    constexpr std::array<std::string_view, 3> definite = {"NoSuchUpload", "InvalidPart", "InvalidPartOrder"};
    const int status = got.http.status;
    if (state_.doubtful || !got.http.may_have_left) {
        return state_.doubtful;  // a request that cannot have arrived changes nothing
    }
    switch (classify_status(status)) {
        case status_class::success:
            return std::find(definite.begin(), definite.end(), got.error.code) == definite.end();
        case status_class::ambiguous: return true;
        case status_class::not_applied: return status == 503 || status == 408;  // S3 also uses these after processing
        default: return false;
    }
}

WAYBILL_DECL asio::awaitable<void> s3_item::not_completed(s3_response got) {
    const std::string& code = got.error.code;
    if (says_gone(got)) {
        gone_ = true;
        surely_ = code == "NoSuchUpload";
        co_return;
    }
    if (got.http.status == 412 || (got.http.status == 409 && state_.doubtful)) {
        // Perhaps because of our own request, if a response was lost.
        receipt_ = co_await find_object(whole_checksum());
        superseded_ = receipt_.has_value();
        if (!receipt_ && state_.doubtful) {
            settle_condition(got);
        }
    }
    if (receipt_) {
        co_return;
    }
    if (code == "ConditionalRequestConflict" &&
        !state_.doubtful) {  // another client was faster: S3 wants all parts again
        co_await restart(got, true);
        co_return;
    }
    const bool parts = code == "InvalidPart" || code == "InvalidPartOrder";
    if (parts && ++troubles_ <= most_troubles) {
        const bool listed = co_await compare();  // what it lists instead is verified, or sent again
        if (!listed && !gone_ && !receipt_) {
            sent_.assign(state_.parts.size(), {});
        }
        co_return;
    }
    verdict v = judge(got, false);
    if (got.http.status >= 200 && got.http.status < 300) {
        v = got.error ? v : verdict{false, disposition::retry, errc::not_completed};
        static_cast<void>(co_await compare());
        if (gone_ || receipt_) {
            co_return;
        }
    }
    detail::fail(got, v, unix_seconds(job_.now()), index_);
}

}  // namespace waybill::detail
