// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/resumable/upload.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The server's state of an upload, and what follows when it differs from the checkpoint.
namespace waybill::detail {

/// Throws when the server reports another upload, or does not report an offset.
WAYBILL_DECL asio::awaitable<void> resumable_upload::require_offset(const response& got, const upload_fields& said) {
    const bool complete = said.complete.value_or(false);
    if (said.length.value_or(size_) != size_) {
        co_await break_off(errc::wrong_offset, "the server expects " + std::to_string(*said.length) + " bytes, not " +
                                                   std::to_string(size_));
    }
    if (!said.offset && !complete && !mentions_uploads(got)) {
        // Something else has responded, which says nothing about the upload: it stays, and so does an outcome in doubt.
        throw failed(verdict{false, after_foreign_response(got), errc::invalid_response}, got);
    }
    if (!said.offset && !complete) {
        co_await break_off(errc::invalid_response, "the server does not report its offset");
    }
}

WAYBILL_DECL asio::awaitable<void> resumable_upload::stands_at(std::uint64_t offset) {
    last_.reopen();
    const bool bounded = sent_bound_.has_value();
    advance(offset, true);
    if (bounded) {
        // Persist the cleared upper bound before sending more bytes. Otherwise, after a crash, the stale bound would
        // make a correct offset look like a protocol violation.
        checkpoint unbounded = reached();
        co_await job_.save(std::move(unbounded));
    }
}

/// Asks the server for the upload's offset.
WAYBILL_DECL asio::awaitable<void> resumable_upload::ask() {
    request asked = new_request("HEAD", resource_);
    const response got = co_await job_.send(std::move(asked), what_.about);
    if (got.status == 404 || got.status == 410) {
        co_await gone(got);
        co_return;
    }
    const verdict v = judge(got, true);
    if (!v.accepted) {
        throw failed(v, got);
    }
    const upload_fields said = parse_upload_fields(got.headers);
    const bool complete = said.complete.value_or(false);
    co_await require_offset(got, said);
    const std::uint64_t offset = said.offset.value_or(size_);
    if (offset < position_ && !complete) {
        co_await lost_tail(offset, got);
        co_return;
    }
    const std::uint64_t most = std::min(sent_bound_.value_or(size_), size_);
    if (offset > most || offset < position_ || (complete && offset != size_)) {
        co_await break_off(errc::wrong_offset, "the server has " + std::to_string(offset) + " of " +
                                                   std::to_string(size_) + " bytes, was sent " + std::to_string(most) +
                                                   ", and confirmed " + std::to_string(position_));
    }
    take_limits(said);
    last_.unacknowledged = last_.unacknowledged || (job_.in_doubt(what_.about) && last_.refused == 0);
    if (complete) {
        last_.note_decision(job_.in_doubt(what_.about));
        co_await replay();
        co_return;
    }
    co_await stands_at(offset);
}

/// The upload is complete and its response was lost: asks for it once more. A server need not keep it, but when it
/// does, it may be a refusal (draft section 4.4.2).
WAYBILL_DECL asio::awaitable<void> resumable_upload::replay() {
    advance(size_);
    request asked = new_request("PATCH", resource_);
    asked.headers.push_back(header_field{"Content-Type", "application/partial-upload"});
    asked.headers.push_back(header_field{"Upload-Offset", std::to_string(size_)});
    asked.headers.push_back(header_field{"Upload-Complete", "?1"});
    const response got = co_await job_.send(std::move(asked), what_.about);
    if (got.status == 0) {
        throw failed(judge(got, true), got);
    }
    const bool of_the_target = parse_upload_fields(got.headers).complete.value_or(false);
    if (of_the_target && got.status >= 400 && got.status < 500) {
        co_await job_.resolve_and_discard(what_.about, false);  // it is sent again when it is requested again
        throw failure(failed(verdict{false, disposition::permanent, make_http_error(got.status)}, got).settle());
    }
    if (of_the_target) {
        last_.refused = got.status >= 500 ? got.status : 0;
        refusal_ = got;
    }
    co_await found_complete(got);
}

/// It has every byte, though it may have refused the request that sent the last one.
WAYBILL_DECL asio::awaitable<void> resumable_upload::found_complete(const response& got) {
    const response& why = refusal_ ? *refusal_ : got;
    switch (last_.now_complete(job_.in_doubt(what_.about))) {
        case ending::delivered: co_await finish(got); co_return;
        case ending::refused: throw failed(verdict{false, disposition::permanent, make_http_error(last_.refused)}, why);
        case ending::unknown: {
            const failure unknown = failed(verdict{false, disposition::ambiguous, errc::outcome_unknown}, why);
            last_.reported = true;
            checkpoint doubtful = reached();
            co_await job_.save_with_intent(std::move(doubtful));
            throw failure(unknown);
        }
        case ending::send_again: co_await restart(false); co_return;
    }
}

/// After an interrupted request: asks immediately, and continues if there was progress. An outcome that is still in
/// doubt stays so, with its intent, and the next attempt asks.
WAYBILL_DECL asio::awaitable<void> resumable_upload::resync(verdict because, const response& got) {
    constexpr std::uint64_t worth_it = 64 << 10;
    const failure original = failed(because, got);
    const bool responded = got.status != 0 && !got.header("Retry-After");  // and did not name a time to retry
    const bool for_now = because.what == disposition::busy || because.what == disposition::network;
    if (because.what != disposition::retry && because.what != disposition::ambiguous && !(for_now && responded)) {
        throw failure(original);
    }
    const std::uint64_t before = position_;
    const int restarts = restarts_;
    bool asked = false;
    try {
        co_await ask();
        asked = true;
    } catch (const failure& f) {
        if (f.what_to_do() == disposition::permanent || f.code() == errc::outcome_unknown) {
            throw;
        }
    }
    if (!asked) {
        throw failure(original);
    }
    if (!complete_ && restarts_ == restarts && position_ < before + worth_it) {
        throw failed(verdict{false, disposition::retry, because.code}, got);
    }
}

/// The upload no longer exists. If its last byte may have been sent, it may have been completed before.
WAYBILL_DECL asio::awaitable<void> resumable_upload::gone(const response& got) {
    if (job_.in_doubt(what_.about)) {
        throw failure(disposition::ambiguous, errc::outcome_unknown, describe(got), std::nullopt, what_.about);
    }
    co_await restart(false);
    if (++restarts_ > 1) {
        throw failed(verdict{false, disposition::retry, make_http_error(got.status)}, got);
    }
}

/// It has less than it has confirmed: it has lost the end, and perhaps more. An upload that was never finished is
/// restarted. If it may have been finished, the server's report cannot be trusted any more.
WAYBILL_DECL asio::awaitable<void> resumable_upload::lost_tail(std::uint64_t offset, const response& got) {
    diagnostics d = describe(got);
    d.detail = "the server has " + std::to_string(offset) + " bytes, and confirmed " + std::to_string(position_);
    if (job_.in_doubt(what_.about)) {
        throw failure(disposition::ambiguous, errc::outcome_unknown, std::move(d), std::nullopt, what_.about);
    }
    if (adopting_) {
        co_await break_off(errc::wrong_offset, d.detail);
    }
    co_await restart(true);
    if (++restarts_ > 1) {
        throw failure(disposition::retry, errc::wrong_offset, std::move(d), std::nullopt, what_.about);
    }
}

/// `discard`: the server still has something of the abandoned upload.
WAYBILL_DECL asio::awaitable<void> resumable_upload::restart(bool discard) {
    co_await job_.discard(what_.about, discard);
    resource_.clear();
    position_ = 0;
    sent_bound_.reset();
    last_ = finishing();
    for (const representation::part& p : what_.parts) {
        job_.confirm(p.item, 0);
    }
}

}  // namespace waybill::detail
