// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_digest.hpp>
#include <waybill/body/body_range.hpp>
#include <waybill/protocol/s3/item.hpp>

#include <algorithm>
#include <utility>

// An item's parts: those the server has, and those that are missing.
namespace waybill::detail {

WAYBILL_DECL std::size_t s3_item::first_missing() const noexcept {
    const auto missing =
        std::find_if(sent_.begin(), sent_.end(), [](const s3_sent_part& part) { return part.etag.empty(); });
    return static_cast<std::size_t>(missing - sent_.begin());
}

WAYBILL_DECL std::size_t s3_item::missing() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(sent_.begin(), sent_.end(), [](const s3_sent_part& part) { return part.etag.empty(); }));
}

/// Asks the server which parts it has; false when it does not say: then the responses of this attempt are used. The
/// object shows whether a completion in doubt succeeded.
WAYBILL_DECL asio::awaitable<bool> s3_item::compare() {
    std::optional<std::vector<s3_listed_part>> listed = co_await list();
    if (gone_) {
        co_return false;
    }
    if (listed) {
        sent_.assign(state_.parts.size(), {});
        co_await adopt(std::move(*listed));
        co_return true;
    }
    if (job_.in_doubt(index_)) {
        std::string checksum = co_await checksum_of_file();
        receipt_ = co_await find_object(std::move(checksum));  // the item's completion resolves the outcome
    }
    co_return false;
}

WAYBILL_DECL std::string s3_item::page_after(std::uint64_t part) const {
    const std::string first = resource_ + "&max-parts=1000";
    return part == 0 ? first : first + "&part-number-marker=" + std::to_string(part);
}

/// None when the keys may not list, the server has no such request (it then responds with 405, 501, 404, or as if it
/// were asked for the object), or the response is no list: then all parts are sent once more.
WAYBILL_DECL asio::awaitable<std::optional<std::vector<s3_listed_part>>> s3_item::list() {
    constexpr int most_cut = 2;
    constexpr int stubborn = 3;  // fruitless attempts in a row, after which an error is considered permanent
    std::vector<s3_listed_part> all;
    std::uint64_t after = 0;
    int cut = 0;
    for (;;) {
        request get = make_request("GET", page_after(after));
        const s3_response got = co_await send(std::move(get), to_hex(digest_of("sha-256", "")));
        if (got.error.code == "NoSuchUpload") {
            gone_ = surely_ = true;
            co_return all;
        }
        const verdict v = judge(got, true);
        const bool never = v.what == disposition::permanent && v.code.category() == http_category();
        if (!v.accepted && (never || (got.http.status >= 500 && job_.state().troubles >= stubborn))) {
            co_return std::nullopt;
        }
        require(got);
        const std::optional<s3_part_list> found = parse_part_list(got.http.body, state_.checksum);
        if (!found || got.http.body_truncated) {
            const bool begun = got.http.body.find("<ListPartsResult") != std::string::npos;
            if (!begun || ++cut > most_cut) {
                co_return std::nullopt;
            }
            co_await job_.back_off(cut, std::nullopt);
            continue;
        }
        all.insert(all.end(), found->parts.begin(), found->parts.end());
        if ((found->next != 0 && found->next <= after) || all.size() > most_s3_parts) {
            co_return std::nullopt;  // it does not end
        }
        after = found->next;
        if (after == 0) {
            co_return all;
        }
    }
}

/// Adopts what the server lists, as far as it is what we would send. A part without a received confirmation, or that
/// has changed since, is compared by its MD5; if the server's ETags are no MD5, it is sent again.
WAYBILL_DECL asio::awaitable<void> s3_item::adopt(std::vector<s3_listed_part> listed) {
    std::vector<std::uint32_t> returned(state_.parts.size(), 0);
    returned.swap(state_.parts);
    for (const s3_listed_part& part : listed) {
        const auto i = static_cast<std::size_t>(part.number - 1);
        const bool unsummed = !state_.checksum.empty() && part.checksum.empty();
        if (i >= returned.size() || part.size != state_.length(i, size())) {
            continue;
        }
        bool same = returned[i] == fingerprint(opaque_tag(part.etag));
        if (!same && unsummed) {
            continue;
        }
        body_range body(*source_, i * state_.part_size, part.size);
        if (!same) {
            std::vector<std::string> algorithms;
            algorithms.emplace_back("md5");
            const std::vector<std::string> sum = co_await digests_of(body, std::move(algorithms), job_.piece_size());
            same = opaque_tag(part.etag) == to_hex(sum.front());
        }
        if (same) {
            sent_[i].etag = part.etag;
            sent_[i].checksum = part.checksum;
            if (unsummed) {  // the server has confirmed it once, and does not list it
                const body_sums sums = co_await sums_of(body);
                sent_[i].checksum = sums.checksum;
            }
            state_.parts[i] = fingerprint(opaque_tag(part.etag));
        }
    }
    job_.save_soon(reached());
    job_.confirm(index_, state_.confirmed(size()));
}

/// Sends all that is missing. When one part fails for good, the others in flight are finished first: otherwise what
/// they have already sent would be lost. Continues for as long as parts are accepted.
WAYBILL_DECL asio::awaitable<void> s3_item::send_parts() {
    const std::size_t before = missing();
    in_flight_.assign(state_.parts.size(), false);
    refusals_.resize(state_.parts.size(), 0);
    failed_.reset();
    unacknowledged_.reset();
    unacknowledged_in_a_row_ = 0;
    std::function<asio::awaitable<bool>()> step = [self = shared_from_this()] { return self->send_next_part(); };
    co_await job_.in_parallel(settings_.parallel, std::move(step));
    if (gone_ || (!failed_ && !unacknowledged_)) {
        co_return;
    }
    const failure why = failed_ ? *failed_ : *unacknowledged_;
    const bool worn_out = std::any_of(refusals_.begin(), refusals_.end(), [](int n) { return n > most_refusals; });
    const bool passes = is_refused_for_now(why.what_to_do(), why.code(), why.retry_after());
    if (unacknowledged_ && passes && !worn_out) {
        co_await job_.back_off(1, why.retry_after());
        static_cast<void>(co_await compare());
    } else if (passes && !worn_out && missing() < before) {
        co_await job_.back_off(1, why.retry_after());
    }
    if (!gone_ && !receipt_ && (!passes || worn_out || missing() >= before)) {
        throw failure(why);
    }
}

WAYBILL_DECL asio::awaitable<bool> s3_item::send_next_part() {
    std::size_t next = 0;
    while (next < sent_.size() && (!sent_[next].etag.empty() || in_flight_[next])) {
        ++next;
    }
    if (failed_ || gone_ || next == state_.parts.size()) {
        co_return false;
    }
    in_flight_[next] = true;
    std::optional<failure> refused;
    try {
        co_await send_part(next);
    } catch (const failure& f) {
        if (f.what_to_do() == disposition::permanent) {
            throw;
        }
        refused.emplace(f);
    }
    if (refused) {
        co_await put_off(next, *refused);
    }
    co_return true;
}

/// A part was refused. While others are accepted, that concerns this part only: it is sent again after a pause.
WAYBILL_DECL asio::awaitable<void> s3_item::put_off(std::size_t part, const failure& why) {
    const int refusals = ++refusals_[part];
    const bool passes = is_refused_for_now(why.what_to_do(), why.code(), why.retry_after());
    if (failed_ || gone_ || !passes || endpoint_->taken() == 0 || refusals > most_refusals) {
        failed_ = failed_ ? failed_ : std::optional<failure>(why);
        co_return;
    }
    co_await job_.back_off(refusals, why.retry_after());
    in_flight_[part] = false;
}

WAYBILL_DECL asio::awaitable<void> s3_item::send_part(std::size_t part) {
    const std::uint64_t offset = part * state_.part_size;
    body_range body(*source_, offset, state_.length(part, size()));
    body_sums sums = co_await sums_of(body);
    s3_response got = co_await put_part(part, body, sums);
    if (endpoint_->asks_for_md5(got) && sums.md5.empty()) {
        sums = co_await sums_of(body);
        got = co_await put_part(part, body, sums);
    }
    if (says_gone(got)) {
        gone_ = true;
        surely_ = surely_ || got.error.code == "NoSuchUpload";
        co_return;
    }
    const verdict v = judge(got, true);
    const std::string etag = v.accepted ? stored_etag(got.http, body.size()) : std::string();
    const bool passes = v.what == disposition::retry || v.what == disposition::again;
    const bool lost = got.http.status == 0 && got.http.may_have_left && passes;
    if (lost || (v.accepted && etag.empty())) {
        // It may have arrived, which the list shows: it is not sent again blindly. But not forever, nor for one that is
        // only slow.
        const std::error_code code = lost ? v.code : make_error_code(errc::invalid_response);
        unacknowledged_.emplace(v.what, code, describe(got, lost ? "" : "a success without the part's ETag"),
                                std::nullopt, index_);
        if (++unacknowledged_in_a_row_ > settings_.parallel || got.http.failure == errc::response_timed_out) {
            failed_ = failed_ ? failed_ : unacknowledged_;
        }
        co_return;
    }
    require_known_checksum(got);
    require(got);
    require_checksum(got, sums);
    unacknowledged_in_a_row_ = 0;
    endpoint_->note_taken();
    state_.parts[part] = fingerprint(opaque_tag(etag));
    sent_[part].etag = etag;
    sent_[part].checksum = sums.checksum;
    job_.save_soon(reached());
    job_.confirm(index_, state_.confirmed(size()));
}

WAYBILL_DECL asio::awaitable<s3_response> s3_item::put_part(std::size_t part, body_source& body,
                                                            const body_sums& sums) {
    request put = make_request("PUT", resource_ + "&partNumber=" + std::to_string(part + 1));
    put.body = &body;
    add_sums(put, sums);
    put.spans.push_back(body_span{index_, 0, part * state_.part_size, body.size()});
    co_return co_await send(std::move(put), sums.payload);
}

}  // namespace waybill::detail
