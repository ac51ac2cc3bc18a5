// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/erased.hpp>
#include <waybill/engine/backoff.hpp>
#include <waybill/engine/cleaner.hpp>
#include <waybill/engine/requests.hpp>
#include <waybill/protocol/failure.hpp>
#include <waybill/protocol/protocol.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace waybill {
namespace detail {

/// The server of a job that is no more.
class cleaning_exchange final : public exchange {
public:
    cleaning_exchange(const leftover& what, const engine_parts& parts, const engine_options& options)
        : what_(what), parts_(parts), options_(options) {}

    asio::awaitable<response> send(request what, std::vector<body_span> /*spans*/, std::size_t /*about*/) override {
        static_cast<void>(prepare(what, what_.job, options_));  // nothing of its answers is kept
        for (int redirects = 0;; ++redirects) {
            transfer_progress unseen;
            response answer = co_await parts_.transport->perform(what, unseen);
            if (!redirected(what, answer, redirects)) {
                answer.url = what.url;
                co_return answer;
            }
        }
    }
    [[nodiscard]] std::chrono::system_clock::time_point now() const noexcept override {
        return parts_.clock->system_now();
    }

private:
    const leftover& what_;
    const engine_parts& parts_;
    const engine_options& options_;
};

}  // namespace detail

WAYBILL_DECL cleaner::cleaner(const detail::strand& home, const engine_parts& parts, const engine_options& options)
    : home_(home), parts_(parts), options_(options), alarm_(parts.clock->make_alarm(home)), ended_(home) {}

WAYBILL_DECL cleaner::~cleaner() = default;

WAYBILL_DECL void cleaner::start(std::shared_ptr<void> owner) {
    running_ = std::make_shared<asio::cancellation_signal>();
    detail::spawn(
        home_, [this, owner] { return work(); }, running_,
        [this, owner](const std::exception_ptr&) {
            running_.reset();
            ended_.notify_all();
        });
}

WAYBILL_DECL void cleaner::ring() {
    alarm_->ring();
}

WAYBILL_DECL asio::awaitable<void> cleaner::stop() {
    if (running_) {
        const std::shared_ptr<asio::cancellation_signal> signal = running_;
        signal->emit(asio::cancellation_type::terminal);
    }
    while (running_) {
        co_await ended_.wait_uncancellable();
    }
}

WAYBILL_DECL asio::awaitable<void> cleaner::work() {
    for (;;) {
        std::optional<leftover> next = co_await parts_.store->next_leftover();
        if (!next) {
            co_await alarm_->wait_until(std::chrono::steady_clock::time_point::max());
            continue;
        }
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(next->not_before - parts_.clock->system_now());
        if (left.count() > 0) {
            // A clock that was set back by years must not hold this up for years.
            co_await alarm_->wait_until(parts_.clock->steady_now() + std::min(left, options_.retry.cap));
            continue;
        }
        co_await clean(std::move(*next));
    }
}

WAYBILL_DECL asio::awaitable<void> cleaner::clean(leftover what) {
    std::optional<failure> failed;
    bool hopeless = false;
    try {
        detail::cleaning_exchange server(what, parts_, options_);
        const std::unique_ptr<protocol> speaks = parts_.protocols.make(what.job.protocol);
        co_await speaks->discard(server, what);
    } catch (const failure& f) {
        failed.emplace(f);
    } catch (const error&) {
        hopeless = true;  // the protocol is unknown now, or cannot make sense of it
    }
    what.attempts += 1;
    if (hopeless || !failed || failed->what_to_do() == disposition::permanent || given_up(what)) {
        co_await parts_.store->remove_leftover(what.id);
        co_return;
    }
    const auto delay = backoff_delay(options_.retry, what.attempts, parts_.random->unit(), failed->retry_after());
    what.not_before = std::chrono::time_point_cast<std::chrono::milliseconds>(parts_.clock->system_now()) + delay;
    co_await parts_.store->postpone_leftover(std::move(what));
}

WAYBILL_DECL bool cleaner::given_up(const leftover& what) const {
    return parts_.clock->system_now() - what.since > options_.retry.max_age;
}

}  // namespace waybill
