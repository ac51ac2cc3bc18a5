// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_range.hpp>
#include <waybill/http/url.hpp>
#include <waybill/protocol/resumable/requests.ipp>
#include <waybill/protocol/resumable/upload.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

// An upload that is new.
namespace waybill::detail {

WAYBILL_DECL asio::awaitable<void> resumable_upload::create() {
    request asked = co_await creation(false);
    interim_notes notes;
    watch(asked, notes, 0);
    const response got = co_await job_.send(std::move(asked), what_.about);
    const verdict v = judge(got, true);
    if (!notes.broken.empty()) {
        co_await break_off(errc::invalid_response, notes.broken);
    }
    if (got.status == 0 && !notes.location.empty()) {
        // It was created, and only the final response was lost: some proxies lose it after a 104.
        co_await adopt(got, notes.location);
        co_await ask();
        co_return;
    }
    const upload_fields said = parse_upload_fields(got.headers);
    if (!v.accepted) {
        if (v.what == disposition::permanent) {
            co_await require_right_size(said);  // which is more precise than the status
        }
        throw failed(v, got);
    }
    const auto location = got.header("Location");
    if (!location && !mentions_uploads(got) && after_foreign_response(got) == disposition::network) {
        throw failed(verdict{false, disposition::network, errc::invalid_response}, got);
    }
    if (!location || said.complete.value_or(false)) {
        co_await break_off(errc::not_offered, "resumable uploads at " + url(what_.url).redacted());
    }
    co_await adopt(got, std::string(*location));
    if (!notes.location.empty() && notes.location != resource_) {
        co_await break_off(errc::invalid_response, "the server names two URLs for one upload");
    }
    if (said.offset.value_or(0) != 0) {
        co_await break_off(errc::wrong_offset, "the server has bytes of an upload that is new");
    }
}

/// Makes the URL of a new upload durable, before its first byte is sent.
WAYBILL_DECL asio::awaitable<void> resumable_upload::adopt(const response& got, std::string location) {
    const url asked(got.url.empty() ? what_.url : got.url);
    std::optional<url> placed;
    try {
        placed.emplace(asked.resolve(location));
    } catch (const error&) {
        // Not a usable URL: treated as missing.
    }
    if (!placed || placed->origin() != asked.origin()) {
        // Named before it is awaited: g++ 12 destroys a conditional's temporary twice.
        const std::string where = placed ? placed->origin() : "no usable URL";
        co_await break_off(errc::invalid_response, "the server places the upload at " + where);
    }
    resource_ = placed->str();
    position_ = 0;
    const upload_fields said = parse_upload_fields(got.headers);
    take_limits(said);
    co_await job_.save(reached());
    co_await require_right_size(said);
}

WAYBILL_DECL asio::awaitable<void> resumable_upload::require_right_size(const upload_fields& said) {
    const upload_limits limits = said.limits.value_or(upload_limits());
    if (limits.max_size.value_or(size_) < size_) {
        co_await break_off(make_http_error(413),
                           "the server accepts at most " + std::to_string(*limits.max_size) + " bytes");
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
    asked.spans = spans(0, size_);
    const response got = co_await job_.send(std::move(asked), what_.about);
    last_.note(got);
    refusal_ = got;
    note_sent(got, 0);
    if (!notes.broken.empty()) {
        co_await break_off(errc::wrong_offset, notes.broken);
    }
    const upload_fields said = parse_upload_fields(got.headers);
    const verdict v = judge(got, false);
    if (v.accepted && said.complete.value_or(true)) {
        co_await finish(got);
        co_return;
    }
    if (resource_.empty() || said.complete.value_or(false)) {
        throw failed(v, got);
    }
    take_limits(said);
    if (v.accepted || got.status == 413) {
        co_await ask();
    } else {
        co_await resync(v, got);
    }
}

}  // namespace waybill::detail
