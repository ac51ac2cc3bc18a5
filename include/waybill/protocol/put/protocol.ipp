// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_digest.hpp>
#include <waybill/detail/digest.hpp>
#include <waybill/http/representation.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/put/protocol.hpp>
#include <waybill/protocol/shared/preconditions.hpp>
#include <waybill/protocol/shared/repeated_request.hpp>
#include <waybill/protocol/shared/target.hpp>
#include <waybill/protocol/shared/undecodable.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::detail {

WAYBILL_DECL put_protocol::put_protocol(const protocol_spec& spec) {
    constexpr std::uint64_t most = 64;
    for (const auto& [name, value] : spec.settings) {
        const std::uint64_t number = parse_decimal(value).value_or(0);
        bool good = false;
        if (name == "parallel") {
            parallel_ = static_cast<std::size_t>(number);
            good = number >= 1 && number <= most;
        } else if (name == "digest") {
            digest_ = value;
            good = value == "sha-256" || value == "crc32c";
        } else if (name == "method") {
            method_ = value;
            good = value == "PUT" || value == "POST" || value == "PATCH";
        }
        if (!good) {
            throw error(errc::invalid_setting, "put: " + printable_excerpt(name + " = " + value, 128));
        }
    }
    if (parallel_ > 1 && !is_idempotent()) {
        throw error(errc::invalid_setting, "put: parallel, with the method " + method_ +
                                               ": the outcome of one request must be known before the next is sent");
    }
}

// A POST to a URL that ends in / creates a resource whose name the server chooses.
WAYBILL_DECL bool put_protocol::names_targets(std::string_view url) const noexcept {
    return is_put_template(url) && (method_ != "POST" || url.find("{name}") != std::string_view::npos);
}

WAYBILL_DECL void put_protocol::check(const waybill::job& job) const {
    if (!job.fields().empty()) {
        throw error(errc::invalid_field, "the body of a " + method_ + " is the item alone: form fields need a form");
    }
    if (is_idempotent()) {
        require_targets(job);
    } else if (names_targets(job.url())) {
        require_different_names(job);
    }
}

WAYBILL_DECL bool is_signed_header(std::string_view url, std::string_view name) {
    constexpr std::string_view list = "x-amz-signedheaders=";
    std::string_view query = url.substr(std::min(url.find('?'), url.size()));
    while (!query.empty()) {
        query.remove_prefix(1);  // the part before this parameter
        const std::string_view one = query.substr(0, query.find('&'));
        query.remove_prefix(one.size());
        if (one.size() < list.size() || !same_header(one.substr(0, list.size()), list)) {
            continue;
        }
        for (std::string_view names = one.substr(list.size()); !names.empty();) {
            const std::size_t end = std::min({names.find(';'), names.find("%3B"), names.find("%3b"), names.size()});
            if (same_header(names.substr(0, end), name)) {
                return true;
            }
            names.remove_prefix(std::min(names.size(), end + (names.substr(end).starts_with('%') ? 3 : 1)));
        }
    }
    return false;
}

WAYBILL_DECL bool put_protocol::takes_header(const std::string& url, std::string_view name) const {
    return same_header(name, "Content-Disposition") || same_header(name, "Content-Encoding") ||
           is_signed_header(url, name);
}

WAYBILL_DECL asio::awaitable<void> put_protocol::upload(session& job) {
    const auto items = std::make_shared<independent_items>(job);
    // A job has one intent: conditional requests are sent one after the other.
    const bool conditional = is_conditional(job.spec().headers);
    if (parallel_ == 1 || conditional) {
        for (bool more = true; more;) {
            more = co_await upload_next(job, *items);
        }
    } else {
        std::function<asio::awaitable<bool>()> step = [this, &job, items] { return upload_next(job, *items); };
        co_await job.in_parallel(std::min(parallel_, job.items().size()), std::move(step));
    }
    items->finish();
}

/// Sends the next item that is not confirmed yet; false when there is none.
WAYBILL_DECL asio::awaitable<bool> put_protocol::upload_next(session& job, independent_items& items) const {
    const std::optional<std::size_t> mine = items.next();
    if (!mine) {
        co_return false;
    }
    try {
        co_await upload_item(job, *mine);
    } catch (const failure& f) {
        items.failed(*mine, f);
    }
    co_return true;
}

/// The request that sends an item, without its bytes.
WAYBILL_DECL request put_protocol::item_request(const session& job, std::size_t index, const std::string& sum) const {
    const item_spec& item = job.items()[index].spec;
    const std::string& target = job.spec().url;
    request what;
    what.method = method_;
    what.url = put_target(target, names_targets(target), item.name);
    what.headers.push_back(header_field{"Content-Type", item.content_type});
    if (method_ == "POST") {
        what.headers.push_back(header_field{"Content-Disposition", inline_disposition(item.name)});
    }
    if (!sum.empty()) {
        what.headers.push_back(header_field{"Repr-Digest", sum});
    }
    what.idempotent = is_idempotent();
    what.see_other = true;
    return what;
}

WAYBILL_DECL asio::awaitable<void> put_protocol::upload_item(session& job, std::size_t index) const {
    const item_spec& item = job.items()[index].spec;
    const bool conditional = is_conditional(job.spec().headers);
    // This version stores none: a newer one does. A request that replaces its own result may be sent again without
    // asking.
    if ((!is_idempotent() || conditional) && job.find_checkpoint(index) != nullptr) {
        co_await doubt_checkpoint(job, index);
    }
    const std::unique_ptr<body_source> body = job.open(index);
    const std::string sum = co_await digest_of_all(*body, job.piece_size());
    request what = item_request(job, index, sum);
    what.body = body.get();
    // A repeated conditional PUT can fail its own condition because the first one succeeded: an intent is recorded
    // before its last byte is sent, and no reused connection is used, on which it might be repeated silently.
    what.finishing = what.fresh_connection = conditional;
    const bool doubted = is_idempotent() && job.in_doubt(index);
    what.spans.push_back(body_span{index, 0, 0, item.size});
    const bool repeated = is_repeated_by_key(job, index);
    const response got = co_await job.send(std::move(what), index);
    if (doubted && (got.status == 412 || got.status == 409)) {
        co_await look_at_target(job, index, got, *body);
        co_return;
    }
    require_first_is_over(got, job, index, repeated);
    job.require(got, index, is_idempotent() && !conditional);
    std::string receipt = receipt_of(got);
    if (got.see_other) {
        receipt += (receipt.empty() ? "" : " ") + redirect_text(got);
    }
    receipt += (receipt.empty() || sum.empty() ? "" : " ") + sum;
    if (is_idempotent()) {
        job.complete_item_soon(index, std::move(receipt));
    } else {
        co_await job.complete_item(index, std::move(receipt));  // a crash must not leave the outcome in doubt
    }
}

/// The server's receipt for an item: for a PUT its entity tag; for other methods the response, as with a form.
WAYBILL_DECL std::string put_protocol::receipt_of(const response& got) const {
    constexpr std::size_t most = 256;
    const std::string said = is_idempotent() ? "" : printable_excerpt(got.body, most);
    return said.empty() ? printable_excerpt(got.header("ETag").value_or(""), most) : said;
}

/// The condition does not hold, after a request for the same item whose response was lost: perhaps because that one
/// succeeded. The resource at the target shows this, if the server reveals enough of it.
WAYBILL_DECL asio::awaitable<void> put_protocol::look_at_target(session& job, std::size_t index,
                                                                const response& refused, body_source& body) const {
    const job_spec& spec = job.spec();
    const item_spec& item = job.items()[index].spec;
    request asked;
    asked.method = "HEAD";
    asked.url = put_target(spec.url, true, item.name);
    asked.headers.push_back(header_field{"Want-Repr-Digest", "sha-256=10"});
    asked.idempotent = true;
    asked.conditional = false;
    const response got = co_await job.send(std::move(asked), index);
    const verdict v = judge(got, true);
    if (!v.accepted && v.what != disposition::permanent) {
        job.require(got, index);
    }
    whose there = whose::unknown;
    if (v.accepted) {
        const shown_content shown = shown_by(got, spec.headers);
        there = compare_size(shown, item.size);
        if (there == whose::unknown && shown.has_digest()) {
            std::vector<std::string> algorithms = {"sha-256", "md5"};
            const std::vector<std::string> sums = co_await digests_of(body, std::move(algorithms), job.piece_size());
            there = compare_digests(shown, sums.front(), to_hex(sums.back()));
        }
    }
    if (there == whose::ours) {
        job.complete_item_soon(index, printable_excerpt(got.header("ETag").value_or(""), 256));
        co_return;
    }
    diagnostics why = describe(refused);
    if (there == whose::other && only_if_absent(spec.headers)) {
        // If nothing may be there yet, a resource of another client means that ours was not created.
        throw failure(
            failure(disposition::permanent, make_http_error(refused.status), std::move(why), std::nullopt, index)
                .settle());
    }
    why.detail = "the condition may not hold because of this upload";
    throw failure(disposition::ambiguous, errc::outcome_unknown, std::move(why), std::nullopt, index);
}

WAYBILL_DECL asio::awaitable<std::string> put_protocol::digest_of_all(body_source& body, std::size_t piece_size) const {
    if (digest_.empty()) {
        co_return std::string();
    }
    std::vector<std::string> algorithms;
    algorithms.push_back(digest_);
    const std::vector<std::string> sums = co_await digests_of(body, std::move(algorithms), piece_size);
    co_return digest_ + "=:" + to_base64(sums.front()) + ":";
}

}  // namespace waybill::detail
