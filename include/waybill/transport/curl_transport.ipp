// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/digest.hpp>
#include <waybill/transport/curl_transport.hpp>
#include <waybill/transport/detail/checked_options.hpp>
#include <waybill/transport/detail/curl_multi_driver.hpp>
#include <waybill/transport/detail/curl_transfer.hpp>
#include <waybill/transport/detail/easy_pool.hpp>
#include <waybill/transport/detail/easy_setup.hpp>
#include <waybill/transport/detail/pacing.hpp>
#include <waybill/transport/request_timeouts.hpp>

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill {
namespace detail {

// A body that cannot be read is a failure of the request like any other: nothing was sent.
[[nodiscard]] inline std::optional<response> load_small_body(curl_transfer& transfer) {
    try {
        transfer.load_small_body();
        return std::nullopt;
    } catch (const error& e) {
        response failed;
        failed.failure = e.code();
        failed.failure_detail = e.details().detail;
        return failed;
    }
}

// The proxy user's secrets, which must not be stored: as given, because libcurl repeats an address it cannot parse, and
// as sent by HTTP, because the proxy may show it.
[[nodiscard]] inline std::vector<std::string> secrets_of_proxy(const std::string& proxy) {
    const std::size_t at = proxy.rfind('@');
    if (at == std::string::npos) {
        return {};
    }
    const std::size_t scheme = proxy.find("://");
    const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
    const std::string user = proxy.substr(begin, at - std::min(begin, at));
    std::vector<std::string> secrets = {user.substr(user.find(':') + 1)};
    const std::unique_ptr<char, decltype(&curl_free)> decoded(
        curl_easy_unescape(nullptr, user.data(), static_cast<int>(user.size()), nullptr), &curl_free);
    if (decoded) {
        const std::string text(decoded.get());
        secrets.push_back(text.substr(text.find(':') + 1));
        secrets.push_back(to_base64(text));
    }
    return secrets;
}

}  // namespace detail

WAYBILL_DECL curl_transport::curl_transport(asio::any_io_executor executor, curl_options options)
    : executor_(std::move(executor)), options_(detail::checked(std::move(options))),
      proxy_secrets_(detail::secrets_of_proxy(options_.proxy)), pacing_(std::make_shared<detail::pacing>(executor_)),
      driver_(std::make_shared<detail::curl_multi_driver>(executor_)), handles_(std::make_shared<detail::easy_pool>()) {
}

WAYBILL_DECL asio::awaitable<response> curl_transport::perform(const request& what, transfer_progress& progress) {
    const std::shared_ptr<detail::easy_pool> handles = handles_;
    detail::curl_transfer transfer(what, progress, executor_, handles->take(), pacing_);
    co_await begin(transfer);
    const detail::slist_handle lines = detail::header_lines(what.headers, what.expect_continue);
    if (transfer.in_one_piece()) {
        if (std::optional<response> failed = detail::load_small_body(transfer)) {
            co_return std::move(*failed);
        }
        if (what.before_last_byte) {
            co_await what.before_last_byte();
        }
    }
    detail::set_up(transfer, what, options_, lines);
    response got = co_await drive(transfer, what, progress);
    if (transfer.ended_well()) {
        handles->give_back(transfer.take_easy());
    }
    co_return got;
}

WAYBILL_DECL void curl_transport::limit(const limit_scope& what, const timetable& rates) {
    pacing_->limit(what, rates);
}

/// Waits for the limits before there is a connection, because a server would time out an idle one.
WAYBILL_DECL asio::awaitable<void> curl_transport::begin(detail::curl_transfer& transfer) {
    while (!transfer.may_begin()) {
        co_await transfer.changed().wait();
        transfer.changed().clear();
    }
}

WAYBILL_DECL asio::awaitable<response> curl_transport::drive(detail::curl_transfer& transfer, const request& what,
                                                             transfer_progress& progress) {
    const detail::curl_multi_driver::registration registered(driver_, transfer.easy(), transfer);
    request_timeouts timeouts(what.limits, std::chrono::steady_clock::now());
    while (!transfer.done() || transfer.draining()) {
        co_await transfer.changed().wait_until(std::min(timeouts.deadline(), transfer.next_look()));
        transfer.changed().clear();
        transfer.look();
        timeouts.observe(transfer.moved(), transfer.connected(), progress.sent, progress.body_sent,
                         transfer.interims());
        if (transfer.held_by_limit()) {
            timeouts.extend(std::chrono::steady_clock::now());
        }
        transfer.resume_if_responded();
        if (transfer.lost_while_held()) {
            transfer.fail(errc::connection_lost, "closed by the server while a bandwidth limit held the body back");
            break;
        }
        if (!transfer.done() && transfer.at_gate()) {
            co_await what.before_last_byte();
            timeouts.extend(std::chrono::steady_clock::now());
            transfer.open_gate();
        }
        if (const auto bitten = timeouts.expired(std::chrono::steady_clock::now())) {
            if (!transfer.done()) {
                transfer.fail(*bitten, {});
            }
            break;
        }
    }
    response got = transfer.take_response();
    hide_secrets(got, proxy_secrets_);
    co_return got;
}

}  // namespace waybill
