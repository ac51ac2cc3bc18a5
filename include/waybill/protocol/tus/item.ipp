// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/shared/undecodable.hpp>
#include <waybill/protocol/shared/whole_digest.hpp>
#include <waybill/protocol/tus/item.hpp>

#include <algorithm>
#include <utility>

// An item's control flow: continued or planned, its parts, its end. Its requests are in tus_requests.ipp.
namespace waybill::detail {

WAYBILL_DECL tus_item::tus_item(session& job, std::size_t index, const tus_settings& settings,
                                std::shared_ptr<tus_server> server)
    : job_(job), index_(index), settings_(settings), server_(std::move(server)) {}

WAYBILL_DECL asio::awaitable<void> tus_item::deliver() {
    if (const checkpoint* const there = job_.find_checkpoint(index_); there != nullptr && !decodes(*there)) {
        co_await doubt_checkpoint(job_, index_);
    }
    const checkpoint* const known = job_.find_checkpoint(index_);
    const bool confirmed = known != nullptr && known->offset == size();
    if (!confirmed) {
        static_cast<void>(source());  // still those that were accepted
    }
    co_await begin();
    if (!settings_.digest.empty() && (!confirmed || has_file())) {
        hashing_ = std::make_unique<hashing_source>(job_.open(index_), settings_.digest, state_.digest_points,
                                                    job_.piece_size());
    }
    if (whole()) {
        try {
            co_await send_part(state_.parts.front());
        } catch (const failure& f) {
            note_reported(f);
            throw;
        }
    } else {
        // Once the whole is created its parts are not queried: the server may have removed them with that.
        const auto next = std::make_shared<std::size_t>(state_.final_url.empty() ? 0 : state_.parts.size());
        std::function<asio::awaitable<bool>()> step = [self = shared_from_this(), next] {
            return self->send_next_part(*next);
        };
        co_await job_.in_parallel(state_.parts.size(), std::move(step));
        co_await concatenate();
    }
    co_await finish();
}

WAYBILL_DECL body_source& tus_item::source() {
    if (!source_) {
        source_ = job_.open(index_);
    }
    return *source_;
}

/// An upload that the server has confirmed completely needs no file.
WAYBILL_DECL bool tus_item::has_file() {
    try {
        return source().size() == size();
    } catch (const failure& f) {
        if (!is_another_file(f)) {
            throw;
        }
        return false;
    }
}

WAYBILL_DECL asio::awaitable<void> tus_item::begin() {
    const checkpoint* const known = job_.find_checkpoint(index_);
    if (known == nullptr) {
        require_known();  // created and sent in one request: its URL was in the response
        co_await plan();
        co_return;
    }
    take_up(*known);
}

WAYBILL_DECL bool tus_item::decodes(const checkpoint& known) const {
    const std::optional<tus_state> stored = decode_tus_state(known.state);
    return stored && covers(*stored, size());
}

WAYBILL_DECL void tus_item::take_up(const checkpoint& known) {
    state_ = decode_tus_state(known.state).value();
    for (tus_part& p : state_.parts) {
        // One whose every byte was confirmed is complete, regardless of what the server reports now.
        p.asked = whole() && p.offset == p.length && !p.url.empty();
    }
}

WAYBILL_DECL asio::awaitable<void> tus_item::plan() {
    const tus_settings& s = settings_;
    const bool choosy = s.parallel > 1 || !s.checksum.empty() || s.create_with_upload || s.defer_length;
    if (choosy) {
        co_await discover();
    }
    const tus_offer offer = server_->offer.value_or(tus_offer());
    if (offer.most && size() > *offer.most) {
        response refused;
        refused.status = 413;
        fail(disposition::permanent, make_http_error(413), refused,
             "the server accepts at most " + std::to_string(*offer.most) + " bytes");
    }
    state_ = tus_state();
    state_.chunk = s.chunk_size;
    state_.checksum = s.checksum.empty() ? "" : offer.checksum_for(s.checksum);
    if (state_.checksum.empty() && !s.checksum.empty()) {
        fail(disposition::permanent, errc::not_offered, response(), "tus checksum " + s.checksum);
    }
    const bool adopts = !s.upload_url.empty();
    state_.parts = cut_into_parts(size(), offer.has("concatenation") && !adopts ? s.parallel : 1, s.least_part);
    state_.parts.front().url = s.upload_url;  // asked about before anything is sent there
    with_upload_ = s.create_with_upload && offer.has("creation-with-upload") && whole();
    defer_ = s.defer_length && offer.has("creation-defer-length") && size() != 0;
}

WAYBILL_DECL asio::awaitable<bool> tus_item::send_next_part(std::size_t& next) {
    if (next == state_.parts.size()) {
        co_return false;
    }
    tus_part& mine = state_.parts[next++];
    co_await send_part(mine);
    co_return true;
}

WAYBILL_DECL asio::awaitable<void> tus_item::send_part(tus_part& part) {
    for (;;) {
        if (part.url.empty()) {
            co_await create(part);
        } else if (!part.asked) {
            co_await ask(part);
        } else if (part.offset < part.length) {
            co_await patch(part);
        } else {
            co_return;
        }
    }
}

WAYBILL_DECL asio::awaitable<void> tus_item::finish() {
    std::string receipt = whole() ? state_.parts.front().url : state_.final_url;
    if (hashing_ && co_await reaches_end(*hashing_)) {
        receipt += " " + hashing_->algorithm() + "=:" + to_base64(hashing_->value()) + ":";
    }
    state_.delivered = true;  // committed together: a later cleanup must not touch it
    job_.save_soon(reached());
    const std::vector<item_record>& all = job_.items();
    const auto others = std::count_if(all.begin(), all.end(), [&](const item_record& i) {
        return &i != &all[index_] && i.state.status != item_status::completed;
    });
    if (others == 0) {  // the job's end is next, and is committed together with it
        job_.complete_item_soon(index_, printable_excerpt(receipt, 1024));
    } else {
        co_await job_.complete_item(index_, printable_excerpt(receipt, 1024));
    }
}

/// The job ends, or is parked, with the response to its last request: what comes next is the app's decision.
WAYBILL_DECL void tus_item::note_reported(const failure& why) {
    const bool ends = why.what_to_do() == disposition::permanent || why.code() == errc::outcome_unknown;
    if (ends && state_.last.refused != 0 && job_.find_checkpoint(index_) != nullptr) {
        state_.last.reported = true;
        job_.save_soon(reached());
    }
}

/// Abandons the upload: its server's reports cannot be trusted. A retry of the job creates a new one.
WAYBILL_DECL asio::awaitable<void> tus_item::contradicted(const response& got, std::string what) {
    co_await job_.resolve_and_discard(index_, true);  // an abandoned upload has not arrived
    throw failure(failed(disposition::permanent, errc::wrong_offset, got, std::move(what)).settle());
}

WAYBILL_DECL void tus_item::trouble(tus_part& part, const response& got) const {
    part.asked = false;
    if (++part.troubles > most_troubles) {
        const bool refused = got.status >= 400;
        fail(refused ? disposition::permanent : disposition::retry,
             refused ? make_http_error(got.status) : make_error_code(errc::invalid_response), got,
             "no progress in " + std::to_string(part.troubles) + " requests");
    }
}

WAYBILL_DECL failure tus_item::failed(disposition what, std::error_code code, const response& got,
                                      std::string detail) const {
    diagnostics d = describe(got);
    d.detail = std::move(detail);
    return failure(what, code, std::move(d), parse_retry_after(got, unix_seconds(job_.now())), index_);
}

WAYBILL_DECL void tus_item::fail(disposition what, std::error_code code, const response& got,
                                 std::string detail) const {
    throw failed(what, code, got, std::move(detail));
}

/// A request that finishes the item was sent, its response was lost, and the server has no resource to query: it may
/// have the item or not. Then the job's policy decides.
WAYBILL_DECL void tus_item::require_known(const response& said) const {
    if (job_.in_doubt(index_)) {
        const std::string why =
            said.status == 0 ? "" : ", and the server responded with HTTP " + std::to_string(said.status);
        fail(disposition::ambiguous, errc::outcome_unknown, said, "the upload may have been finished" + why);
    }
}

WAYBILL_DECL std::uint64_t tus_item::next_size(const tus_part& part) const noexcept {
    const std::uint64_t remaining = part.length - part.offset;
    return state_.chunk == 0 ? remaining : std::min(remaining, state_.chunk);
}

WAYBILL_DECL std::string tus_item::metadata() const {
    const item_spec& spec = job_.items()[index_].spec;
    return tus_metadata(job_.spec().fields, spec.name, spec.content_type);
}

WAYBILL_DECL checkpoint tus_item::reached() {
    checkpoint c;
    c.item = index_;
    c.resource = state_.final_url.empty() ? state_.parts.front().url : state_.final_url;
    c.offset = state_.confirmed();
    c.expires_unix = whole() ? state_.parts.front().expires : 0;
    if (hashing_) {
        state_.digest_points = hashing_->digest_points();
    }
    c.state = encode_tus_state(state_);
    return c;
}

}  // namespace waybill::detail
