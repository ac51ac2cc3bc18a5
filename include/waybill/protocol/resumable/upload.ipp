// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_range.hpp>
#include <waybill/http/url.hpp>
#include <waybill/protocol/resumable/upload.hpp>
#include <waybill/protocol/shared/undecodable.hpp>

#include <algorithm>
#include <utility>

namespace waybill::detail {

/// It has a field of the draft, and so it is the upload's server that answers.
[[nodiscard]] inline bool speaks_of_uploads(const response& answer) noexcept {
    return has_header_beginning(answer, "Upload-");
}

WAYBILL_DECL asio::awaitable<std::string> resumable_upload::deliver() {
    try {
        co_await go_on();
    } catch (const failure& f) {
        note_told(f);
        throw;
    }
    co_return receipt_;
}

WAYBILL_DECL asio::awaitable<void> resumable_upload::go_on() {
    const bool known = load();
    if (!known && job_.find_checkpoint(what_.about) != nullptr) {
        co_await doubt_checkpoint(job_, what_.about);
    }
    if (known) {
        co_await ask();
    } else if (job_.in_doubt(what_.about)) {
        throw failure(disposition::ambiguous, errc::outcome_unknown, {}, std::nullopt, what_.about);
    } else if (!how_.upload_url.empty()) {
        resource_ = how_.upload_url;
        adopting_ = true;
        co_await ask();
        adopting_ = false;
    }
    while (!complete_) {
        if (!resource_.empty()) {
            co_await append();
        } else if (how_.optimistic && restarts_ == 0) {
            co_await create_with_body();
        } else {
            co_await create();
        }
    }
}

WAYBILL_DECL asio::awaitable<void> resumable_upload::create() {
    request asked = co_await creation(false);
    interim_notes notes;
    watch(asked, notes, 0);
    std::vector<body_span> none;
    const response answer = co_await job_.send(std::move(asked), std::move(none), what_.about);
    const verdict v = judge(answer, true);
    if (!notes.broken.empty()) {
        co_await break_off(errc::invalid_response, notes.broken);
    }
    if (answer.status == 0 && !notes.location.empty()) {
        // It was created, and only the final answer was lost: some proxies lose it behind a 104.
        co_await adopt(answer, notes.location);
        co_await ask();
        co_return;
    }
    const upload_fields said = parse_upload_fields(answer.headers);
    if (!v.accepted) {
        if (v.what == disposition::permanent) {
            co_await require_right_size(said);  // which says more than the status
        }
        throw failed(v, answer);
    }
    const auto location = answer.header("Location");
    if (!location && !speaks_of_uploads(answer) && after_foreign_answer(answer) == disposition::network) {
        throw failed(verdict{false, disposition::network, errc::invalid_response}, answer);
    }
    if (!location || said.complete.value_or(false)) {
        co_await break_off(errc::not_offered, "resumable uploads at " + url(what_.url).redacted());
    }
    co_await adopt(answer, std::string(*location));
    if (!notes.location.empty() && notes.location != resource_) {
        co_await break_off(errc::invalid_response, "the server names two places for one upload");
    }
    if (said.offset.value_or(0) != 0) {
        co_await break_off(errc::wrong_offset, "the server has bytes of an upload that is new");
    }
}

/// Makes the URL of a new upload durable, before its first byte leaves.
WAYBILL_DECL asio::awaitable<void> resumable_upload::adopt(const response& answer, std::string location) {
    const url asked(answer.url.empty() ? what_.url : answer.url);
    std::optional<url> placed;
    try {
        placed.emplace(asked.resolve(location));
    } catch (const error&) {
        // Not a URL we could use: as good as none.
    }
    if (!placed || placed->origin() != asked.origin()) {
        // Named before it is awaited: g++ 12 destroys a conditional's temporary twice.
        const std::string where = placed ? placed->origin() : "no usable URL";
        co_await break_off(errc::invalid_response, "the server places the upload at " + where);
    }
    resource_ = placed->str();
    position_ = 0;
    const upload_fields said = parse_upload_fields(answer.headers);
    take_limits(said);
    co_await job_.save(reached());
    co_await require_right_size(said);
}

WAYBILL_DECL asio::awaitable<void> resumable_upload::require_right_size(const upload_fields& said) {
    const upload_limits limits = said.limits.value_or(upload_limits());
    if (limits.max_size.value_or(size_) < size_) {
        co_await break_off(make_http_error(413),
                           "the server takes at most " + std::to_string(*limits.max_size) + " bytes");
    }
    if (limits.min_size.value_or(0) > size_) {
        co_await break_off(errc::not_offered, "resumable uploads of less than " + std::to_string(*limits.min_size) +
                                                  " bytes: use put, multipart or automatic");
    }
}

WAYBILL_DECL asio::awaitable<void> resumable_upload::create_with_body() {
    request asked = co_await creation(true);
    if (hash_ != nullptr) {
        co_await hash_->continue_at(0);
    }
    body_range all(*what_.body, 0, size_);
    asked.body = &all;
    asked.idempotent = asked.method == "PUT";
    asked.finishing = true;
    asked.see_other = true;
    interim_notes notes;
    watch(asked, notes, 0);
    std::vector<body_span> whole = spans(0, size_);
    const response answer = co_await job_.send(std::move(asked), std::move(whole), what_.about);
    last_.heard(answer);
    refusal_ = answer;
    note_sent(answer, 0);
    if (!notes.broken.empty()) {
        co_await break_off(errc::wrong_offset, notes.broken);
    }
    const upload_fields said = parse_upload_fields(answer.headers);
    const verdict v = judge(answer, false);
    if (v.accepted && said.complete.value_or(true)) {
        co_await finish(answer);
        co_return;
    }
    if (resource_.empty() || said.complete.value_or(false)) {
        throw failed(v, answer);
    }
    take_limits(said);
    if (v.accepted || answer.status == 413) {
        co_await ask();
    } else {
        co_await resync(v, answer);
    }
}

/// Asks the server where the upload stands.
WAYBILL_DECL asio::awaitable<void> resumable_upload::ask() {
    request asked = new_request("HEAD", resource_);
    std::vector<body_span> none;
    const response answer = co_await job_.send(std::move(asked), std::move(none), what_.about);
    if (answer.status == 404 || answer.status == 410) {
        co_await gone(answer);
        co_return;
    }
    const verdict v = judge(answer, true);
    if (!v.accepted) {
        throw failed(v, answer);
    }
    const upload_fields said = parse_upload_fields(answer.headers);
    const bool complete = said.complete.value_or(false);
    if (said.length.value_or(size_) != size_) {
        co_await break_off(errc::wrong_offset, "the server expects " + std::to_string(*said.length) + " bytes, not " +
                                                   std::to_string(size_));
    }
    if (!said.offset && !complete && !speaks_of_uploads(answer)) {
        // Something else has answered, which says nothing of the upload: it stays, and so does a doubt about it.
        throw failed(verdict{false, after_foreign_answer(answer), errc::invalid_response}, answer);
    }
    if (!said.offset && !complete) {
        co_await break_off(errc::invalid_response, "the server does not say how much it has");
    }
    const std::uint64_t offset = said.offset.value_or(size_);
    if (offset < position_ && !complete) {
        co_await lost_tail(offset, answer);
        co_return;
    }
    const std::uint64_t most = std::min(left_.value_or(size_), size_);
    if (offset > most || offset < position_ || (complete && offset != size_)) {
        co_await break_off(errc::wrong_offset, "the server has " + std::to_string(offset) + " of " +
                                                   std::to_string(size_) + " bytes, was sent " + std::to_string(most) +
                                                   ", and confirmed " + std::to_string(position_));
    }
    take_limits(said);
    last_.unheard = last_.unheard || (job_.in_doubt(what_.about) && last_.refused == 0);
    if (complete) {
        last_.note_decision(job_.in_doubt(what_.about));
        co_await replay();
        co_return;
    }
    last_.reopen();
    const bool bounded = left_.has_value();
    advance(offset, true);
    if (bounded) {
        // On disk before more bytes leave: after a crash the old bound would make a liar of an honest server.
        checkpoint unbounded = reached();
        co_await job_.save(std::move(unbounded));
    }
}

/// The upload is complete and its answer was lost: asks for it once more. A server need not keep
/// it, but when it does, it may be a refusal (draft section 4.4.2).
WAYBILL_DECL asio::awaitable<void> resumable_upload::replay() {
    advance(size_);
    request asked = new_request("PATCH", resource_);
    asked.headers.push_back(header_field{"Content-Type", "application/partial-upload"});
    asked.headers.push_back(header_field{"Upload-Offset", std::to_string(size_)});
    asked.headers.push_back(header_field{"Upload-Complete", "?1"});
    std::vector<body_span> none;
    const response answer = co_await job_.send(std::move(asked), std::move(none), what_.about);
    if (answer.status == 0) {
        throw failed(judge(answer, true), answer);
    }
    const bool of_the_target = parse_upload_fields(answer.headers).complete.value_or(false);
    if (of_the_target && answer.status >= 400 && answer.status < 500) {
        co_await job_.settle_and_forget(what_.about, false);  // asked for again it is sent again
        throw failure(failed(verdict{false, disposition::permanent, make_http_error(answer.status)}, answer).settle());
    }
    if (of_the_target) {
        last_.refused = answer.status >= 500 ? answer.status : 0;
        refusal_ = answer;
    }
    co_await found_complete(answer);
}

/// It has every byte, though it may have refused the request that brought the last one.
WAYBILL_DECL asio::awaitable<void> resumable_upload::found_complete(const response& answer) {
    const response& why = refusal_ ? *refusal_ : answer;
    switch (last_.now_complete(job_.in_doubt(what_.about))) {
        case ending::delivered: co_await finish(answer); co_return;
        case ending::refused: throw failed(verdict{false, disposition::permanent, make_http_error(last_.refused)}, why);
        case ending::unknown: {
            const failure unknown = failed(verdict{false, disposition::ambiguous, errc::outcome_unknown}, why);
            last_.told = true;
            checkpoint doubtful = reached();
            co_await job_.save_and_mark(std::move(doubtful));
            throw failure(unknown);
        }
        case ending::anew: co_await begin_anew(false); co_return;
    }
}

WAYBILL_DECL asio::awaitable<void> resumable_upload::append() {
    const std::uint64_t length = next_length();
    const bool last = position_ + length == size_;
    if (hash_ != nullptr) {
        co_await hash_->continue_at(position_);
    }
    request asked = new_request("PATCH", resource_);
    asked.headers.push_back(header_field{"Content-Type", "application/partial-upload"});
    asked.headers.push_back(header_field{"Upload-Offset", std::to_string(position_)});
    asked.headers.push_back(header_field{"Upload-Complete", last ? "?1" : "?0"});
    if (how_.send_digests) {
        std::string value = co_await digest_field(how_.digest, position_, length);
        asked.headers.push_back(header_field{"Content-Digest", std::move(value)});
    }
    body_range piece(*what_.body, position_, length);
    asked.body = &piece;
    asked.finishing = last;
    asked.see_other = last;
    const std::uint64_t before = position_;
    interim_notes notes;
    watch(asked, notes, position_);
    std::vector<body_span> parts = spans(position_, length);
    const response answer = co_await job_.send(std::move(asked), std::move(parts), what_.about);
    if (last) {
        last_.heard(answer);
        refusal_ = answer;
    }
    note_sent(answer, before);
    if (!notes.broken.empty()) {
        co_await break_off(errc::wrong_offset, notes.broken);
    }
    const upload_fields said = parse_upload_fields(answer.headers);
    take_limits(said);
    if (judge(answer, !last).accepted) {
        const std::uint64_t end = before + length;
        if (said.offset && (*said.offset < position_ || *said.offset > end)) {
            co_await break_off(errc::wrong_offset, "the server has " + std::to_string(*said.offset) + " bytes after " +
                                                       std::to_string(end) + " were sent");
        }
        co_await appended(answer, end, last);
    } else {
        co_await refused(answer, length, last);
    }
    standstills_ = position_ > before || complete_ ? 0 : standstills_ + 1;
    if (standstills_ > 3) {
        throw failed(verdict{false, disposition::retry, errc::wrong_offset}, answer);
    }
}

/// The server has taken bytes; `end` is where those that were sent end.
WAYBILL_DECL asio::awaitable<void> resumable_upload::appended(const response& answer, std::uint64_t end, bool last) {
    const upload_fields said = parse_upload_fields(answer.headers);
    if (last && !said.complete && is_web_page(answer) && !speaks_of_uploads(answer)) {
        co_await ask();  // a login page says nothing of the upload
        co_return;
    }
    // Interop version 6 has no Upload-Complete in this answer.
    const bool complete = said.complete.value_or(last && said.offset.value_or(end) == end);
    if (!complete) {
        advance(said.offset.value_or(end));
    } else if (!last || said.offset.value_or(size_) != size_) {
        co_await break_off(errc::wrong_offset, "the server calls an upload complete that is not");
    } else {
        co_await finish(answer);
    }
}

/// The server has not taken them, or not all, or has not said.
WAYBILL_DECL asio::awaitable<void> resumable_upload::refused(const response& answer, std::uint64_t length, bool last) {
    const upload_fields said = parse_upload_fields(answer.headers);
    verdict v = judge(answer, !last);
    if (v.code == errc::response_too_large && v.what == disposition::permanent) {
        v.what = disposition::retry;  // too many interim responses; the bytes may have arrived all the same
    }
    if (said.complete.value_or(false) && answer.status >= 400) {
        // The target's own answer: resuming would not resolve it.
        if (v.what == disposition::permanent) {
            co_await job_.forget(what_.about, false);
        }
        throw failed(v, answer);
    }
    const upload_problem problem = parse_upload_problem(answer);
    if (problem == upload_problem::inconsistent_length) {
        co_await break_off(v.code, "the server has another length for this upload");
    }
    if (answer.status == 413) {
        constexpr std::uint64_t least = 64 << 10;
        if (length <= std::max(least, least_append_)) {
            throw failed(v, answer);
        }
        most_append_ = std::max({length / 2, least, least_append_});
    }
    if (answer.status == 404 || answer.status == 410) {
        co_await gone(answer);
    } else if (answer.status == 409 || answer.status == 413 || problem != upload_problem::none) {
        co_await ask();
    } else {
        co_await resync(v, answer);
    }
}

/// After a request that broke: asks at once, and goes on if it has got somewhere. What is left in
/// doubt stays so, with the mark, for the next attempt to ask about.
WAYBILL_DECL asio::awaitable<void> resumable_upload::resync(verdict because, const response& answer) {
    constexpr std::uint64_t worth_it = 64 << 10;
    const failure original = failed(because, answer);
    const bool answered = answer.status != 0 && !answer.header("Retry-After");  // and not told when to come back
    const bool for_now = because.what == disposition::busy || because.what == disposition::network;
    if (because.what != disposition::retry && because.what != disposition::ambiguous && !(for_now && answered)) {
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
        throw failed(verdict{false, disposition::retry, because.code}, answer);
    }
}

/// The upload is no more. If its last byte may have left, it may have been completed before.
WAYBILL_DECL asio::awaitable<void> resumable_upload::gone(const response& answer) {
    if (job_.in_doubt(what_.about)) {
        throw failure(disposition::ambiguous, errc::outcome_unknown, describe(answer), std::nullopt, what_.about);
    }
    co_await begin_anew(false);
    if (++restarts_ > 1) {
        throw failed(verdict{false, disposition::retry, make_http_error(answer.status)}, answer);
    }
}

/// It has less than it has confirmed: it has lost the end of it, and perhaps more than that. What was never finished is
/// begun anew. Of what may have been, the server's word is worth nothing any more.
WAYBILL_DECL asio::awaitable<void> resumable_upload::lost_tail(std::uint64_t offset, const response& answer) {
    diagnostics d = describe(answer);
    d.detail = "the server has " + std::to_string(offset) + " bytes, and confirmed " + std::to_string(position_);
    if (job_.in_doubt(what_.about)) {
        throw failure(disposition::ambiguous, errc::outcome_unknown, std::move(d), std::nullopt, what_.about);
    }
    if (adopting_) {
        co_await break_off(errc::wrong_offset, d.detail);
    }
    co_await begin_anew(true);
    if (++restarts_ > 1) {
        throw failure(disposition::retry, errc::wrong_offset, std::move(d), std::nullopt, what_.about);
    }
}

/// `discard`: the server still has something of the upload that is given up.
WAYBILL_DECL asio::awaitable<void> resumable_upload::begin_anew(bool discard) {
    co_await job_.forget(what_.about, discard);
    resource_.clear();
    position_ = 0;
    left_.reset();
    last_ = finishing();
    for (const representation::part& p : what_.parts) {
        job_.confirm(p.item, 0);
    }
}

// The mark stays until the item's completion is kept: the file is read for its digest first, and a server may put the
// finished upload away meanwhile.
WAYBILL_DECL asio::awaitable<void> resumable_upload::finish(const response& answer) {
    co_await require_same_digest(answer);
    complete_ = true;
    position_ = size_;
    receipt_ = receipt(answer);
}

}  // namespace waybill::detail
