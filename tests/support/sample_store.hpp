// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/crc32c.hpp>
#include <waybill/store/detail/database.hpp>
#include <waybill/store/detail/rows.hpp>
#include <waybill/store/sqlite_store.hpp>

#include "support/run.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

/// A job with an item of each kind and every column filled.
inline new_job sample_job(const std::string& id, status now = status::pending) {
    new_job j;
    job_spec& s = j.job.spec;
    s.id = job_id(id);
    s.lane = "lane";
    s.url = "https://server.test/posts?x=1";
    s.protocol = {"multipart", {{"setting", "value"}}};
    s.headers = {{"X-Name", "v"}};
    s.fields = {{"caption", "\xC4\xB0stanbul"}};
    s.if_unknown = on_unknown::retry_same_key;
    s.verifier = "backend";
    s.item_count = 3;
    s.accepted = unix_millis(std::chrono::milliseconds(1'893'456'000'123));
    s.content = detail::crc32c(0, id);
    j.job.state.status = now;
    j.job.state.key = "0123456789abcdef0123456789abcdef";
    for (int i = 0; i < 3; ++i) {
        item_record& one = j.items.emplace_back();
        one.spec.kind = static_cast<source_kind>(i);
        one.spec.path = i == 2 ? "" : "/dir/" + id + std::to_string(i);
        one.spec.offset = i == 1 ? 10 : 0;
        one.spec.size = 100;
        one.spec.identity = {1, 2, 4096, 1'700'000'000'000'000'001, -5};
        one.spec.name = "n\xFF\"" + std::to_string(i);
        one.spec.field = "file";
        one.spec.content_type = "image/jpeg";
        one.spec.data = i == 2 ? std::string(99, '\0') + "x" : "";
        s.size += one.spec.size;
    }
    return j;
}

/// Everything the store says of a job, as one line.
inline std::string line_of(const loaded_job& whole) {
    const job_seq seq = whole.job.seq;
    // Opening returns what a crash left running to pending: so does this.
    job_state state = whole.job.state;
    if (state.status == status::uploading || state.status == status::finalizing) {
        state.status = status::pending;
    }
    std::string line = std::to_string(static_cast<std::int64_t>(seq)) + (whole.damaged ? " DAMAGED " : " ") +
                       whole.job.spec.id.str() + " " + std::string(to_string(state.status)) + " " +
                       std::to_string(detail::checksum(whole.job.spec)) + " " +
                       std::to_string(detail::checksum(seq, state));
    for (std::size_t i = 0; i < whole.items.size(); ++i) {
        const item_record& one = whole.items[i];
        line += " [" + std::to_string(detail::checksum(seq, i, one.spec)) + " " +
                std::to_string(detail::checksum(seq, i, one.state)) + " " +
                std::to_string(detail::crc32c(0, one.spec.data)) + "]";
    }
    for (const checkpoint& c : whole.checkpoints) {
        line += " (" + std::to_string(detail::checksum(seq, c)) + ")";
    }
    return line + "\n";
}

/// The real store with a loop of its own.
class sample_store {
public:
    explicit sample_store(std::string path, damaged_store policy = damaged_store::refuse,
                          std::span<const detail::store_format> formats = detail::store_formats)
        : store_(asio::make_strand(asio::any_io_executor(context_.get_executor())), {std::move(path), policy},
                 formats) {}

    sqlite_store& operator*() noexcept { return store_; }
    sqlite_store* operator->() noexcept { return &store_; }

    template <class Result>
    Result run(std::function<asio::awaitable<Result>()> work) {
        return test::run<Result>(context_, std::move(work));
    }
    store_contents open() {
        store_contents found = run<store_contents>([this] { return store_.open(); });
        holds_.clear();
        limits_.clear();
        for (const hold& one : found.holds) {
            holds_[one.which] = one.pause;
        }
        for (const bandwidth_limit& one : found.limits) {
            limits_[one.what] = one.rates;
        }
        return found;
    }
    void put(const hold& what) {
        run<void>([&] { return store_.put_hold(what); });
        holds_[what.which] = what.pause;
    }
    void remove(const selection& which) {
        run<void>([&] { return store_.remove_hold(which); });
        holds_.erase(which);
    }
    void put(const bandwidth_limit& what) {
        run<void>([&] { return store_.put_limit(what); });
        limits_[what.what] = what.rates;
    }
    void remove(const limit_scope& what) {
        run<void>([&] { return store_.remove_limit(what); });
        limits_.erase(what);
    }
    void close() {
        run<void>([this] { return store_.close(); });
    }
    std::vector<added_job> add(const std::vector<new_job>& jobs) {
        return run<std::vector<added_job>>(
            [&] { return store_.add(std::make_shared<const std::vector<new_job>>(jobs)); });
    }
    void commit(const job_change& change) {
        run<void>([&] { return store_.commit(change); });
    }
    std::optional<loaded_job> load(job_seq seq) {
        return run<std::optional<loaded_job>>([&] { return store_.load(seq); });
    }
    /// Everything in it, as text.
    std::string dump() {
        std::string text;
        const auto all = run<std::vector<loaded_job>>([&] { return store_.list(listing::all, std::nullopt, 1000); });
        for (const loaded_job& one : all) {
            text += line_of(*load(one.job.seq));
        }
        for (const auto& [which, pause] : holds_) {
            text += "hold " + which.lane_name().value_or("on all") + " " + std::to_string(pause.lasting.count()) + " " +
                    pause.why + "\n";
        }
        for (const auto& [what, rates] : limits_) {
            text += "limit " + what.name() + " " + rates + "\n";
        }
        const auto left = run<std::optional<leftover>>([&] { return store_.next_leftover(); });
        return text + (left ? "leftover " + left->reached.resource + " " + std::to_string(left->attempts) + "\n" : "");
    }
    asio::io_context& context() noexcept { return context_; }

private:
    asio::io_context context_{1};
    sqlite_store store_;
    // The store says what rules it has only when it is opened: as they must be since.
    std::map<selection, job_pause> holds_;
    std::map<limit_scope, std::string> limits_;
};

/// A step in the life of a stored job.
inline job_change step(sample_store& store, job_seq seq, status to) {
    const std::optional<loaded_job> whole = store.load(seq);
    job_change change;
    change.seq = seq;
    change.from = whole->job.state.status;
    change.to = whole->job.state;
    change.to.status = to;
    return change;
}

}  // namespace waybill::test
