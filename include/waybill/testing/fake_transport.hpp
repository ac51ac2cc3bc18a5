// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/event.hpp>
#include <waybill/error.hpp>
#include <waybill/transport/transport.hpp>

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace waybill::testing {

/// What goes wrong with a request.
struct fault {
    /// The kinds of it.
    enum class kind : std::uint8_t {
        none,         ///< it is answered
        refused,      ///< no connection
        unreachable,  ///< no way to the network
        cut,          ///< the connection breaks after `at` body bytes
        answer_lost,  ///< the server has processed it, the answer does not arrive
        silent,       ///< the whole body is taken, and no answer comes within the answer timeout
        hang,         ///< after `at` body bytes nothing happens any more, until it is canceled
        early,  ///< a success is answered after `at` body bytes; `buffered` more are handed over and have not left
    };
    kind what = kind::none;
    std::uint64_t at = 0;
    std::uint64_t buffered = 0;
};

/// A request as the server sees it. `whole` is false when the connection broke first: then a
/// server that is worth its name has not processed it.
struct received_request {
    std::string method;
    std::string url;
    header_list headers;
    std::string body;
    bool whole = true;

    [[nodiscard]] std::string header(std::string_view name) const {
        return std::string(single_header(headers, name).value_or(""));
    }
};

/// A network in memory, with a server at its end that is a function.
///
/// @par Thread safety
///   Used on one strand.
class fake_transport final : public transport {
public:
    /// Answers a whole request, and is told of broken ones, whose answer nobody hears.
    using server = std::function<response(const received_request&)>;

    fake_transport(asio::any_io_executor executor, server serve)
        : executor_(std::move(executor)), serve_(std::move(serve)) {}

    /// Asked before each request; not set: nothing goes wrong.
    std::function<fault(const request&)> next_fault;
    /// Body bytes that leave in one turn of the loop.
    std::size_t chunk = 1000;

    /// An answer with a status and nothing else.
    [[nodiscard]] static response answer(int status) {
        response r;
        r.status = status;
        return r;
    }

    asio::awaitable<response> perform(const request& what, transfer_progress& progress) override {
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
            r.failure = errc::answer_timed_out;
        }
        if (wrong.what == fault::kind::answer_lost) {
            r = response();
            r.failure = errc::connection_lost;
        }
        r.may_have_left = true;
        r.has_left = r.status != 0;
        r.body_offered = got.body.size();
        co_return r;
    }

private:
    asio::awaitable<void> turn() { co_await asio::post(executor_, asio::use_awaitable); }

    asio::awaitable<void> hang() {
        detail::event never(executor_);
        co_await never.wait();
    }

    /// The response when the body does not arrive whole.
    asio::awaitable<std::optional<response>> send_body(const request& what, transfer_progress& progress,
                                                       const fault& wrong, received_request& got) {
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

    response early_success(const request& what, const fault& wrong, received_request& got) {
        const std::size_t handed_over = got.body.size();
        got.body.resize(std::min<std::size_t>(handed_over, static_cast<std::size_t>(wrong.at)));
        got.whole = false;
        static_cast<void>(serve_(got));
        response r = answer(200);
        r.may_have_left = handed_over == what.body_size();
        r.body_offered = handed_over;
        return r;
    }

    static response lost(const received_request& got, std::error_code why, std::string detail) {
        response r;
        r.failure = why;
        r.failure_detail = std::move(detail);
        r.body_offered = got.body.size();
        r.body_taken = got.body.size();
        return r;
    }

    asio::any_io_executor executor_;
    server serve_;
};

}  // namespace waybill::testing
