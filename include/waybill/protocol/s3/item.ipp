// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_digest.hpp>
#include <waybill/protocol/s3/checksum.hpp>
#include <waybill/protocol/s3/item.hpp>
#include <waybill/protocol/shared/preconditions.hpp>
#include <waybill/protocol/shared/target.hpp>
#include <waybill/protocol/shared/undecodable.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

// An item's control flow: as one PUT, or created, sent, completed. Its parts are in s3_parts.ipp, their results in
// s3_object.ipp.
namespace waybill::detail {

WAYBILL_DECL s3_item::s3_item(session& job, std::size_t index, const s3_settings& settings,
                              std::shared_ptr<s3_endpoint> endpoint)
    : job_(job), index_(index), settings_(settings), endpoint_(std::move(endpoint)),
      target_(put_target(job.spec().url, true, job.items()[index].spec.name)) {}

WAYBILL_DECL asio::awaitable<void> s3_item::deliver() {
    if (const checkpoint* const there = job_.find_checkpoint(index_); there != nullptr && !decodes(*there)) {
        co_await doubt_checkpoint(job_, index_);
    }
    source_ = job_.open(index_);  // still the bytes that were accepted
    state_.token = job_.state().key + "-" + std::to_string(index_);
    state_.checksum = settings_.checksum;
    state_.part_size = s3_part_size(size(), settings_.part_size);
    const checkpoint* const known = job_.find_checkpoint(index_);
    if ((known == nullptr || known->resource.empty()) && size() <= state_.part_size) {
        co_await deliver_whole();
    } else {
        co_await deliver_parts();
    }
}

/// Of parts, or of a whole PUT whose outcome is in doubt.
WAYBILL_DECL bool s3_item::decodes(const checkpoint& known) const {
    const std::optional<s3_state> stored = decode_s3_state(known.state);
    return stored && (covers(*stored, size()) || (known.resource.empty() && stored->parts.empty()));
}

// A PUT may be repeated: the same key gets the same bytes. Except for a conditional one, which can fail because its
// first copy succeeded.
WAYBILL_DECL asio::awaitable<void> s3_item::deliver_whole() {
    const bool conditional = has_condition(job_.spec().headers);
    const bool doubted = job_.in_doubt(index_);
    body_sums sums = co_await sums_of(*source_);
    for (int refusals = 1; !receipt_; ++refusals) {
        const s3_response got = co_await put_whole(sums);
        require_known_checksum(got);
        if (endpoint_->asks_for_md5(got) && sums.md5.empty()) {
            sums = co_await sums_of(*source_);
            continue;
        }
        if (got.http.status == 412) {  // perhaps because of our own request, if a response was lost
            receipt_ = co_await find_object(sums.checksum);
            if (!receipt_ && doubted) {
                settle_condition(got);
            }
        }
        const verdict v = judge(got, true);
        const auto retry_after = parse_retry_after(got.http, unix_seconds(job_.now()));
        const bool among_others = endpoint_->taken() != 0 && !conditional && refusals <= most_refusals;
        if (!receipt_ && !v.accepted && among_others && is_refused_for_now(v.what, v.code, retry_after)) {
            co_await job_.back_off(refusals, retry_after);
        } else if (!receipt_) {
            require(got);
            receipt_ = co_await confirmed_whole(got, sums);
        }
    }
    endpoint_->note_taken();
    job_.complete_item_soon(index_, printable_excerpt(*receipt_, 256));
}

WAYBILL_DECL asio::awaitable<s3_response> s3_item::put_whole(const body_sums& sums) {
    request put = make_request("PUT", target_);
    put.body = source_.get();
    put.finishing = has_condition(job_.spec().headers);
    add_object_headers(put);
    add_headers(put.headers, job_.spec().headers, s3_header::condition);
    add_sums(put, sums);
    put.spans.push_back(body_span{index_, 0, 0, size()});
    co_return co_await send(std::move(put), sums.payload);
}

/// The receipt of an object that was accepted. A success without an ETag does not count: a bucket is created in the
/// same way, and a proxy before the server may respond with 200. Then the object is looked up.
WAYBILL_DECL asio::awaitable<std::string> s3_item::confirmed_whole(const s3_response& got, const body_sums& sums) {
    const std::string etag = stored_etag(got.http, size());
    std::optional<std::string> found;
    if (etag.empty()) {
        found = co_await find_object(sums.checksum);
    } else {
        found = receipt(etag, sums.checksum);
    }
    if (!found && !bucket_ && has_condition(job_.spec().headers)) {
        state_.doubtful = true;  // its response has cleared the intent
        checkpoint doubtful = reached();
        co_await job_.save_with_intent(std::move(doubtful));
    }
    if (!found) {
        fail(bucket_ ? disposition::permanent : after_foreign_response(got.http), errc::invalid_response, got,
             bucket_    ? "the URL names a bucket, not an object"
             : foreign_ ? "a success without an ETag, and another object is there"
                        : "a success without an ETag, and the object cannot be found");
    }
    require_checksum(got, sums);
    co_return std::move(*found);
}

WAYBILL_DECL asio::awaitable<void> s3_item::deliver_parts() {
    co_await begin();
    while (!receipt_) {
        if (gone_) {
            co_await lost();
        } else if (first_missing() != state_.parts.size()) {
            co_await send_parts();
        } else {
            co_await complete();
        }
    }
    if (superseded_) {
        // One commit: the object is there by an earlier upload. The parts of this one are there, too, and cost money.
        job_.complete_item_soon(index_, printable_excerpt(*receipt_, 256));
        co_await job_.discard(index_, true);
        co_return;
    }
    state_.delivered = true;  // committed together: a later cleanup must not touch it
    job_.save_soon(reached());
    co_await job_.complete_item(index_, printable_excerpt(*receipt_, 256));
}

WAYBILL_DECL asio::awaitable<void> s3_item::begin() {
    const checkpoint* const known = job_.find_checkpoint(index_);
    std::optional<s3_state> stored = known != nullptr ? decode_s3_state(known->state) : std::nullopt;
    if (stored && covers(*stored, size())) {
        resource_ = known->resource;
        state_ = std::move(*stored);
        state_.doubtful = state_.doubtful && job_.in_doubt(index_);  // otherwise the app has decided
        sent_.assign(state_.parts.size(), {});
        static_cast<void>(co_await compare());
        co_return;
    }
    co_await job_.discard(index_, true);
    co_await create();
}

// Two of them are two uploads, of which one stays empty: harmless, so the server is not asked.
WAYBILL_DECL asio::awaitable<void> s3_item::create() {
    request make = make_request("POST", target_ + "?uploads");
    add_object_headers(make);
    if (!state_.checksum.empty()) {
        make.headers.push_back(
            header_field{"x-amz-checksum-algorithm", state_.checksum == "sha256" ? "SHA256" : "CRC32C"});
    }
    if (settings_.whole_checksum) {
        make.headers.push_back(header_field{"x-amz-checksum-type", "FULL_OBJECT"});
    }
    const s3_response got = co_await send(std::move(make), to_hex(digest_of("sha-256", "")));
    require_known_checksum(got);
    require(got);
    const std::string id = parse_upload_id(got.http.body);
    if (id.empty()) {
        fail(after_foreign_response(got.http), errc::invalid_response, got, "no UploadId");
    }
    resource_ = target_ + "?uploadId=" + url::escape_segment(id);
    state_.parts.assign(s3_part_count(size(), state_.part_size), 0);
    sent_.assign(state_.parts.size(), {});
    // Durable before the first byte of a part: from here on the upload cannot be lost.
    checkpoint created = reached();
    co_await job_.save(std::move(created));
    job_.confirm(index_, 0);
}

/// Replaces the upload by a new one, a bounded number of times; `discard`: the old one still exists.
WAYBILL_DECL asio::awaitable<void> s3_item::restart(const s3_response& because, bool discard) {
    if (++state_.restarts > most_restarts) {
        fail(disposition::permanent, make_http_error(because.http.status), because,
             std::to_string(state_.restarts) + " uploads disappeared at the server");
    }
    co_await job_.resolve_and_discard(index_, discard);  // whether it was completed is known
    co_await create();
}

WAYBILL_DECL asio::awaitable<s3_response> s3_item::send(request what, std::string payload) {
    co_return co_await endpoint_->send(job_, std::move(what), std::move(payload), index_);
}

WAYBILL_DECL request s3_item::make_request(std::string method, std::string url) const {
    request what;
    what.method = std::move(method);
    what.url = std::move(url);
    what.idempotent = true;
    add_headers(what.headers, job_.spec().headers, s3_header::every);
    return what;
}

WAYBILL_DECL void s3_item::add_object_headers(request& what) const {
    what.headers.push_back(header_field{"Content-Type", job_.items()[index_].spec.content_type});
    what.headers.push_back(header_field{std::string(s3_token_header), state_.token});
    for (const auto& [name, value] : job_.spec().fields) {
        what.headers.push_back(header_field{"x-amz-meta-" + name, value});
    }
    what.headers.insert(what.headers.end(), settings_.object_headers.begin(), settings_.object_headers.end());
    add_headers(what.headers, job_.spec().headers, s3_header::object);
}

/// What is kept of an object: its ETag, and its own checksum if one was requested.
WAYBILL_DECL std::string s3_item::receipt(const std::string& etag, const std::string& checksum) const {
    const bool has_checksum = settings_.whole_checksum && !checksum.empty();
    return has_checksum ? etag + " crc32c=:" + checksum + ":" : etag;
}

WAYBILL_DECL void s3_item::require(const s3_response& got) const {
    require_accepted(got, unix_seconds(job_.now()), index_);
}

WAYBILL_DECL void s3_item::fail(disposition what, std::error_code code, const s3_response& got,
                                std::string detail) const {
    detail::fail(got, verdict{false, what, code}, unix_seconds(job_.now()), index_, std::move(detail));
}

WAYBILL_DECL failure s3_item::failed(const verdict& why, const s3_response& got, std::string detail) const {
    return failure_of(got, why, unix_seconds(job_.now()), index_, std::move(detail));
}

WAYBILL_DECL checkpoint s3_item::reached() const {
    checkpoint c;
    c.item = index_;
    c.resource = resource_;
    c.offset = state_.confirmed(size());
    c.state = encode_s3_state(state_);
    return c;
}

}  // namespace waybill::detail
