// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <functional>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace waybill::test {

/// Runs one coroutine on `context` until it ends, and rethrows its exception. The context may have other work left; a
/// coroutine that never ends is the test's timeout.
void run(asio::io_context& context, asio::awaitable<void> work);

/// The same with what makes the coroutine, which lives as long as it does.
void run_body(asio::io_context& context, std::function<asio::awaitable<void>()> body);

// `co_spawn` is dear to compile: one for all results.

template <class Result>
asio::awaitable<void> run_into(std::optional<Result>& result, asio::awaitable<Result> work) {
    result.emplace(co_await std::move(work));
}

template <class Result>
asio::awaitable<void> run_body_into(std::optional<Result>& result, std::function<asio::awaitable<Result>()> body) {
    result.emplace(co_await body());
}

/// The same with a coroutine that has a result.
template <class Result>
Result run(asio::io_context& context, asio::awaitable<Result> work) {
    std::optional<Result> result;
    run(context, run_into(result, std::move(work)));
    return std::move(*result);
}

template <class Result>
Result run(asio::io_context& context, std::function<asio::awaitable<Result>()> body) {
    if constexpr (std::is_void_v<Result>) {
        run_body(context, std::move(body));
    } else {
        std::optional<Result> result;
        run(context, run_body_into(result, std::move(body)));
        return std::move(*result);
    }
}

/// The error code of what `action` throws; empty when it does not throw.
template <class Action>
std::error_code error_of(Action action) {
    try {
        action();
    } catch (const std::system_error& e) {
        return e.code();
    }
    return {};
}

}  // namespace waybill::test
