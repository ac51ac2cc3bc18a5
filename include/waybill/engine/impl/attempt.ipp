// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/attempt.hpp>
#include <waybill/engine/picture.hpp>
#include <waybill/protocol/detail/http_rules.hpp>
#include <waybill/transport/url.hpp>

#include <algorithm>
#include <exception>

namespace waybill {
namespace detail {

/// Remembers which item's source failed: the transport only knows one body.
class noted_source final : public body_source {
public:
    noted_source(std::unique_ptr<body_source> inner, std::size_t item, std::size_t& failed)
        : inner_(std::move(inner)), item_(item), failed_(failed) {}

    [[nodiscard]] std::uint64_t size() const noexcept override { return inner_->size(); }
    void read(std::uint64_t offset, std::span<char> out) override {
        try {
            inner_->read(offset, out);
        } catch (...) {
            failed_ = item_;
            throw;
        }
    }

private:
    std::unique_ptr<body_source> inner_;
    std::size_t item_;
    std::size_t& failed_;
};

[[nodiscard]] inline failure source_failure(std::error_code code, diagnostics details, std::size_t item) {
    const disposition what = code == cause::permanent ? disposition::permanent : disposition::retry;
    return failure(what, code, std::move(details), std::nullopt, item);
}

}  // namespace detail

WAYBILL_DECL attempt::attempt(loaded_job whole, waybill::store& store, waybill::transport& transport,
                              source_opener& sources, waybill::clock& clock, const engine_options& options,
                              asio::any_io_executor executor)
    : whole_(std::move(whole)), committed_(whole_.job.state.now), store_(store), transport_(transport),
      sources_(sources), clock_(clock), options_(options), shown_(detail::picture_of(whole_)),
      executor_(std::move(executor)), item_meters_(whole_.items.size()) {}

WAYBILL_DECL const checkpoint* attempt::find_checkpoint(std::size_t item) const noexcept {
    const auto found = std::find_if(whole_.checkpoints.begin(), whole_.checkpoints.end(),
                                    [&](const checkpoint& c) { return c.item == item; });
    return found == whole_.checkpoints.end() ? nullptr : &*found;
}

WAYBILL_DECL std::unique_ptr<body_source> attempt::open(std::size_t item) {
    try {
        return std::make_unique<detail::noted_source>(sources_.open(whole_.items.at(item).spec), item, failed_item_);
    } catch (const error& e) {
        failed_item_ = item;
        throw detail::source_failure(e.code(), e.details(), item);
    }
}

WAYBILL_DECL asio::awaitable<response> attempt::send(request what, std::vector<body_span> spans, std::size_t about) {
    prepare(what, about);
    constexpr int most_redirects = 5;
    for (int redirects = 0;; ++redirects) {
        const listed_send entry(active_, spans);
        response answer = co_await transport_.perform(what, entry.place->progress);
        require_source_intact(answer);
        if (detail::judge(answer, what.idempotent).what != disposition::ambiguous) {
            whole_.job.state.tail_attempt = 0;  // whatever is committed next also takes the mark away
        }
        if (redirects >= most_redirects || !redirected(what, answer)) {
            co_return answer;
        }
    }
}

WAYBILL_DECL void attempt::prepare(request& what, std::size_t about) const {
    what.limits = options_.limits;
    // A server may need minutes for every gigabyte: to scan, to move, to assemble.
    what.limits.answer += std::chrono::milliseconds(what.body_size() / 6000);
    what.fresh_connection = what.fresh_connection || fresh_;
    what.headers = headers_for(what, about, url(what.url).origin());
    if (!what.idempotent) {
        auto* const self = const_cast<attempt*>(this);  // NOLINT: prepare itself changes nothing
        what.before_last_byte = [self, about] { return self->mark_tail(about); };
    }
}

WAYBILL_DECL header_list attempt::headers_for(const request& what, std::size_t about, const std::string& origin) const {
    header_list headers = what.headers;
    const job_spec& spec = whole_.job.spec;
    for (const auto& [name, value] : spec.headers) {
        std::erase_if(headers, [&name = name](const header_field& h) { return same_header(h.name, name); });
        headers.push_back({name, value});
    }
    if (!what.idempotent) {
        // A structured-field string: with quotes (draft-ietf-httpapi-idempotency-key-header).
        const std::string part = about == checkpoint::whole_job ? "" : "-" + std::to_string(about);
        headers.push_back({"Idempotency-Key", "\"" + whole_.job.state.key + part + "\""});
    }
    // Credentials belong to one origin, and nothing of a job may replace them.
    if (options_.credentials && url(spec.url).origin() == origin) {
        for (header_field& h : options_.credentials(origin)) {
            std::erase_if(headers, [&h](const header_field& other) { return same_header(other.name, h.name); });
            headers.push_back(std::move(h));
        }
    }
    return headers;
}

// The mark is durable before the last byte leaves: after a crash without it the server cannot
// have the whole body, and sending again is safe.
WAYBILL_DECL asio::awaitable<void> attempt::mark_tail(std::size_t about) {
    job_state marked = whole_.job.state;
    marked.tail_attempt = marked.attempt;
    marked.tail_item = about;
    co_await commit(std::move(marked));
}

// 307 and 308 keep method and body (RFC 9110 section 15.4). Only within the origin: bytes and
// credentials go to no host that was not asked for.
WAYBILL_DECL bool attempt::redirected(request& what, const response& answer) const {
    const auto location = answer.header("Location");
    if ((answer.status != 307 && answer.status != 308) || !location) {
        return false;
    }
    try {
        const url from(what.url);
        const url to = from.resolve(std::string(*location));
        if (to.origin() != from.origin()) {
            return false;
        }
        what.url = to.str();
        return true;
    } catch (const error&) {
        return false;
    }
}

WAYBILL_DECL void attempt::require_source_intact(const response& answer) const {
    if (answer.status != 0 || failed_item_ == checkpoint::whole_job || !answer.failure) {
        return;
    }
    throw detail::source_failure(answer.failure, describe(answer), failed_item_);
}

WAYBILL_DECL asio::awaitable<void> attempt::save(checkpoint reached) {
    const checkpoint* const known = find_checkpoint(reached.item);
    progressed_ = progressed_ || (known != nullptr && reached.offset > known->offset);
    job_change change;
    change.seq = whole_.job.seq;
    change.from = committed_;
    change.to = whole_.job.state;
    change.checkpoints.push_back(reached);
    co_await write(std::move(change));
    std::erase_if(whole_.checkpoints, [&](const checkpoint& c) { return c.item == reached.item; });
    whole_.checkpoints.push_back(std::move(reached));
}

WAYBILL_DECL void attempt::finish_item(std::size_t item, std::string receipt) {
    item_record& record = whole_.items.at(item);
    record.state.now = item_status::completed;
    record.state.confirmed = record.spec.size;
    record.state.receipt = std::move(receipt);
    dirty_items_.insert(item);
    progressed_ = true;
}

WAYBILL_DECL asio::awaitable<void> attempt::complete_item(std::size_t item, std::string receipt) {
    finish_item(item, std::move(receipt));
    co_await commit(whole_.job.state);
}

WAYBILL_DECL void attempt::complete_item_soon(std::size_t item, std::string receipt) {
    finish_item(item, std::move(receipt));
}

WAYBILL_DECL void attempt::complete_all_soon(std::string receipt) {
    for (std::size_t i = 0; i < whole_.items.size(); ++i) {
        finish_item(i, receipt);
    }
}

WAYBILL_DECL asio::awaitable<void> attempt::commit(job_state next, bool drop_checkpoints) {
    job_change change = take_change();
    change.to = std::move(next);
    change.drop_checkpoints = drop_checkpoints;
    // Set before waiting: what happens meanwhile builds on it, and must not be undone by it.
    whole_.job.state = change.to;
    const job_change kept = change;
    co_await write(std::move(change));
    committed(kept);
}

WAYBILL_DECL asio::awaitable<void> attempt::flush() {
    job_change change = take_change();
    const job_change kept = change;
    std::exception_ptr thrown;
    try {
        co_await store_.commit(std::move(change));
    } catch (const error& e) {
        thrown = e.code() == errc::store_full ? nullptr : std::current_exception();
        for (const auto& [index, state] : kept.items) {
            dirty_items_.insert(index);  // another time
        }
        if (!thrown) {
            co_return;
        }
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
    committed(kept);
}

/// The present state, and all item states that are not committed yet.
WAYBILL_DECL job_change attempt::take_change() {
    job_change change;
    change.seq = whole_.job.seq;
    change.from = committed_;
    change.to = whole_.job.state;
    for (const std::size_t i : std::exchange(dirty_items_, {})) {
        change.items.emplace_back(i, whole_.items[i].state);
    }
    return change;
}

/// Commits; while the disk is full it waits for space. What the server has confirmed must not be
/// forgotten for want of a few bytes.
WAYBILL_DECL asio::awaitable<void> attempt::write(job_change change) {
    const std::unique_ptr<alarm> pause = clock_.make_alarm(executor_);
    for (;;) {
        job_change again = change;
        try {
            co_await store_.commit(std::move(again));
            co_return;
        } catch (const error& e) {
            if (e.code() != errc::store_full || !may_wait_for_space()) {
                throw;
            }
        }
        co_await pause->wait_until(clock_.steady_now() + std::chrono::seconds(1));
    }
}

WAYBILL_DECL void attempt::committed(const job_change& change) {
    const status before = std::exchange(committed_, change.to.now);
    show_committed(change);
    on_committed(before, committed_);
}

WAYBILL_DECL void attempt::show_committed(const job_change& change) {
    shown_.now = change.to.now;
    shown_.reason = change.to.reason;
    shown_.attempt = change.to.attempt;
    shown_.not_before = change.to.not_before;
    shown_.finished = change.to.finished;
    shown_.error = change.to.error;
    for (const auto& [index, state] : change.items) {
        job_snapshot::item_progress& p = shown_.progress_of_items[index];
        p.now = state.now;
        p.confirmed = state.confirmed;
    }
    if (change.to.now == status::failed && change.to.error.item < shown_.progress_of_items.size()) {
        shown_.progress_of_items[change.to.error.item].now = item_status::failed;
    }
}

WAYBILL_DECL const job_snapshot& attempt::observe() {
    shown_.sent = 0;
    shown_.confirmed = 0;
    for (std::size_t i = 0; i < whole_.items.size(); ++i) {
        job_snapshot::item_progress& p = shown_.progress_of_items[i];
        p.speed = 0;
        // Delivered but not committed yet: its bytes are sent, its state is not shown.
        p.sent = whole_.items[i].state.now == item_status::completed ? whole_.items[i].spec.size : p.confirmed;
        if (p.now == item_status::uploading) {
            p.now = item_status::pending;
        }
    }
    shown_.doing = shown_.now == status::uploading ? activity::restoring : activity::none;
    show_transfers();
    for (const job_snapshot::item_progress& p : shown_.progress_of_items) {
        shown_.sent += p.sent;
        shown_.confirmed += p.confirmed;
    }
    if (is_open(shown_.now) && shown_.doing != activity::none) {
        job_meter_.observe(clock_.steady_now(), shown_.sent);
        shown_.speed = job_meter_.speed();
    } else {
        shown_.speed = 0;
    }
    return shown_;
}

WAYBILL_DECL void attempt::show_transfers() {
    for (const active_send& a : active_) {
        shown_.doing = a.progress.body_sent ? activity::awaiting_answer : activity::sending;
        for (const body_span& s : a.spans) {
            const std::uint64_t reached = a.progress.sent > s.body_offset ? a.progress.sent - s.body_offset : 0;
            job_snapshot::item_progress& p = shown_.progress_of_items[s.item];
            p.sent = std::max(p.sent, s.item_offset + std::min(reached, s.length));
            if (p.now == item_status::pending && (reached > 0 || a.spans.size() == 1)) {
                p.now = item_status::uploading;
                item_meters_[s.item].observe(clock_.steady_now(), p.sent);
                p.speed = reached < s.length ? item_meters_[s.item].speed() : 0;
            }
        }
    }
}

}  // namespace waybill
