// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/catch.hpp"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace waybill::test {

/// Runs one coroutine on `context` until it ends, and gives its result or rethrows its exception.
/// The context may have other work left; a coroutine that never ends is the test's timeout.
template <class Result>
Result run(asio::io_context& context, std::function<asio::awaitable<Result>()> body) {
    std::exception_ptr thrown;
    bool ended = false;
    std::optional<std::conditional_t<std::is_void_v<Result>, bool, Result>> result;
    if constexpr (std::is_void_v<Result>) {
        asio::co_spawn(context, std::move(body), [&](std::exception_ptr e) {
            thrown = std::move(e);
            ended = true;
        });
    } else {
        asio::co_spawn(context, std::move(body), [&](std::exception_ptr e, Result value) {
            thrown = std::move(e);
            result.emplace(std::move(value));
            ended = true;
        });
    }
    context.restart();
    while (!ended && context.run_one() != 0) {
    }
    if (!ended) {
        throw std::logic_error("the coroutine waits for something that cannot come");
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
    if constexpr (!std::is_void_v<Result>) {
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
