// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_range.hpp>
#include <waybill/http/url.hpp>
#include <waybill/protocol/resumable/upload.hpp>
#include <waybill/protocol/shared/undecodable.hpp>

#include <algorithm>
#include <utility>

namespace waybill::detail {

WAYBILL_DECL asio::awaitable<std::string> resumable_upload::deliver() {
    try {
        co_await go_on();
    } catch (const failure& f) {
        note_reported(f);
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

/// The request for the next bytes, without them.
WAYBILL_DECL asio::awaitable<request> resumable_upload::continuation(std::uint64_t length, bool last) {
    request asked = new_request("PATCH", resource_);
    asked.headers.push_back(header_field{"Content-Type", "application/partial-upload"});
    asked.headers.push_back(header_field{"Upload-Offset", std::to_string(position_)});
    asked.headers.push_back(header_field{"Upload-Complete", last ? "?1" : "?0"});
    if (how_.send_digests) {
        std::string value = co_await digest_field(how_.digest, position_, length);
        asked.headers.push_back(header_field{"Content-Digest", std::move(value)});
    }
    asked.finishing = last;
    asked.see_other = last;
    co_return asked;
}

WAYBILL_DECL asio::awaitable<void> resumable_upload::append() {
    const std::uint64_t length = next_length();
    const bool last = position_ + length == size_;
    if (hash_ != nullptr) {
        co_await hash_->continue_at(position_);
    }
    request asked = co_await continuation(length, last);
    body_range piece(*what_.body, position_, length);
    asked.body = &piece;
    const std::uint64_t before = position_;
    interim_notes notes;
    watch(asked, notes, position_);
    asked.spans = spans(position_, length);
    const response got = co_await job_.send(std::move(asked), what_.about);
    if (last) {
        last_.note(got);
        refusal_ = got;
    }
    note_sent(got, before);
    if (!notes.broken.empty()) {
        co_await break_off(errc::wrong_offset, notes.broken);
    }
    const upload_fields said = parse_upload_fields(got.headers);
    take_limits(said);
    if (judge(got, !last).accepted) {
        const std::uint64_t end = before + length;
        if (said.offset && (*said.offset < position_ || *said.offset > end)) {
            co_await break_off(errc::wrong_offset, "the server has " + std::to_string(*said.offset) + " bytes after " +
                                                       std::to_string(end) + " were sent");
        }
        co_await appended(got, end, last);
    } else {
        co_await refused(got, length, last);
    }
    standstills_ = position_ > before || complete_ ? 0 : standstills_ + 1;
    if (standstills_ > 3) {
        throw failed(verdict{false, disposition::retry, errc::wrong_offset}, got);
    }
}

/// The server has accepted bytes; `end` is where the sent bytes end.
WAYBILL_DECL asio::awaitable<void> resumable_upload::appended(const response& got, std::uint64_t end, bool last) {
    const upload_fields said = parse_upload_fields(got.headers);
    if (last && !said.complete && is_web_page(got) && !mentions_uploads(got)) {
        co_await ask();  // a login page says nothing about the upload
        co_return;
    }
    // Interop version 6 has no Upload-Complete in this response.
    const bool complete = said.complete.value_or(last && said.offset.value_or(end) == end);
    if (!complete) {
        advance(said.offset.value_or(end));
    } else if (!last || said.offset.value_or(size_) != size_) {
        co_await break_off(errc::wrong_offset, "the server reports an incomplete upload as complete");
    } else {
        co_await finish(got);
    }
}

/// The server has not accepted them, or not all, or has not said.
WAYBILL_DECL asio::awaitable<void> resumable_upload::refused(const response& got, std::uint64_t length, bool last) {
    const upload_fields said = parse_upload_fields(got.headers);
    verdict v = judge(got, !last);
    if (v.code == errc::response_too_large && v.what == disposition::permanent) {
        v.what = disposition::retry;  // too many interim responses; the bytes may have arrived nevertheless
    }
    if (said.complete.value_or(false) && got.status >= 400) {
        // The target's own response: resuming would not resolve it.
        if (v.what == disposition::permanent) {
            co_await job_.discard(what_.about, false);
        }
        throw failed(v, got);
    }
    const upload_problem problem = parse_upload_problem(got);
    if (problem == upload_problem::inconsistent_length) {
        co_await break_off(v.code, "the server has another length for this upload");
    }
    if (got.status == 413) {
        constexpr std::uint64_t least = 64 << 10;
        if (length <= std::max(least, least_append_)) {
            throw failed(v, got);
        }
        most_append_ = std::max({length / 2, least, least_append_});
    }
    if (got.status == 404 || got.status == 410) {
        co_await gone(got);
    } else if (got.status == 409 || got.status == 413 || problem != upload_problem::none) {
        co_await ask();
    } else {
        co_await resync(v, got);
    }
}

// The intent stays until the item's completion is kept: the file is read for its digest first, and the server may
// delete the finished upload meanwhile.
WAYBILL_DECL asio::awaitable<void> resumable_upload::finish(const response& got) {
    co_await require_same_digest(got);
    complete_ = true;
    position_ = size_;
    receipt_ = receipt(got);
}

}  // namespace waybill::detail
