// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_digest.hpp>
#include <waybill/body/body_range.hpp>
#include <waybill/detail/codec.hpp>
#include <waybill/http/representation.hpp>
#include <waybill/http/url.hpp>
#include <waybill/protocol/resumable/upload.hpp>
#include <waybill/protocol/shared/whole_digest.hpp>

#include <algorithm>
#include <utility>
#include <vector>

// The requests and the stored state of one upload; the steps are in resumable_upload.ipp.
namespace waybill::detail {

WAYBILL_DECL header_field interop_header(int version) {
    return header_field{"Upload-Draft-Interop-Version", std::to_string(version)};
}

WAYBILL_DECL std::string resumable_state::encode() const {
    encoder out;
    out.number(1).number(static_cast<std::uint64_t>(interop)).number(length).number(most_append);
    out.number(sent_bound ? *sent_bound + 1 : 0)
        .number(last.encode())
        .text(boundary)
        .text(algorithm)
        .text(digest_points);
    return std::move(out).take();
}

WAYBILL_DECL std::optional<resumable_state> resumable_state::decode(std::string_view bytes) {
    decoder in(bytes);
    resumable_state s;
    const bool known = in.number() == 1;
    s.interop = static_cast<int>(in.number(1000));
    s.length = in.number();
    s.most_append = in.number();
    if (const std::uint64_t sent_bound = in.number(); sent_bound != 0) {
        s.sent_bound = sent_bound - 1;
    }
    s.last = finishing::decode(in.number(finishing::most_encoded));
    s.boundary = in.text();
    s.algorithm = in.text();
    s.digest_points = in.text();
    return known && in.finished() ? std::optional(std::move(s)) : std::nullopt;
}

WAYBILL_DECL resumable_upload::resumable_upload(session& job, const resumable_settings& how, representation what)
    : job_(job), how_(how), what_(std::move(what)), size_(what_.body->size()), interop_(how.interop) {
    if (!how_.digest.empty()) {
        const checkpoint* const known = job_.find_checkpoint(what_.about);
        const auto state = known == nullptr ? std::nullopt : resumable_state::decode(known->state);
        const bool same = state && state->algorithm == how_.digest;
        auto hashing = std::make_unique<hashing_source>(std::move(what_.body), how_.digest,
                                                        same ? state->digest_points : "", job_.piece_size());
        hash_ = hashing.get();
        what_.body = std::move(hashing);
    }
}

WAYBILL_DECL bool resumable_upload::load() {
    const checkpoint* const known = job_.find_checkpoint(what_.about);
    const auto state = known == nullptr ? std::nullopt : resumable_state::decode(known->state);
    if (!state || state->length != size_ || known->offset > size_ || known->resource.empty()) {
        return false;
    }
    interop_ = state->interop;
    most_append_ = state->most_append;
    sent_bound_ = state->sent_bound;
    last_ = state->last;
    resource_ = known->resource;
    position_ = known->offset;
    expires_ = known->expires_unix;
    return true;
}

WAYBILL_DECL checkpoint resumable_upload::reached() const {
    resumable_state state;
    state.interop = interop_;
    state.length = size_;
    state.most_append = most_append_;
    state.sent_bound = sent_bound_;
    state.last = last_;
    state.boundary = what_.boundary;
    if (hash_ != nullptr) {
        state.algorithm = hash_->algorithm();
        state.digest_points = hash_->digest_points();
    }
    checkpoint c;
    c.item = what_.about;
    c.resource = resource_;
    c.offset = position_;
    c.state = state.encode();
    c.expires_unix = expires_;
    return c;
}

/// The server has confirmed everything below `offset`.
WAYBILL_DECL void resumable_upload::advance(std::uint64_t offset, bool settles) {
    position_ = offset;
    sent_bound_.reset();
    for (const representation::part& p : what_.parts) {
        job_.confirm(p.item, std::min(offset - std::min(offset, p.offset), p.size));
    }
    if (settles) {
        job_.resolve_soon(reached());
    } else {
        job_.save_soon(reached());
    }
}

/// A request whose body began at `begin` was not successful: no more than this can have arrived.
WAYBILL_DECL void resumable_upload::note_sent(const response& got, std::uint64_t begin) {
    const bool success = got.status / 100 == 2 || got.see_other;
    if ((!success || !got.has_left) && !resource_.empty()) {
        sent_bound_ = std::min(begin + got.body_offered, size_);
        job_.save_soon(reached());
    }
}

/// The job ends, or is parked, with the response to its last request: what comes next is the app's decision.
WAYBILL_DECL void resumable_upload::note_reported(const failure& why) {
    const bool ends = why.what_to_do() == disposition::permanent || why.code() == errc::outcome_unknown;
    if (ends && last_.refused != 0 && job_.find_checkpoint(what_.about) != nullptr) {
        last_.reported = true;
        job_.save_soon(reached());
    }
}

WAYBILL_DECL void resumable_upload::take_limits(const upload_fields& said) {
    if (!said.limits) {
        return;
    }
    const upload_limits& l = *said.limits;
    if (l.max_append_size && *l.max_append_size > 0) {
        most_append_ = most_append_ == 0 ? *l.max_append_size : std::min(most_append_, *l.max_append_size);
    }
    least_append_ = l.min_append_size.value_or(least_append_);
    if (l.max_age) {
        constexpr std::uint64_t most = std::uint64_t(400) * 24 * 3600;
        expires_ = unix_seconds(job_.now()) + static_cast<std::int64_t>(std::min(*l.max_age, most));
    }
}

WAYBILL_DECL std::string resumable_upload::receipt(const response& got) const {
    const auto tag = got.header("ETag");
    const bool whole = what_.about == checkpoint::whole_job;
    std::string text =
        got.see_other ? redirect_text(got) : printable_excerpt(tag && !whole ? *tag : std::string_view(got.body), 256);
    if (hash_ != nullptr) {
        text += (text.empty() ? "" : " ") + hash_->algorithm() + "=:" + to_base64(hash_->value()) + ":";
    }
    return text;
}

WAYBILL_DECL failure resumable_upload::failed(const verdict& why, const response& got) const {
    diagnostics d = describe(got);
    if (why.code == errc::redirect_refused) {
        d.detail = redirect_text(got);
    }
    return failure(why.what, why.code, std::move(d), parse_retry_after(got, unix_seconds(job_.now())), what_.about);
}

WAYBILL_DECL asio::awaitable<void> resumable_upload::break_off(std::error_code code, std::string detail) {
    if (!resource_.empty() && !adopting_ && job_.find_checkpoint(what_.about) == nullptr) {
        job_.save_soon(reached());  // so that it is cleaned up
    }
    co_await job_.resolve_and_discard(what_.about, true);  // an abandoned upload has not arrived
    diagnostics d;
    d.detail = std::move(detail);
    throw failure(failure(disposition::permanent, code, std::move(d), std::nullopt, what_.about).settle());
}

WAYBILL_DECL request resumable_upload::new_request(std::string method, const std::string& url) const {
    request what;
    what.method = std::move(method);
    what.url = url;
    what.headers.push_back(interop_header(interop_));
    what.idempotent = true;    // an append is guarded by its offset
    what.conditional = false;  // about an upload resource
    return what;
}

/// Maps the bytes of one request to the items they belong to.
WAYBILL_DECL std::vector<body_span> resumable_upload::spans(std::uint64_t begin, std::uint64_t length) const {
    std::vector<body_span> found;
    for (const representation::part& p : what_.parts) {
        const std::uint64_t first = std::max(begin, p.offset);
        const std::uint64_t end = std::min(begin + length, p.offset + p.size);
        if (first < end) {
            found.push_back(body_span{p.item, first - begin, first - p.offset, end - first});
        }
    }
    return found;
}

// The server's limits are binding (draft section 4.1.4): never more than the maximum, and never less than the minimum
// except for the last bytes.
WAYBILL_DECL std::uint64_t resumable_upload::next_length() const {
    std::uint64_t most = how_.chunk_size == 0 ? size_ : std::max(how_.chunk_size, least_append_);
    if (most_append_ != 0) {
        most = std::min(most, most_append_);
    }
    return std::min(most, size_ - position_);
}

/// A digest field's value for some bytes of the body, which are read for it.
WAYBILL_DECL asio::awaitable<std::string> resumable_upload::digest_field(std::string algorithm, std::uint64_t begin,
                                                                         std::uint64_t length) {
    body_range part(*what_.body, begin, length);
    std::vector<std::string> algorithms = {algorithm};
    const std::vector<std::string> sums = co_await digests_of(part, std::move(algorithms), job_.piece_size());
    co_return algorithm + "=:" + to_base64(sums.front()) + ":";
}

WAYBILL_DECL asio::awaitable<request> resumable_upload::creation(bool whole) {
    request asked = new_request(what_.method, what_.url);
    asked.conditional = true;
    asked.headers.insert(asked.headers.end(), what_.headers.begin(), what_.headers.end());
    asked.headers.push_back(header_field{"Upload-Complete", whole ? "?1" : "?0"});
    asked.headers.push_back(header_field{"Upload-Length", std::to_string(size_)});
    if (!how_.digest.empty()) {
        asked.headers.push_back(header_field{"Want-Repr-Digest", how_.digest + "=10"});
    }
    if (how_.send_digests) {
        std::string value = co_await digest_field(how_.digest, 0, size_);
        asked.headers.push_back(header_field{"Repr-Digest", std::move(value)});
    }
    co_return asked;
}

/// What interim responses have reported while a body was being sent.
struct resumable_upload::interim_notes {
    std::string location;  ///< resolved
    std::string broken;    ///< why the request was ended
};

/// Processes interim responses (104). One that cannot be true ends the request.
WAYBILL_DECL void resumable_upload::watch(request& what, interim_notes& notes, std::uint64_t begin) {
    const auto* const sent = what.body == nullptr ? nullptr : static_cast<const body_range*>(what.body);
    const bool creates = resource_.empty();
    what.on_interim = [this, &notes, sent, begin, creates](int status, const header_list& headers) {
        const auto version = size_field(headers, "Upload-Draft-Interop-Version");
        if (status != 104 || version != static_cast<std::uint64_t>(interop_)) {
            return;  // the draft wants it ignored
        }
        const auto location = single_header(headers, "Location");
        if (creates && location && notes.location.empty()) {
            const url target(what_.url);
            const url placed = target.resolve(std::string(*location));
            if (placed.origin() != target.origin()) {
                notes.broken = "the server places the upload at another origin, " + placed.origin();
                throw error(errc::invalid_response);
            }
            notes.location = placed.str();
            if (sent != nullptr) {  // its bytes are being sent: the URL must be on disk now
                resource_ = notes.location;
                job_.save_soon(reached());
            }
        }
        const auto offset = size_field(headers, "Upload-Offset");
        if (offset && sent != nullptr && !resource_.empty()) {
            if (*offset < position_ || *offset > begin + sent->taken()) {
                notes.broken = "the server reports " + std::to_string(*offset) + " bytes";
                throw error(errc::wrong_offset);
            }
            advance(*offset);
        }
    };
}

WAYBILL_DECL asio::awaitable<void> resumable_upload::require_same_digest(const response& got) {
    // Does not read the bytes that this process sent.
    if (hash_ != nullptr && !co_await reaches_end(*hash_)) {
        hash_ = nullptr;
    }
    if (hash_ == nullptr) {
        co_return;
    }
    const auto theirs = parse_repr_digest(got.headers, hash_->algorithm());
    if (theirs && *theirs != hash_->value()) {
        co_await break_off(errc::invalid_response, "the server received other bytes: its " + hash_->algorithm() +
                                                       " differs from that of the sent bytes");
    }
}

}  // namespace waybill::detail
