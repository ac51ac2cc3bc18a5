// SPDX-License-Identifier: BSL-1.0
// The program of docs/getting-started.md, compiled.

//[program
#include <waybill/waybill.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <iostream>

asio::awaitable<void> upload(waybill::uploader& up) {
    waybill::job photos("http://127.0.0.1:8080/files/");  // ends in /: each item's name completes it
    photos.id(waybill::job_id("holiday-2024"));           // the same id twice is accepted once
    photos.file("a.jpg").file("b.jpg");

    const waybill::job_id id = co_await up.async_enqueue(std::move(photos));  // on disk from here on
    const waybill::job_snapshot end = co_await up.async_wait(id);
    std::cout << to_string(end.status) << " " << end.error.message() << "\n";
}

void report(const std::exception_ptr& thrown) {
    if (thrown) {
        std::cerr << waybill::to_error(thrown).what() << "\n";
    }
}

int main() {
    asio::io_context context(1);
    waybill::options options;
    options.store.path = "uploads.db";
    waybill::uploader up(context.get_executor(), options);

    asio::co_spawn(context, up.async_run(), report);  // delivers until it is stopped
    asio::co_spawn(context, upload(up), [&](const std::exception_ptr& thrown) {
        report(thrown);
        up.async_stop([](std::error_code) {});
    });
    context.run();
}
//]
