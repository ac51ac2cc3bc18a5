// SPDX-License-Identifier: BSL-1.0
#pragma once

// Protocols with a bug planted in them: the real ones, over a session that leaves something out.

#include <waybill/protocol/protocol.hpp>

#include "simulation/plants.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace waybill::simulation {

class careless_session final : public session {
public:
    careless_session(session& inner, plant planted) : inner_(inner), planted_(planted) {}

    [[nodiscard]] const job_record& job() const noexcept override { return inner_.job(); }
    [[nodiscard]] const std::vector<item_record>& items() const noexcept override { return inner_.items(); }
    [[nodiscard]] const checkpoint* find_checkpoint(std::size_t item) const noexcept override {
        return inner_.find_checkpoint(item);
    }
    [[nodiscard]] std::unique_ptr<body_source> open(std::size_t item) override { return inner_.open(item); }
    asio::awaitable<response> send(request what, std::size_t about) override;
    asio::awaitable<void> save(checkpoint reached) override;
    asio::awaitable<void> save_with_intent(checkpoint reached) override;
    void save_soon(checkpoint reached) override;
    asio::awaitable<void> discard(std::size_t item, bool at_server) override { return inner_.discard(item, at_server); }
    asio::awaitable<void> resolve_and_discard(std::size_t item, bool at_server) override {
        return inner_.resolve_and_discard(item, at_server);
    }
    void resolve_soon(checkpoint reached) override;
    [[nodiscard]] std::size_t piece_size() const noexcept override { return inner_.piece_size(); }
    void confirm(std::size_t item, std::uint64_t bytes) override { inner_.confirm(item, bytes); }
    asio::awaitable<void> complete_item(std::size_t item, std::string receipt) override {
        return inner_.complete_item(item, std::move(receipt));
    }
    void complete_item_soon(std::size_t item, std::string receipt) override {
        inner_.complete_item_soon(item, std::move(receipt));
    }
    void fail_item_soon(std::size_t item) override { inner_.fail_item_soon(item); }
    void complete_all_soon(std::string receipt) override { inner_.complete_all_soon(std::move(receipt)); }
    asio::awaitable<void> in_parallel(std::size_t width, std::function<asio::awaitable<bool>()> step) override {
        return inner_.in_parallel(width, std::move(step));
    }
    asio::awaitable<void> back_off(int refusals, std::optional<std::chrono::seconds> retry_after) override {
        return inner_.back_off(refusals, retry_after);
    }
    asio::awaitable<void> save_protocol(std::string name) override { return inner_.save_protocol(std::move(name)); }
    [[nodiscard]] std::chrono::system_clock::time_point now() const noexcept override { return inner_.now(); }

private:
    void spoil(checkpoint& reached) const;

    session& inner_;
    plant planted_;
    std::map<std::string, std::uint64_t> sent_;  // what this side has sent of each upload
};

class careless_protocol final : public protocol {
public:
    careless_protocol(std::unique_ptr<protocol> inner, plant planted) : inner_(std::move(inner)), planted_(planted) {}

    void check(const waybill::job& job) const override { inner_->check(job); }
    asio::awaitable<void> restore(session& job) override;
    asio::awaitable<void> upload(session& job) override;
    [[nodiscard]] bool can_probe() const noexcept override { return inner_->can_probe(); }
    asio::awaitable<void> discard(exchange& server, const leftover& what) override;

private:
    std::unique_ptr<protocol> inner_;
    plant planted_;
};

}  // namespace waybill::simulation
