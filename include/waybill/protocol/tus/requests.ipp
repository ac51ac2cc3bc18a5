// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_digest.hpp>
#include <waybill/body/body_range.hpp>
#include <waybill/protocol/tus/item.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

// An item's requests, and what their responses mean.
namespace waybill::detail {

WAYBILL_DECL request tus_request(std::string method, std::string url, bool override_method) {
    request r;
    r.url = std::move(url);
    r.idempotent = true;
    r.conditional = false;  // about an upload resource, unless the caller changes it
    r.headers.push_back(header_field{"Tus-Resumable", "1.0.0"});
    if (override_method) {
        r.headers.push_back(header_field{"X-HTTP-Method-Override", method});
        method = "POST";
    }
    r.method = std::move(method);
    return r;
}

WAYBILL_DECL asio::awaitable<response> tus_item::send(request what, tus_part* part, std::uint64_t bytes) {
    if (part != nullptr) {
        what.spans.push_back(body_span{index_, 0, part->begin + part->offset, bytes});
    }
    response got = co_await job_.send(std::move(what), index_);
    if (got.status == 423) {  // another request holds the lock: most likely our own earlier one
        fail(disposition::busy, make_http_error(423), got, "the upload is locked");
    }
    co_return got;
}

WAYBILL_DECL asio::awaitable<void> tus_item::discover() {
    if (server_->offer) {
        co_return;
    }
    request ask;
    ask.method = "OPTIONS";
    ask.url = job_.spec().url;
    ask.idempotent = true;
    ask.conditional = false;
    const response got = co_await send(std::move(ask), nullptr, 0);
    const verdict v = judge(got, true);
    // A server's extensions save work, and no more than that: a server that fails over the query is assumed to have
    // none. Except for a checksum, which the job must have.
    const bool indispensable = !settings_.checksum.empty() || !is_disrupted_by(got);
    if (!v.accepted && v.what != disposition::permanent && indispensable) {
        job_.require(got, index_);
    }
    server_->offer = v.accepted ? parse_tus_offer(got) : tus_offer();
}

// A body that is a byte too long or too short is detected by the server's checksum, not by us: the body is read twice,
// here and when it is sent; the second time from the page cache.
WAYBILL_DECL asio::awaitable<void> tus_item::add_checksum(request& what) {
    std::string algorithm = digest_for_tus(state_.checksum);
    if (algorithm.empty()) {
        co_return;
    }
    std::vector<std::string> algorithms = {std::move(algorithm)};
    const std::vector<std::string> sums = co_await digests_of(*what.body, std::move(algorithms), job_.piece_size());
    what.headers.push_back(header_field{"Upload-Checksum", state_.checksum + " " + to_base64(sums.front())});
}

WAYBILL_DECL request tus_item::creation(const tus_part& part) const {
    request make = tus_request("POST", job_.spec().url, false);
    make.headers.push_back(defer_ ? header_field{"Upload-Defer-Length", "1"}
                                  : header_field{"Upload-Length", std::to_string(part.length)});
    make.headers.push_back(whole() ? header_field{"Upload-Metadata", metadata()}
                                   : header_field{"Upload-Concat", "partial"});
    make.conditional = whole();
    return make;
}

WAYBILL_DECL asio::awaitable<void> tus_item::create(tus_part& part) {
    request make = creation(part);
    const bool filled = with_upload_ && part.length != 0 && !defer_;
    const std::uint64_t bytes = filled ? next_size(part) : 0;
    body_range body(hashing_ && whole() ? *hashing_ : source(), part.begin, bytes);
    if (filled) {
        make.headers.push_back(header_field{"Content-Type", "application/offset+octet-stream"});
        make.body = &body;
        co_await add_checksum(make);
    }
    // If this request carries the whole upload (always so for an empty one) and its response is lost, the upload is
    // complete but its URL is unknown. Such a request is therefore not idempotent.
    make.idempotent = bytes < part.length || !whole();
    const bool idempotent = make.idempotent;
    tus_part* const sending = filled ? &part : nullptr;
    const response got = co_await send(std::move(make), sending, bytes);
    if (filled && (got.status == 413 || got.status == 460)) {
        with_upload_ = false;
        co_return;
    }
    job_.require(got, index_, idempotent);
    require_tus(got);
    std::optional<std::uint64_t> sent;
    if (filled) {
        sent = bytes;
    }
    co_await created(part, got, sent);
}

/// `sent`: how many bytes the creating request sent.
WAYBILL_DECL asio::awaitable<void> tus_item::created(tus_part& part, const response& got,
                                                     std::optional<std::uint64_t> sent) {
    part.url = tus_location(got, job_.spec().url, index_);
    part.offset = 0;
    part.sent_bound.reset();
    part.deferred = defer_;
    part.asked = !sent;
    part.expires = tus_expiry(got, unix_seconds(job_.now()));
    const auto offset = parse_decimal(got.header("Upload-Offset").value_or(""));
    if (sent && offset && *offset <= *sent) {
        part.offset = *offset;
        part.asked = true;
    }
    // Durable before the first byte of the body: from here on the upload cannot be lost.
    checkpoint created = reached();
    const bool at_once = part.length != 0 && part.length <= small_item && next_size(part) == part.length;
    // A checksum reads the file first: a failure to read must not be taken for a request that may have arrived.
    if (whole() && at_once && part.offset == 0 && state_.checksum.empty()) {
        co_await job_.save_with_intent(std::move(created));
    } else {
        co_await job_.save(std::move(created));
    }
    job_.confirm(index_, state_.confirmed());
}

WAYBILL_DECL asio::awaitable<void> tus_item::patch(tus_part& part) {
    const std::uint64_t bytes = next_size(part);
    const std::uint64_t at = part.begin + part.offset;
    const bool hashes = hashing_ && whole();
    if (hashes) {
        co_await hashing_->continue_at(at);
    }
    body_range body(hashes ? *hashing_ : source(), at, bytes);
    request append = tus_request("PATCH", part.url, settings_.override_method);
    append.headers.push_back(header_field{"Upload-Offset", std::to_string(part.offset)});
    append.headers.push_back(header_field{"Content-Type", "application/offset+octet-stream"});
    if (part.deferred) {
        append.headers.push_back(header_field{"Upload-Length", std::to_string(part.length)});
    }
    append.body = &body;
    append.finishing = whole() && part.offset + bytes == part.length;
    const bool finishes = append.finishing;
    co_await add_checksum(append);
    response got = co_await send(std::move(append), &part, bytes);
    if (bytes > small_item) {
        got.reused_connection =
            false;  // it has just responded: that a large request failed does not mean the connection was dead
    }
    if (finishes) {
        state_.last.note(got);
        refusal_ = got;
    }
    if (got.status / 100 != 2 || !got.has_left) {
        part.sent_bound = part.offset + std::min(bytes, got.body_offered);
        job_.save_soon(reached());
    }
    co_await responded(part, bytes, got);
}

/// Handles the response to a PATCH.
WAYBILL_DECL asio::awaitable<void> tus_item::responded(tus_part& part, std::uint64_t bytes, const response& got) {
    switch (got.status) {
        case 404:
        case 410: co_await lost(part, got); co_return;
        case 413:  // the server's, or a proxy's, limit of one request
            if (bytes / 2 < least_chunk) {
                break;
            }
            state_.chunk = bytes / 2;
            part.asked = false;
            job_.save_soon(reached());
            co_return;
        case 400:  // tusd also reports interruptions with it
        case 409:
        case 460: trouble(part, got); co_return;
        default: break;
    }
    // A finishing request without a response keeps its intent until the server has been asked.
    const bool finishing = whole() && part.offset + bytes == part.length;
    job_.require(got, index_, !finishing);
    require_tus(got);
    const auto offset = parse_decimal(got.header("Upload-Offset").value_or(""));
    if (!offset) {
        fail(settings_.override_method ? disposition::permanent : disposition::retry, errc::invalid_response, got,
             "no Upload-Offset");
    }
    if (*offset < part.offset || *offset > part.offset + bytes) {
        co_await contradicted(got, "it is at offset " + std::to_string(*offset) + " after " + std::to_string(bytes) +
                                       " bytes from " + std::to_string(part.offset));
    }
    if (*offset != part.offset + bytes) {
        trouble(part, got);  // a success, but not of all: it is asked for its offset
    }
    part.deferred = false;
    co_await moved(part, *offset, got, false);
}

WAYBILL_DECL asio::awaitable<void> tus_item::moved(tus_part& part, std::uint64_t offset, const response& got,
                                                   bool settles) {
    if (offset > part.offset) {
        part.troubles = 0;
    }
    part.offset = offset;
    part.sent_bound.reset();
    if (const std::int64_t until = tus_expiry(got, unix_seconds(job_.now())); until != 0) {
        part.expires = until;
    }
    job_.confirm(index_, state_.confirmed());
    if (settles) {
        job_.resolve_soon(reached());
    } else {
        job_.save_soon(reached());
    }
    co_return;
}

WAYBILL_DECL void tus_item::require_tus(const response& got) const {
    if (got.header("Tus-Resumable") != "1.0.0") {
        fail(after_foreign_response(got), errc::invalid_response, got, "the response is not tus 1.0.0");
    }
}

}  // namespace waybill::detail
