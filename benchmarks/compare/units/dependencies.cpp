// SPDX-License-Identifier: BSL-1.0
//
// What a program would include that does the same with the libraries themselves: one coroutine.
#include <SQLiteCpp/SQLiteCpp.h>
#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <curl/curl.h>

asio::awaitable<void> run(SQLite::Database& store, CURLM* multi) {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::seconds(1));
    co_await timer.async_wait(asio::use_awaitable);
    store.exec("BEGIN");
    int running = 0;
    curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

int main() {
    asio::io_context context{1};
    SQLite::Database store("store.db", SQLite::OPEN_READWRITE);
    asio::co_spawn(context, run(store, curl_multi_init()), asio::detached);
    context.run();
}
