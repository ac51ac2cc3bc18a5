// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/crc32c.hpp>
#include <waybill/detail/in_parallel.hpp>
#include <waybill/engine/queue/backoff.hpp>
#include <waybill/engine/run/attempt.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace waybill::detail {

WAYBILL_DECL attempt::attempt(loaded_job whole, ledger& ledger, waybill::transport& transport, source_opener& sources,
                              waybill::clock& clock, const options& options, strand home)
    : whole_(std::move(whole)), intent_(whole_.job.state.intent), clock_(clock), options_(options),
      home_(std::move(home)), sender_(transport, options), sources_(sources), pending_(whole_, ledger, clock, home_),
      shown_(whole_, clock) {
    for (item_record& one : whole_.items) {
        if (one.state.status == item_status::failed) {
            one.state.status = item_status::pending;  // it has its turn again
        }
    }
    pending_.on_committed = [this](const job_change& change) { committed(change); };
    pending_.may_wait_for_space = [this] { return may_wait_for_space(); };
}

WAYBILL_DECL const checkpoint* attempt::find_checkpoint(std::size_t item) const noexcept {
    const auto found = std::find_if(whole_.checkpoints.begin(), whole_.checkpoints.end(),
                                    [&](const checkpoint& c) { return c.item == item; });
    return found == whole_.checkpoints.end() ? nullptr : &*found;
}

WAYBILL_DECL std::unique_ptr<body_source> attempt::open(std::size_t item) {
    // If something may have arrived, the server is asked first. That needs no file, and the file may no longer exist.
    const bool at_once = !in_doubt();
    return sources_.open(whole_.items.at(item).spec, item, at_once);
}

WAYBILL_DECL void attempt::keep(checkpoint reached) {
    intent_.keep();
    const checkpoint* const known = find_checkpoint(reached.item);
    if (known != nullptr && reached.offset > known->offset) {
        report_.progress();
    }
    if (known != nullptr && reached.unknown.empty()) {
        reached.unknown = known->unknown;  // the protocol creates each checkpoint from scratch
    }
    std::erase_if(whole_.checkpoints, [&](const checkpoint& c) { return c.item == reached.item; });
    pending_.checkpoint_changed(reached.item);
    whole_.checkpoints.push_back(std::move(reached));
}

// These functions update the in-memory state when called, not when awaited. If a stop is noticed at the await, the
// attempt's final commit then contains this change together with the earlier ones.
WAYBILL_DECL asio::awaitable<void> attempt::save(checkpoint reached) {
    keep(std::move(reached));
    return commit(whole_.job.state);
}

WAYBILL_DECL asio::awaitable<void> attempt::save_with_intent(checkpoint reached) {
    const std::size_t about = reached.item;
    keep(std::move(reached));
    intent_.record(whole_.job.state.attempt, about);
    return commit(whole_.job.state);
}

WAYBILL_DECL void attempt::save_soon(checkpoint reached) {
    keep(std::move(reached));
}

WAYBILL_DECL void attempt::resolve_soon(checkpoint reached) {
    const std::size_t about = reached.item;
    keep(std::move(reached));
    intent_.settle(about);
}

WAYBILL_DECL asio::awaitable<void> attempt::discard(std::size_t item, bool at_server) {
    return drop(item, at_server, false);
}

WAYBILL_DECL asio::awaitable<void> attempt::resolve_and_discard(std::size_t item, bool at_server) {
    return drop(item, at_server, true);
}

WAYBILL_DECL asio::awaitable<void> attempt::drop(std::size_t item, bool at_server, bool settles) {
    const checkpoint* const known = find_checkpoint(item);
    if (known == nullptr) {
        co_return;
    }
    intent_.keep();
    if (settles) {
        intent_.settle(item);
    }
    if (at_server) {
        pending_.left_over(
            leftover_of(whole_.job, *known, std::chrono::time_point_cast<std::chrono::milliseconds>(now())));
    }
    pending_.checkpoint_dropped(item);
    std::erase_if(whole_.checkpoints, [&](const checkpoint& c) { return c.item == item; });
    if (item < whole_.items.size() && whole_.items[item].state.status != item_status::completed) {
        confirm(item, 0);
    }
    co_await commit(whole_.job.state);
}

WAYBILL_DECL void attempt::confirm(std::size_t item, std::uint64_t bytes) {
    item_record& record = whole_.items.at(item);
    const std::uint64_t most = std::min(bytes, record.spec.size);
    if (report_.confirm(item, record.state.confirmed, most)) {
        whole_.job.state.early_cuts = 0;  // the server accepts what is sent
    }
    record.state.confirmed = most;
    pending_.item_changed(item);
    shown_.confirm(item, most);
}

WAYBILL_DECL asio::awaitable<void> attempt::in_parallel(std::size_t width,
                                                        std::function<asio::awaitable<bool>()> step) {
    co_await detail::in_parallel(home_, shared_from_this(), width, std::move(step));
}

// The jitter need not be random, only different for each request: requests that were refused together must not be
// repeated together.
WAYBILL_DECL asio::awaitable<void> attempt::back_off(int refusals, std::optional<std::chrono::seconds> retry_after) {
    const std::uint32_t spread = crc32c(++pauses_, whole_.job.state.key);
    const double random = static_cast<double>(spread) / 4294967296.0;  // 2^32
    const std::chrono::milliseconds delay = backoff_delay(options_.retry, refusals, random, retry_after);
    const std::unique_ptr<alarm> pause = clock_.make_alarm(home_);
    co_await pause->wait_until(clock_.steady_now() + delay);
}

WAYBILL_DECL asio::awaitable<void> attempt::save_protocol(std::string name) {
    whole_.job.state.negotiated_protocol = std::move(name);
    return commit(whole_.job.state);
}

WAYBILL_DECL void attempt::finish_item(std::size_t item, std::string receipt) {
    intent_.keep();
    intent_.settle(item);  // of an earlier attempt; the server was asked about it
    item_record& record = whole_.items.at(item);
    record.state.status = item_status::completed;
    record.state.confirmed = record.spec.size;
    record.state.receipt = std::move(receipt);
    pending_.item_changed(item);
    report_.progress();
}

WAYBILL_DECL asio::awaitable<void> attempt::complete_item(std::size_t item, std::string receipt) {
    finish_item(item, std::move(receipt));
    return commit(whole_.job.state);
}

WAYBILL_DECL void attempt::complete_item_soon(std::size_t item, std::string receipt) {
    finish_item(item, std::move(receipt));
}

WAYBILL_DECL void attempt::fail_item_soon(std::size_t item) {
    whole_.items.at(item).state.status = item_status::failed;
    pending_.item_changed(item);
    intent_.settle(item);  // its failure states the outcome
}

WAYBILL_DECL void attempt::complete_all_soon(std::string receipt) {
    for (std::size_t i = 0; i < whole_.items.size(); ++i) {
        finish_item(i, receipt);
    }
    intent_.settle();
}

WAYBILL_DECL void attempt::committed(const job_change& change) {
    shown_.show(change);
    on_committed();
    if (!change.leftovers.empty()) {
        on_leftover();
    }
}

}  // namespace waybill::detail
