// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/tus/item.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

// The server's state of an upload, and what follows when it differs from the checkpoint.
namespace waybill::detail {

/// False when it no longer exists, or is not revealed; then the consequences have been carried out.
WAYBILL_DECL asio::awaitable<bool> tus_item::is_shown(tus_part& part, const response& got) {
    // A tus server names its version in every response (tus 1.0.0, Tus-Resumable). A proxy also responds with 404 while
    // the server behind it is being replaced: without that header it is accepted only after some attempts.
    constexpr int most_doubts = 3;
    const bool gone = got.status == 404 || got.status == 410;
    const bool hides = got.status == 403 && !got.header("Upload-Offset");
    if ((gone || hides) && !got.header("Tus-Resumable") && job_.state().failures < most_doubts) {
        fail(disposition::retry, make_http_error(got.status), got, "the response is not from a tus server");
    }
    if (gone) {
        co_await lost(part, got);
    } else if (hides) {
        co_await hidden(part, got);
    }
    co_return !gone && !hides;
}

/// Throws when the server reports another upload.
WAYBILL_DECL asio::awaitable<void> tus_item::require_same(const tus_part& part, const response& got,
                                                          std::optional<std::uint64_t> length) {
    if (length && *length != part.length) {
        co_await contradicted(
            got, "the upload there has " + std::to_string(*length) + " bytes, not " + std::to_string(part.length));
    }
    if (whole() && got.header("Upload-Concat") == "partial") {
        co_await contradicted(got, "the upload there is a part of another one");
    }
}

WAYBILL_DECL asio::awaitable<void> tus_item::stands_at(tus_part& part, std::uint64_t offset, const response& got) {
    if (offset < part.length) {
        state_.last.reopen();
    }
    const bool bounded = part.sent_bound.has_value();
    const bool settles = whole() && job_.in_doubt(index_);  // the outcome of the last request is known now
    co_await moved(part, offset, got, settles);
    if (bounded && part.offset < part.length) {
        // Persist the cleared upper bound before sending more bytes. Otherwise, after a crash, the stale bound would
        // make a correct offset look like a protocol violation.
        checkpoint unbounded = reached();
        co_await job_.save(std::move(unbounded));
    }
}

WAYBILL_DECL asio::awaitable<void> tus_item::ask(tus_part& part) {
    request head = tus_request("HEAD", part.url, false);
    const response got = co_await send(std::move(head), nullptr, 0);
    const bool shown = co_await is_shown(part, got);
    if (!shown) {
        co_return;
    }
    job_.require(got, index_);
    require_tus(got);
    const auto offset = parse_decimal(got.header("Upload-Offset").value_or(""));
    const auto length = parse_decimal(got.header("Upload-Length").value_or(""));
    if (!offset) {
        fail(disposition::retry, errc::invalid_response, got, "no Upload-Offset");
    }
    co_await require_same(part, got, length);
    if (*offset < part.offset) {
        co_await lost_tail(part, *offset, got);
        co_return;
    }
    const std::uint64_t most = std::min(part.sent_bound.value_or(part.length), part.length);
    if (*offset > most) {
        co_await contradicted(got, "it is at offset " + std::to_string(*offset) + ", confirmed were " +
                                       std::to_string(part.offset) + " and sent " + std::to_string(most) + " of " +
                                       std::to_string(part.length));
    }
    part.deferred = !length && got.header("Upload-Defer-Length") == "1";
    part.asked = true;
    state_.last.unacknowledged =
        state_.last.unacknowledged || (whole() && job_.in_doubt(index_) && state_.last.refused == 0);
    if (whole() && *offset == part.length) {
        co_await found_complete(part, got);
        if (part.url.empty()) {
            co_return;
        }
    }
    co_await stands_at(part, *offset, got);
}

/// It has every byte, though it may have refused the request that sent the last one.
WAYBILL_DECL asio::awaitable<void> tus_item::found_complete(tus_part& part, const response& got) {
    const int refused = state_.last.refused;
    state_.last.note_decision(job_.in_doubt(index_));
    const std::string said =
        "the server has every byte, but responded to the last of them with " + std::to_string(refused);
    switch (state_.last.now_complete(job_.in_doubt(index_))) {
        case ending::delivered: co_return;
        case ending::refused: fail(disposition::permanent, make_http_error(refused), refusal_.value_or(got), said);
        case ending::unknown: {
            state_.last.reported = true;
            checkpoint doubtful = reached();
            co_await job_.save_with_intent(std::move(doubtful));
            fail(disposition::ambiguous, errc::outcome_unknown, refusal_.value_or(got), said);
        }
        case ending::send_again: co_await restart(part, false); co_return;
    }
}

/// The upload no longer exists at the server, or has expired: another one is created.
WAYBILL_DECL asio::awaitable<void> tus_item::lost(tus_part& part, const response& got) {
    if (whole()) {
        require_known(got);  // a server may delete a finished upload
    }
    count_restart(got);
    co_await restart(part, !got.header("Tus-Resumable"));
}

/// The server does not reveal it. That can also mean that the upload no longer exists (tus 1.0.0, HEAD); or it wants
/// other credentials than we have, and then it lets none be created either. So another one is created first, and only
/// its URL replaces the old one.
WAYBILL_DECL asio::awaitable<void> tus_item::hidden(tus_part& part, const response& got) {
    if (whole()) {
        require_known(got);
    }
    count_restart(got);
    state_.last = finishing();
    co_await create(part);
}

/// It has less than it has confirmed: it has lost the end, and perhaps more. An upload that was never finished is
/// restarted. If it may have been finished, the server's report cannot be trusted any more.
WAYBILL_DECL asio::awaitable<void> tus_item::lost_tail(tus_part& part, std::uint64_t offset, const response& got) {
    const std::string said = "the server lost the end of the upload: it is at offset " + std::to_string(offset) +
                             ", confirmed were " + std::to_string(part.offset);
    if (whole() && (job_.in_doubt(index_) || part.offset == part.length)) {
        fail(disposition::ambiguous, errc::outcome_unknown, got, said);
    }
    if (++state_.restarts > most_restarts) {
        co_await contradicted(got, said + ", and it is the " + std::to_string(state_.restarts) + "th time");
    }
    if (!whole()) {  // its other parts are no better
        co_await job_.discard(index_, true);
        fail(disposition::retry, errc::wrong_offset, got, said);
    }
    co_await restart(part, true);
}

WAYBILL_DECL void tus_item::count_restart(const response& got) {
    if (++state_.restarts > most_restarts) {
        fail(disposition::permanent, make_http_error(got.status), got,
             "the server dropped the upload " + std::to_string(state_.restarts) + " times");
    }
}

/// `discard`: the server still has something of the abandoned upload.
WAYBILL_DECL asio::awaitable<void> tus_item::restart(tus_part& part, bool discard) {
    state_.last = finishing();
    part.url.clear();
    part.offset = 0;
    part.sent_bound.reset();
    part.expires = 0;
    part.asked = false;
    state_.final_url.clear();
    if (whole()) {
        co_await job_.discard(index_, discard);
    } else {
        checkpoint without = reached();
        co_await job_.save(std::move(without));
    }
    job_.confirm(index_, state_.confirmed());
}

}  // namespace waybill::detail
