// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/crc32c.hpp>
#include <waybill/detail/in_parallel.hpp>
#include <waybill/engine/attempt.hpp>
#include <waybill/engine/backoff.hpp>
#include <waybill/engine/picture.hpp>
#include <waybill/engine/requests.hpp>
#include <waybill/protocol/http_rules.hpp>

#include <algorithm>
#include <exception>

namespace waybill {
namespace detail {

[[nodiscard]] inline failure source_failure(std::error_code code, diagnostics details, std::size_t item) {
    const disposition what = code == errc::source_unavailable ? disposition::source
                             : code == errc::file_touched     ? disposition::again
                             : code == cause::permanent       ? disposition::permanent
                                                              : disposition::retry;
    return failure(what, code, std::move(details), std::nullopt, item);
}

/// What an answer says of the request.
[[nodiscard]] inline heard heard_in(const verdict& v, const response& answer, const job_spec& job) noexcept {
    if (v.what == disposition::ambiguous) {
        return heard::nothing;
    }
    if (v.accepted) {
        return heard::success;
    }
    // Where the key is honoured, 422 means that it is known, and with other bytes.
    const bool of_the_key = answer.status == 422 && job.if_unknown == on_unknown::retry_same_key;
    return of_the_key ? heard::known_request : heard::refusal;
}

/// An item's bytes. Remembers whose source failed: the transport only knows one body.
class noted_source final : public body_source {
public:
    noted_source(source_opener& sources, const item_spec& spec, std::size_t item, std::set<std::size_t>& failed)
        : sources_(sources), spec_(spec), item_(item), failed_(failed) {}

    void open() {
        noted([this] { inner_ = sources_.open(spec_); });
    }
    [[nodiscard]] std::uint64_t size() const noexcept override { return inner_ ? inner_->size() : spec_.size; }
    void read(std::uint64_t offset, std::span<char> out) override {
        if (!inner_) {
            open();
        }
        noted([&] { inner_->read(offset, out); });
    }

private:
    template <class Do>
    void noted(const Do& what) {
        try {
            what();
        } catch (const error& e) {
            failed_.insert(item_);
            throw source_failure(e.code(), e.details(), item_);
        }
    }

    source_opener& sources_;
    const item_spec& spec_;
    std::size_t item_;
    std::set<std::size_t>& failed_;
    std::unique_ptr<body_source> inner_;
};

}  // namespace detail

WAYBILL_DECL void give_up_uploads(job_change& change, const loaded_job& whole,
                                  std::chrono::system_clock::time_point now) {
    change.drop_checkpoints = true;
    change.checkpoints.clear();
    for (const checkpoint& c : whole.checkpoints) {
        change.leftovers.push_back(
            leftover_of(whole.job, c, std::chrono::time_point_cast<std::chrono::milliseconds>(now)));
    }
}

WAYBILL_DECL attempt::attempt(loaded_job whole, detail::ledger& ledger, waybill::transport& transport,
                              source_opener& sources, waybill::clock& clock, const engine_options& options,
                              detail::strand home)
    : whole_(std::move(whole)), intent_(whole_.job.state.intent), committed_(whole_.job.state.now), ledger_(ledger),
      transport_(transport), sources_(sources), clock_(clock), options_(options), shown_(detail::picture_of(whole_)),
      home_(std::move(home)), flushed_(home_), item_meters_(whole_.items.size()) {
    for (item_record& one : whole_.items) {
        if (one.state.now == item_status::failed) {
            one.state.now = item_status::pending;  // it has its turn again
        }
    }
}

WAYBILL_DECL const checkpoint* attempt::find_checkpoint(std::size_t item) const noexcept {
    const auto found = std::find_if(whole_.checkpoints.begin(), whole_.checkpoints.end(),
                                    [&](const checkpoint& c) { return c.item == item; });
    return found == whole_.checkpoints.end() ? nullptr : &*found;
}

WAYBILL_DECL std::unique_ptr<body_source> attempt::open(std::size_t item) {
    auto source = std::make_unique<detail::noted_source>(sources_, whole_.items.at(item).spec, item, failed_items_);
    // Of what may have arrived the server is asked first. That needs no file, and it may be gone since.
    if (!in_doubt()) {
        source->open();
    }
    return source;
}

WAYBILL_DECL asio::awaitable<response> attempt::send(request what, std::vector<body_span> spans, std::size_t about) {
    const std::vector<std::string> secrets = detail::prepare(what, whole_.job.spec, options_);
    what.fresh_connection = what.fresh_connection || fresh_;
    if (!what.idempotent && !options_.key_header.empty()) {
        const std::string quote = options_.key_quoted ? "\"" : "";
        what.headers.push_back(
            header_field{options_.key_header, quote + detail::key_of(what, whole_.job, about) + quote});
    }
    const bool intends = !what.idempotent || what.finishing;
    if (intends) {
        require_no_other_doubt(about);
        intent_.begin_request();
    }
    // A server that refuses early and hangs up may not be heard, over TLS least of all: after some
    // connections that broke in mid-body it is asked first.
    constexpr int cuts_until_asked = 3;
    int& cuts = whole_.job.state.early_cuts;
    what.expect_continue = what.expect_continue || (cuts >= cuts_until_asked && what.body_size() > 0);
    const bool known = in_doubt(about);
    for (int redirects = 0;; ++redirects) {
        // Looked at again after a redirect: its answer has settled the intent.
        const job_state& state = whole_.job.state;
        if (intends && state.intent != intent(state.attempt, about)) {
            what.before_last_byte = [this, about] { return record_intent(about); };
        }
        const listed_send entry(active_, spans);
        response answer = co_await perform(what, *entry.place, intends && !known);
        hide_secrets(answer, secrets);
        detail::take_redirect(what, answer, secrets);
        const bool cut = answer.status == 0 && answer.failure == errc::connection_lost && !answer.may_have_left;
        // Only a body is cut; a question that is answered says nothing of the next one. And a limit that was heard by
        // asking first holds for the next request too, which may still be above it.
        const bool limit_heard = what.expect_continue && answer.status == 413;
        if (what.body_size() > 0 && !limit_heard) {
            cuts = cut ? cuts + 1 : 0;
        }
        if (cut && find_checkpoint(about) != nullptr) {
            unheard_ += std::max(entry.place->progress.sent, answer.body_taken);
        }
        const verdict v = judge(answer, false);
        if (intends) {
            intent_.hear(detail::heard_in(v, answer, whole_.job.spec), whole_.job.state.attempt, about);
        }
        require_source_intact(answer, spans);
        if (!detail::redirected(what, answer, redirects)) {
            answer.url = what.url;
            co_return answer;
        }
    }
}

// Interrupted before the connection stood, it cannot have arrived, though the intent of a small body is recorded
// before.
WAYBILL_DECL asio::awaitable<response> attempt::perform(const request& what, active_send& as,
                                                        bool settle_if_nothing_left) {
    std::exception_ptr thrown;
    response answer;
    try {
        answer = co_await transport_.perform(what, as.progress);
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown && settle_if_nothing_left && !as.progress.connected) {
        intent_.settle();
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
    contacted_ = true;
    const bool answered = answer.status != 0 && !concerns_host(make_http_error(answer.status));
    host_heard_ = host_heard_ || answered || answer.body_taken >= options_.retry.prompt_bytes;
    co_return answer;
}

// The intent is durable before the last byte is sent: after a crash without it the server cannot
// have the whole body, and sending again is safe.
WAYBILL_DECL asio::awaitable<void> attempt::record_intent(std::size_t about) {
    intent_.record(whole_.job.state.attempt, about);
    co_await commit(whole_.job.state);
}

WAYBILL_DECL void attempt::require_no_other_doubt(std::size_t about) const {
    const job_state& state = whole_.job.state;
    if (intent_.forbids(state.attempt, about, whole_.items)) {
        throw failure(disposition::ambiguous, errc::outcome_unknown, {}, std::nullopt, state.intent.item());
    }
}

WAYBILL_DECL void attempt::require_source_intact(const response& answer, const std::vector<body_span>& spans) const {
    if (answer.status != 0 || !answer.failure) {
        return;
    }
    // Other requests of this job may fail meanwhile for reasons of their own.
    for (const body_span& s : spans) {
        if (failed_items_.contains(s.item)) {
            throw detail::source_failure(answer.failure, describe(answer), s.item);
        }
    }
}

WAYBILL_DECL void attempt::keep(checkpoint reached) {
    intent_.keep();
    const checkpoint* const known = find_checkpoint(reached.item);
    progressed_ = progressed_ || (known != nullptr && reached.offset > known->offset);
    if (known != nullptr && reached.unknown.empty()) {
        reached.unknown = known->unknown;  // the protocol makes each checkpoint anew
    }
    std::erase_if(whole_.checkpoints, [&](const checkpoint& c) { return c.item == reached.item; });
    dirty_checkpoints_.insert(reached.item);
    whole_.checkpoints.push_back(std::move(reached));
}

// What these are told is kept by the call itself. A stop that is noticed where their commit is awaited must not
// separate it from what was kept before it: the job's end is committed with both.
WAYBILL_DECL asio::awaitable<void> attempt::save(checkpoint reached) {
    keep(std::move(reached));
    return commit(whole_.job.state);
}

WAYBILL_DECL asio::awaitable<void> attempt::save_and_mark(checkpoint reached) {
    const std::size_t about = reached.item;
    keep(std::move(reached));
    intent_.record(whole_.job.state.attempt, about);
    return commit(whole_.job.state);
}

WAYBILL_DECL void attempt::save_soon(checkpoint reached) {
    keep(std::move(reached));
}

WAYBILL_DECL void attempt::settle_soon(checkpoint reached) {
    const std::size_t about = reached.item;
    keep(std::move(reached));
    intent_.settle(about);
}

WAYBILL_DECL asio::awaitable<void> attempt::forget(std::size_t item, bool discard) {
    return drop(item, discard, false);
}

WAYBILL_DECL asio::awaitable<void> attempt::settle_and_forget(std::size_t item, bool discard) {
    return drop(item, discard, true);
}

WAYBILL_DECL asio::awaitable<void> attempt::drop(std::size_t item, bool discard, bool settles) {
    const writing_mark mark(writing_);
    co_await until_flushed();
    const checkpoint* const known = find_checkpoint(item);
    if (known == nullptr) {
        co_return;
    }
    intent_.keep();
    if (settles) {
        intent_.settle(item);
    }
    job_change change = take_change();
    change.dropped.push_back(item);
    if (discard) {
        change.leftovers.push_back(
            leftover_of(whole_.job, *known, std::chrono::time_point_cast<std::chrono::milliseconds>(now())));
    }
    dirty_checkpoints_.erase(item);
    std::erase_if(change.checkpoints, [&](const checkpoint& c) { return c.item == item; });
    std::erase_if(whole_.checkpoints, [&](const checkpoint& c) { return c.item == item; });
    if (item < whole_.items.size() && whole_.items[item].state.now != item_status::completed) {
        confirm(item, 0);
    }
    const job_change kept = change;
    try {
        co_await write(std::move(change));
    } catch (...) {
        put_back(kept);
        throw;
    }
    committed(kept);
}

WAYBILL_DECL void attempt::confirm(std::size_t item, std::uint64_t bytes) {
    item_record& record = whole_.items.at(item);
    const std::uint64_t most = std::min(bytes, record.spec.size);
    // Bytes that the server has lost and gets again are no progress.
    std::uint64_t best = record.state.confirmed;
    if (most < best) {
        lost_.try_emplace(item, best);
    }
    if (const auto before = lost_.find(item); before != lost_.end()) {
        best = before->second;
        before->second = std::max(best, most);
    }
    if (most > best) {
        whole_.job.state.early_cuts = 0;  // the server takes what is sent
        progressed_ = true;
        gained_ += most - best;
    }
    record.state.confirmed = most;
    dirty_items_.insert(item);
    shown_.progress_of_items[item].confirmed = most;
}

WAYBILL_DECL asio::awaitable<void> attempt::in_parallel(std::size_t width,
                                                        std::function<asio::awaitable<bool>()> step) {
    co_await detail::in_parallel(home_, shared_from_this(), width, std::move(step));
}

// The jitter need not be random, only another one for each request: those that were refused together must not come
// back together.
WAYBILL_DECL asio::awaitable<void> attempt::back_off(int refusals, std::optional<std::chrono::seconds> retry_after) {
    const std::uint32_t spread = detail::crc32c(++pauses_, whole_.job.state.key);
    const double random = static_cast<double>(spread) / 4294967296.0;  // 2^32
    const std::chrono::milliseconds delay = backoff_delay(options_.retry, refusals, random, retry_after);
    const std::unique_ptr<alarm> pause = clock_.make_alarm(home_);
    co_await pause->wait_until(clock_.steady_now() + delay);
}

WAYBILL_DECL asio::awaitable<void> attempt::save_protocol(std::string name) {
    whole_.job.state.spoken = std::move(name);
    return commit(whole_.job.state);
}

WAYBILL_DECL void attempt::finish_item(std::size_t item, std::string receipt) {
    intent_.keep();
    intent_.settle(item);  // of an earlier attempt, about which the server was asked
    item_record& record = whole_.items.at(item);
    record.state.now = item_status::completed;
    record.state.confirmed = record.spec.size;
    record.state.receipt = std::move(receipt);
    dirty_items_.insert(item);
    progressed_ = true;
}

WAYBILL_DECL asio::awaitable<void> attempt::complete_item(std::size_t item, std::string receipt) {
    finish_item(item, std::move(receipt));
    return commit(whole_.job.state);
}

WAYBILL_DECL void attempt::complete_item_soon(std::size_t item, std::string receipt) {
    finish_item(item, std::move(receipt));
}

WAYBILL_DECL void attempt::fail_item_soon(std::size_t item) {
    whole_.items.at(item).state.now = item_status::failed;
    dirty_items_.insert(item);
    intent_.settle(item);  // its failure says what became of it
}

WAYBILL_DECL void attempt::complete_all_soon(std::string receipt) {
    for (std::size_t i = 0; i < whole_.items.size(); ++i) {
        finish_item(i, receipt);
    }
    intent_.settle();
}

WAYBILL_DECL asio::awaitable<void> attempt::commit(job_state next) {
    // Set before waiting: what happens meanwhile builds on it, and must not be undone by it.
    whole_.job.state = std::move(next);
    const writing_mark mark(writing_);
    co_await until_flushed();
    const job_change taken = take_change();
    job_change change = taken;
    if (change.to.now == status::completed) {
        change.drop_checkpoints = true;
        change.checkpoints.clear();
    } else if (change.to.now == status::canceled ||
               (change.to.now == status::failed && change.to.error.code == errc::expired)) {
        give_up_uploads(change, whole_, now());
    }
    const job_change kept = change;
    try {
        co_await write(std::move(change));
    } catch (...) {
        // A stop while it waited for space: the next commit must not drop the intent without what settled it.
        put_back(taken);
        throw;
    }
    committed(kept);
}

// Never while a commit is under way. One that waits for space would be overtaken, by the very state it waits to
// write; and what a flush could not write would come back too late for a commit that is the job's last.
WAYBILL_DECL asio::awaitable<void> attempt::flush() {
    if (writing_ > 0) {
        co_return;
    }
    const flushing_mark mark(*this);
    job_change change = take_change();
    const job_change kept = change;
    std::exception_ptr thrown;
    bool full = false;
    try {
        co_await ledger_.commit(std::move(change), whole_);
    } catch (const error& e) {
        full = e.code() == errc::store_full;
        thrown = std::current_exception();
        put_back(kept);  // another time
    }
    if (full) {
        co_return;
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
    committed(kept);
}

WAYBILL_DECL asio::awaitable<void> attempt::recognize_files() {
    failed_items_.clear();
    const bool form_begun = find_checkpoint(checkpoint::whole_job) != nullptr;
    std::vector<std::size_t> asked;
    std::vector<item_spec> files;
    std::vector<bool> begun;
    for (std::size_t i = 0; i < whole_.items.size(); ++i) {
        const item_record& one = whole_.items[i];
        if (one.spec.kind != source_kind::bytes && one.state.now != item_status::completed) {
            asked.push_back(i);
            files.push_back(one.spec);
            begun.push_back(form_begun || find_checkpoint(i) != nullptr);
        }
    }
    const std::vector<recognition> found = co_await sources_.recognize(std::move(files), begun);
    std::vector<item_spec> now;
    for (const item_record& one : whole_.items) {
        now.push_back(one.spec);
    }
    bool moved = false;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        item_spec& spec = now[asked[i]];
        if (found[i].error) {
            diagnostics details;
            details.detail = spec.path;
            throw detail::source_failure(found[i].error, std::move(details), asked[i]);
        }
        if (begun[i] && !found[i].certain) {
            co_await begin_anew(asked[i]);
        }
        moved = moved || spec.identity != found[i].identity;
        spec.identity = found[i].identity;
        spec.content = found[i].content;
    }
    if (moved) {
        co_await repin(std::move(now));
    }
}

// Before the file is known by its new identity: a crash in between finds what was given up gone.
WAYBILL_DECL asio::awaitable<void> attempt::begin_anew(std::size_t item) {
    if (in_doubt()) {
        diagnostics details;
        details.detail = whole_.items[item].spec.path;
        throw failure(disposition::retry, errc::file_touched, std::move(details), std::nullopt, item);
    }
    co_await forget(item, true);
    co_await forget(checkpoint::whole_job, true);
}

/// Makes durable by what files are known from now on.
WAYBILL_DECL asio::awaitable<void> attempt::repin(std::vector<item_spec> found) {
    const writing_mark mark(writing_);
    co_await until_flushed();
    const job_change taken = take_change();
    job_change change = taken;
    change.repinned = found;
    try {
        co_await write(std::move(change));
    } catch (...) {
        put_back(taken);
        throw;
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        whole_.items[i].spec = std::move(found[i]);
    }
    committed(taken);
}

WAYBILL_DECL asio::awaitable<void> attempt::until_flushed() {
    while (flushing_) {
        co_await flushed_.wait_uncancellable();
    }
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
    for (const std::size_t i : std::exchange(dirty_checkpoints_, {})) {
        if (const checkpoint* const reached = find_checkpoint(i)) {  // it may have been forgotten meanwhile
            change.checkpoints.push_back(*reached);
        }
    }
    change.dropped = std::exchange(owed_drops_, {});
    change.leftovers = std::exchange(owed_leftovers_, {});
    return change;
}

WAYBILL_DECL void attempt::put_back(const job_change& not_written) {
    for (const auto& [index, state] : not_written.items) {
        dirty_items_.insert(index);
    }
    for (const checkpoint& c : not_written.checkpoints) {
        dirty_checkpoints_.insert(c.item);
    }
    owed_drops_.insert(owed_drops_.end(), not_written.dropped.begin(), not_written.dropped.end());
    owed_leftovers_.insert(owed_leftovers_.end(), not_written.leftovers.begin(), not_written.leftovers.end());
}

/// Commits; while the disk is full it waits for space. What the server has confirmed must not be
/// forgotten for want of a few bytes.
WAYBILL_DECL asio::awaitable<void> attempt::write(job_change change) {
    const std::unique_ptr<alarm> pause = clock_.make_alarm(home_);
    for (;;) {
        job_change again = change;
        try {
            co_await ledger_.commit(std::move(again), whole_);
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
    committed_ = change.to.now;
    show_committed(change);
    on_committed();
    if (!change.leftovers.empty()) {
        on_leftover();
    }
}

}  // namespace waybill
