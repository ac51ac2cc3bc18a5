// SPDX-License-Identifier: BSL-1.0
// The first program of README.md, compiled.

//[program
#include <waybill/waybill.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>

asio::awaitable<void> upload(waybill::uploader up) {
    up.async_run(asio::detached);  // delivers in the background
    waybill::job photos("https://example.com/photos/");
    photos.id(waybill::job_id("holiday-2024")).file("a.jpg").file("b.jpg");
    const auto id = co_await up.async_enqueue(photos);  // on disk when this completes
    const auto end = co_await up.async_wait(id);
    std::cout << to_string(end.status) << " " << end.error.message() << "\n";
}
int main() {
    waybill::options options;
    options.store.path = "uploads.db";
    asio::io_context context;
    auto done = asio::co_spawn(context, upload(waybill::uploader(context.get_executor(), options)), asio::use_future);
    context.run();
    done.get();  // rethrows the coroutine's exception
}
//]
