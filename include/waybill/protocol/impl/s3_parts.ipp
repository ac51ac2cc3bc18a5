// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/detail/body_digest.hpp>
#include <waybill/protocol/detail/body_range.hpp>
#include <waybill/protocol/detail/s3_item.hpp>

#include <algorithm>
#include <utility>

// An item's parts: those the server has, and those that are missing.
namespace waybill::detail {

WAYBILL_DECL std::size_t s3_item::first_missing() const noexcept {
    const auto missing =
        std::find_if(sent_.begin(), sent_.end(), [](const s3_sent_part& part) { return part.etag.empty(); });
    return static_cast<std::size_t>(missing - sent_.begin());
}

/// Asks the server which parts it has.
WAYBILL_DECL asio::awaitable<void> s3_item::compare() {
    std::optional<std::vector<s3_listed_part>> listed = co_await list();
    if (gone_) {
        co_return;
    }
    sent_.assign(state_.parts.size(), {});
    if (listed) {
        co_await adopt(std::move(*listed));
    }
}

/// Nothing when the keys may not look: then all parts are sent once more.
WAYBILL_DECL asio::awaitable<std::optional<std::vector<s3_listed_part>>> s3_item::list() {
    std::vector<s3_listed_part> all;
    std::uint64_t after = 0;
    do {
        std::string page = resource_ + "&max-parts=1000";
        page += after == 0 ? std::string() : "&part-number-marker=" + std::to_string(after);
        request get = make_request("GET", std::move(page));
        std::vector<body_span> none;
        const s3_answer answer = co_await send(std::move(get), to_hex(digest_of("sha-256", "")), std::move(none));
        if (answer.error.code == "NoSuchUpload") {
            gone_ = true;
            co_return all;
        }
        if (answer.error.code == "AccessDenied") {
            gone_ = marked();  // then only the object can tell
            co_return std::nullopt;
        }
        require(answer);
        const std::optional<s3_part_list> found = parse_part_list(answer.http.body, state_.checksum);
        if (!found || answer.http.body_cut) {
            fail(disposition::retry, errc::invalid_response, answer, "no list of parts");
        }
        all.insert(all.end(), found->parts.begin(), found->parts.end());
        if ((found->next != 0 && found->next <= after) || all.size() > most_s3_parts) {
            fail(disposition::permanent, errc::invalid_response, answer, "the list of parts does not end");
        }
        after = found->next;
    } while (after != 0);
    co_return all;
}

/// Takes over what the server lists, as far as it is what we would send. A part that nobody heard
/// confirmed, or that has changed since, is compared by its MD5; where the server's ETags are none, it
/// is sent again.
WAYBILL_DECL asio::awaitable<void> s3_item::adopt(std::vector<s3_listed_part> listed) {
    std::vector<std::uint32_t> heard(state_.parts.size(), 0);
    heard.swap(state_.parts);
    for (const s3_listed_part& part : listed) {
        const auto i = static_cast<std::size_t>(part.number - 1);
        const bool unsummed = !state_.checksum.empty() && part.checksum.empty();
        if (i >= heard.size() || part.size != state_.length(i, size())) {
            continue;
        }
        bool same = heard[i] == fingerprint(part.etag);
        if (!same && unsummed) {
            continue;
        }
        body_range body(*source_, i * state_.part_size, part.size);
        if (!same) {
            std::vector<std::string> algorithms;
            algorithms.emplace_back("md5");
            const std::vector<std::string> sum = co_await digests_of(body, std::move(algorithms), job_.piece_size());
            same = part.etag == "\"" + to_hex(sum.front()) + "\"" || part.etag == to_hex(sum.front());
        }
        if (same) {
            sent_[i].etag = part.etag;
            sent_[i].checksum = part.checksum;
            if (unsummed) {  // the server has confirmed it once, and does not list it
                const body_sums sums = co_await sums_of(body);
                sent_[i].checksum = sums.checksum;
            }
            state_.parts[i] = fingerprint(part.etag);
        }
    }
    job_.save_soon(reached());
    job_.confirm(index_, state_.confirmed(size()));
}

/// Sends all that is missing. When one part fails the others under way are finished first: what they
/// have sent already would be lost.
WAYBILL_DECL asio::awaitable<void> s3_item::send_parts() {
    under_way_.assign(state_.parts.size(), false);
    failed_.reset();
    std::function<asio::awaitable<bool>()> step = [self = shared_from_this()] { return self->send_next_part(); };
    co_await job_.in_parallel(settings_.parallel, std::move(step));
    if (failed_ && !gone_) {
        throw failure(*failed_);
    }
}

WAYBILL_DECL asio::awaitable<bool> s3_item::send_next_part() {
    std::size_t next = 0;
    while (next < sent_.size() && (!sent_[next].etag.empty() || under_way_[next])) {
        ++next;
    }
    if (failed_ || gone_ || next == state_.parts.size()) {
        co_return false;
    }
    under_way_[next] = true;
    try {
        co_await send_part(next);
    } catch (const failure& f) {
        if (f.what_to_do() == disposition::permanent) {
            throw;
        }
        failed_.emplace(f);
    }
    co_return true;
}

WAYBILL_DECL asio::awaitable<void> s3_item::send_part(std::size_t part) {
    const std::uint64_t offset = part * state_.part_size;
    body_range body(*source_, offset, state_.length(part, size()));
    const body_sums sums = co_await sums_of(body);
    request put = make_request("PUT", resource_ + "&partNumber=" + std::to_string(part + 1));
    put.body = &body;
    add_checksum(put, sums);
    std::vector<body_span> spans;
    spans.push_back(body_span{index_, 0, offset, body.size()});
    const s3_answer answer = co_await send(std::move(put), sums.payload, std::move(spans));
    if (answer.error.code == "NoSuchUpload") {
        gone_ = true;
        co_return;
    }
    require(answer);
    require_checksum(answer, sums);
    const std::string etag(answer.http.header("ETag").value_or(""));
    if (etag.empty() || etag.size() > 256) {
        fail(disposition::retry, errc::invalid_response, answer, "no ETag of the part");
    }
    state_.parts[part] = fingerprint(etag);
    sent_[part].etag = etag;
    sent_[part].checksum = sums.checksum;
    job_.save_soon(reached());
    job_.confirm(index_, state_.confirmed(size()));
}

}  // namespace waybill::detail
