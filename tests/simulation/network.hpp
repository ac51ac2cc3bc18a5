// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/clock.hpp>
#include <waybill/testing/fake_transport.hpp>

#include "simulation/plants.hpp"
#include "simulation/server_model.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace waybill::simulation {

/// The way to the server: breaks at any byte, loses answers, stalls until a watchdog gives up.
class network final : public transport {
public:
    network(asio::any_io_executor executor, server_model& server, testing::seeded_random& random,
            std::shared_ptr<waybill::clock> time, plant planted, std::function<void(const std::string&)> say)
        : executor_(executor), server_(server), random_(random), time_(std::move(time)), planted_(planted),
          say_(std::move(say)),
          wire_(executor, [this](const testing::received_request& r) { return server_.serve(r, random_); }) {
        wire_.next_fault = [this](const request&) { return next_; };
    }

    asio::awaitable<response> perform(const request& what, transfer_progress& progress) override {
        using kind = testing::fault::kind;
        server_.begins(what.url);
        request mine = what;
        spoil(mine);
        testing::fault wrong = draw(what.body_size());
        const bool stalls = wrong.what == kind::cut && random_.chance(0.2);
        const bool silent = wrong.what == kind::answer_lost && random_.chance(0.3);
        next_ = wrong;
        response got = co_await wire_.perform(mine, progress);
        say_(what.method + " " + what.url + ", fault " + std::to_string(static_cast<int>(wrong.what)) + ": " +
             std::to_string(got.status) + " " + (got.failure ? got.failure.message() : ""));
        const bool lost = got.status == 0 && got.request_complete;
        if (lost && planted_ == plant::resend) {
            next_ = testing::fault();
            got = co_await wire_.perform(mine, progress);
            co_return got;
        }
        if (got.failure == errc::connection_lost && (stalls || silent)) {
            const std::unique_ptr<alarm> watchdog = time_->make_alarm(executor_);
            co_await watchdog->wait_until(time_->steady_now() + (stalls ? what.limits.stall : what.limits.answer));
            got.failure = stalls ? errc::send_stalled : errc::answer_timed_out;
        }
        co_return got;
    }

private:
    void spoil(request& mine) {
        if (planted_ == plant::no_tail_mark) {
            mine.before_last_byte = nullptr;
        }
        for (header_field& h : mine.headers) {
            if (planted_ == plant::fresh_key && h.name == "Idempotency-Key") {
                h.value = "\"" + random_.text(32) + "\"";
            }
        }
    }

    testing::fault draw(std::uint64_t size) {
        using kind = testing::fault::kind;
        if (server_.healed) {
            return {};
        }
        const std::uint64_t dice = random_.below(100);
        if (dice < 55) {
            return {};
        }
        if (dice < 62) {
            return {kind::refused, 0};
        }
        if (dice < 68) {
            return {kind::unreachable, 0};
        }
        return dice < 86 ? testing::fault{kind::cut, random_.below(size + 1)} : testing::fault{kind::answer_lost, 0};
    }

    asio::any_io_executor executor_;
    server_model& server_;
    testing::seeded_random& random_;
    std::shared_ptr<waybill::clock> time_;
    plant planted_;
    std::function<void(const std::string&)> say_;
    testing::fault next_;
    testing::fake_transport wire_;
};

}  // namespace waybill::simulation
