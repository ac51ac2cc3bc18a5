// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/clock.hpp>
#include <waybill/testing/fake_transport.hpp>

#include "simulation/plants.hpp"
#include "simulation/server_model.hpp"

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace waybill::simulation {

/// The way to the server: breaks at any byte, loses answers, stalls until a watchdog gives up, brings an answer
/// while the rest of the body waits in a buffer.
class network final : public transport {
public:
    network(asio::any_io_executor executor, server_model& server, testing::seeded_random& random,
            std::shared_ptr<waybill::clock> time, plant planted, std::function<void(const std::string&)> say)
        : executor_(executor), server_(server), random_(random), time_(std::move(time)), planted_(planted),
          say_(std::move(say)) {}

    asio::awaitable<response> perform(const request& what, transfer_progress& progress) override {
        using kind = testing::fault::kind;
        server_.asked(what);
        if (server_.away.concerns(what.url)) {
            co_await asio::post(executor_, asio::use_awaitable);
            if (say_) {
                say_(what.method + " " + what.url + ", which is away");
            }
            co_return server_.away.answer();
        }
        request mine = what;
        spoil(mine);
        const testing::fault wrong =
            server_.breaks_over(what) ? testing::fault{kind::response_lost, 0} : draw(what.body_size());
        const bool stalls = wrong.what == kind::cut && random_.chance(0.2);
        const bool silent = wrong.what == kind::response_lost && random_.chance(0.3);
        response got = co_await send(mine, progress, wrong);
        if (planted_ == plant::handed_over) {
            got.has_left = got.may_have_left;
        }
        if (say_) {
            say_(what.method + " " + what.url + ", fault " + std::to_string(static_cast<int>(wrong.what)) + ": " +
                 std::to_string(got.status) + " " + (got.failure ? got.failure.message() : ""));
        }
        server_.note_answer(what, got);
        if (planted_ == plant::options_waited_for && what.method == "OPTIONS" && got.status == 500) {
            got.headers.push_back({"Retry-After", "60"});
        }
        const bool lost = got.status == 0 && got.may_have_left;
        if (lost && planted_ == plant::resend) {
            got = co_await send(mine, progress, testing::fault());
            co_return got;
        }
        if (got.failure == errc::connection_lost && (stalls || silent)) {
            const std::unique_ptr<alarm> request_timeouts = time_->make_alarm(executor_);
            co_await request_timeouts->wait_until(time_->steady_now() +
                                                  (stalls ? what.limits.stall : what.limits.response));
            got.failure = stalls ? errc::send_stalled : errc::response_timed_out;
        }
        co_return got;
    }

private:
    /// Once, over a connection of its own that breaks as it is told.
    asio::awaitable<response> send(request what, transfer_progress& progress, testing::fault wrong) {
        using kind = testing::fault::kind;
        const bool connects = wrong.what != kind::refused && wrong.what != kind::unreachable;
        const std::unique_ptr<arrival> there = connects ? server_.accept(what) : nullptr;
        std::optional<overheard> body;
        if (there != nullptr && what.body != nullptr) {
            const std::uint64_t leave = wrong.what == kind::early ? wrong.at : what.body_size();
            what.body = &body.emplace(*what.body, *there, leave);
        }
        if (there != nullptr && what.on_interim) {
            if (const header_list early = there->interim(); !early.empty()) {
                what.on_interim(104, early);
            }
        }
        testing::fake_transport wire(
            executor_, [&there](const testing::received_request& r) { return r.whole ? there->answer() : response(); });
        wire.next_fault = [wrong](const request&) { return wrong; };
        response got = co_await wire.perform(what, progress);
        if (wrong.what == kind::early && body) {
            if (got.may_have_left) {
                server_.may_arrive(what);
            }
            if (random_.chance(0.5)) {
                body->let_go();
            }
        } else if (got.status / 100 == 2) {
            there->heard(got.headers);
        }
        co_return got;
    }

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
        if (dice < 74 && size > 0) {
            const std::uint64_t at = random_.below(size);
            return {kind::early, at, random_.chance(0.5) ? size - at : random_.below(size - at + 1)};
        }
        return dice < 88 ? testing::fault{kind::cut, random_.below(size + 1)} : testing::fault{kind::response_lost, 0};
    }

    asio::any_io_executor executor_;
    server_model& server_;
    testing::seeded_random& random_;
    std::shared_ptr<waybill::clock> time_;
    plant planted_;
    std::function<void(const std::string&)> say_;
};

}  // namespace waybill::simulation
