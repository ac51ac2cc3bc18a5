// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/event.hpp>
#include <waybill/error.hpp>
#include <waybill/testing/fake_transport.hpp>

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace waybill::testing {

WAYBILL_DECL asio::awaitable<response> fake_transport::perform(const request& what, transfer_progress& progress) {
    const fault wrong = next_fault ? next_fault(what) : fault();
    co_await turn();
    if (wrong.what == fault::kind::refused || wrong.what == fault::kind::unreachable) {
        response r;
        r.failure = wrong.what == fault::kind::refused ? errc::connect_failed : errc::network_unreachable;
        co_return r;
    }
    progress.connected = true;
    received_request got;
    got.method = what.method;
    got.url = what.url;
    got.headers = what.headers;
    std::optional<response> broken = co_await send_body(what, progress, wrong, got);
    if (broken) {
        got.whole = false;
        static_cast<void>(serve_(got));
        co_return std::move(*broken);
    }
    if (wrong.what == fault::kind::early) {
        co_return early_success(what, wrong, got);
    }
    if (wrong.what == fault::kind::hang) {
        co_await hang();
    }
    response r = wrong.what == fault::kind::silent ? response() : serve_(got);
    co_await turn();
    if (wrong.what == fault::kind::silent) {
        r.failure = errc::response_timed_out;
    }
    if (wrong.what == fault::kind::response_lost) {
        r = response();
        r.failure = errc::connection_lost;
    }
    r.may_have_left = true;
    r.has_left = r.status != 0;
    r.body_offered = got.body.size();
    co_return r;
}

WAYBILL_DECL asio::awaitable<void> fake_transport::turn() {
    co_await asio::post(executor_, asio::use_awaitable);
}

WAYBILL_DECL asio::awaitable<void> fake_transport::hang() {
    detail::event never(executor_);
    co_await never.wait();
}

WAYBILL_DECL asio::awaitable<std::optional<response>> fake_transport::send_body(const request& what,
                                                                                transfer_progress& progress,
                                                                                const fault& wrong,
                                                                                received_request& got) {
    const std::uint64_t size = what.body_size();
    bool gated = static_cast<bool>(what.before_last_byte);
    while (got.body.size() < size || gated) {
        const std::uint64_t left = size - got.body.size();
        if (gated && left <= 1) {
            co_await what.before_last_byte();
            gated = false;
            continue;
        }
        if (wrong.what == fault::kind::early && got.body.size() >= wrong.at + wrong.buffered) {
            co_return std::nullopt;
        }
        std::uint64_t most = std::min<std::uint64_t>(gated ? left - 1 : left, chunk);
        if (wrong.what == fault::kind::early) {
            most = std::min(most, wrong.at + wrong.buffered - got.body.size());
        }
        if (wrong.what == fault::kind::cut || wrong.what == fault::kind::hang) {
            most = std::min(most, wrong.at - std::min<std::uint64_t>(wrong.at, got.body.size()));
            if (most == 0 && wrong.what == fault::kind::hang) {
                co_await hang();
            }
            if (most == 0) {
                co_return lost(got, errc::connection_lost, {});
            }
        }
        const std::size_t before = got.body.size();
        got.body.resize(before + static_cast<std::size_t>(most));
        try {
            what.body->read(what.offset + before, std::span<char>(got.body).subspan(before));
        } catch (const error& e) {
            got.body.resize(before);
            co_return lost(got, e.code(), e.details().detail);
        }
        const bool waits = wrong.what == fault::kind::early;
        progress.sent = waits ? std::min<std::uint64_t>(got.body.size(), wrong.at) : got.body.size();
        progress.body_sent = progress.sent == size;
        co_await turn();
    }
    progress.body_sent = true;
    co_return std::nullopt;
}

WAYBILL_DECL response fake_transport::early_success(const request& what, const fault& wrong, received_request& got) {
    const std::size_t handed_over = got.body.size();
    got.body.resize(std::min<std::size_t>(handed_over, static_cast<std::size_t>(wrong.at)));
    got.whole = false;
    static_cast<void>(serve_(got));
    response r = respond(200);
    r.may_have_left = handed_over == what.body_size();
    r.body_offered = handed_over;
    return r;
}

WAYBILL_DECL response fake_transport::lost(const received_request& got, std::error_code why, std::string detail) {
    response r;
    r.failure = why;
    r.failure_detail = std::move(detail);
    r.body_offered = got.body.size();
    r.body_taken = got.body.size();
    return r;
}

}  // namespace waybill::testing
