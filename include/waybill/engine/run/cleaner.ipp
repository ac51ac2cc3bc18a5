// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/digest.hpp>
#include <waybill/detail/erased.hpp>
#include <waybill/engine/queue/backoff.hpp>
#include <waybill/engine/run/cleaner.hpp>
#include <waybill/engine/run/sender.hpp>
#include <waybill/protocol/failure.hpp>
#include <waybill/protocol/protocol.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::detail {
/// It can be repeated, and is not shown.
class unseen_request final : public single_request {
public:
    transfer_progress& begin(request& /*what*/) override { return progress_ = {}; }

private:
    transfer_progress progress_;
};

/// The server of a job that no longer exists.
class cleaning_exchange final : public exchange {
public:
    cleaning_exchange(const leftover& what, const engine_parts& parts, const options& options)
        : what_(what), clock_(*parts.clock), sender_(*parts.transport, options) {}

    asio::awaitable<response> send(request what, std::size_t about) override {
        if (!what.idempotent) {
            sender_.add_idempotency_key(what, keyed(), about);
        }
        unseen_request single;
        co_return co_await sender_.send(std::move(what), what_.job, single);
    }
    [[nodiscard]] std::chrono::system_clock::time_point now() const noexcept override { return clock_.system_now(); }

private:
    /// The job's own key is gone with it. What there is to be cleaned up gives one that each try makes again.
    [[nodiscard]] job_record keyed() const {
        job_record job;
        job.spec = what_.job;
        constexpr std::size_t digits = 32;
        job.state.key = to_hex(digest_of("sha-256", what_.job.id.str() + "\n" + what_.reached.resource + "\n" +
                                                        what_.reached.state))
                            .substr(0, digits);
        return job;
    }

    const leftover& what_;
    const waybill::clock& clock_;
    sender sender_;
};

WAYBILL_DECL cleaner::cleaner(const strand& home, const engine_parts& parts, ledger& ledger, const options& options)
    : home_(home), parts_(parts), ledger_(ledger), options_(options), alarm_(parts.clock->make_alarm(home)),
      ended_(home) {}

WAYBILL_DECL cleaner::~cleaner() = default;

WAYBILL_DECL void cleaner::start(std::shared_ptr<void> owner) {
    running_ = std::make_shared<asio::cancellation_signal>();
    busy_ = true;
    spawn(
        home_, [this, owner] { return work(); }, running_,
        [this, owner](const std::exception_ptr& thrown) {
            running_.reset();
            ended_.notify_all();
            set_busy(false);
            if (thrown) {
                on_changed();
            }
        });
}

WAYBILL_DECL void cleaner::set_busy(bool now) {
    if (busy_ != now) {
        busy_ = now;
        on_changed();
    }
}

WAYBILL_DECL void cleaner::wake() {
    busy_ = running_ != nullptr;
    alarm_->wake();
}

WAYBILL_DECL asio::awaitable<void> cleaner::stop() {
    if (running_) {
        const std::shared_ptr<asio::cancellation_signal> signal = running_;
        cancel(*signal, asio::cancellation_type::terminal);
    }
    while (running_) {
        co_await ended_.wait_uncancellable();
    }
}

WAYBILL_DECL asio::awaitable<void> cleaner::work() {
    for (;;) {
        std::optional<std::chrono::steady_clock::time_point> again;
        try {
            again = co_await work_until_nothing_is_due();
        } catch (const error& e) {
            if (e.code() == errc::store_failed || e.code() == errc::stopped) {
                throw;  // the next start after the store is reopened continues here
            }
            // A full disk: another time.
        }
        set_busy(false);
        co_await alarm_->wait_until(again.value_or(parts_.clock->steady_now() + std::chrono::minutes(1)));
    }
}

/// Completes with the time of the next work.
WAYBILL_DECL asio::awaitable<std::chrono::steady_clock::time_point> cleaner::work_until_nothing_is_due() {
    for (;;) {
        std::optional<leftover> next = co_await parts_.store->next_leftover();
        if (!next) {
            co_return std::chrono::steady_clock::time_point::max();
        }
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(next->not_before - parts_.clock->system_now());
        // Further away than it can have been set: the clock was set back by years, which must not delay this
        // for years.
        const auto most =
            std::max(patience().cap, options_.retry.retry_after_cap + options_.retry.retry_after_cap / 10);
        if (left.count() > 0 && left <= most) {
            co_return parts_.clock->steady_now() + std::min(left, options_.retry.cap);
        }
        co_await clean(std::move(*next));
    }
}

WAYBILL_DECL asio::awaitable<void> cleaner::clean(leftover what) {
    std::optional<failure> failed;
    std::exception_ptr canceled;
    bool hopeless = false;
    try {
        cleaning_exchange server(what, parts_, options_);
        const std::unique_ptr<protocol> chosen = parts_.protocols.make(what.job.protocol);
        co_await chosen->discard(server, what);
    } catch (const failure& f) {
        failed.emplace(f);
    } catch (const error& e) {
        hopeless = e.code() != errc::unknown_protocol;  // the protocol cannot make sense of it
        if (!hopeless) {
            failed.emplace(disposition::retry, e.code(), e.details());  // the next program may have it again
        }
    } catch (const std::exception&) {
        canceled = std::current_exception();
    }
    if (canceled) {
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
            std::rethrow_exception(canceled);
        }
        failed.emplace(disposition::retry, errc::transport_failed, diagnostics());  // no memory, no descriptor
    }
    what.attempts += 1;
    if (hopeless || !failed || failed->what_to_do() == disposition::permanent || too_old(what)) {
        co_await ledger_.remove(what.id);
        co_return;
    }
    const auto delay = backoff_delay(patience(), what.attempts, parts_.random->unit(), failed->retry_after());
    what.not_before = std::chrono::time_point_cast<std::chrono::milliseconds>(parts_.clock->system_now()) + delay;
    co_await ledger_.postpone(std::move(what));
}

// Nothing waits for it: an unreachable host is asked at growing intervals, up to an hour.
WAYBILL_DECL retry_policy cleaner::patience() const {
    retry_policy policy = options_.retry;
    policy.cap = std::max<std::chrono::milliseconds>(policy.cap, std::chrono::hours(1));
    return policy;
}

WAYBILL_DECL bool cleaner::too_old(const leftover& what) const {
    return parts_.clock->system_now() - what.since > options_.retry.max_age;
}

}  // namespace waybill::detail
