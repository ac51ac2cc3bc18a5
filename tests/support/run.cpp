// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"

#include <asio/co_spawn.hpp>

#include <exception>
#include <stdexcept>
#include <utility>

namespace waybill::test {
namespace {

asio::awaitable<void> called(std::function<asio::awaitable<void>()> body) {
    co_await body();
}

}  // namespace

void run(asio::io_context& context, asio::awaitable<void> work) {
    std::exception_ptr thrown;
    bool ended = false;
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr e) {
        thrown = std::move(e);
        ended = true;
    });
    context.restart();
    while (!ended && context.run_one() != 0) {
    }
    if (!ended) {
        throw std::logic_error("the coroutine waits for something that cannot come");
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

void run_body(asio::io_context& context, std::function<asio::awaitable<void>()> body) {
    run(context, called(std::move(body)));
}

}  // namespace waybill::test
