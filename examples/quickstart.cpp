// SPDX-License-Identifier: BSL-1.0
//
// What you learn: to upload files, each with one PUT. The job is on disk before the upload begins.
//
// Run: quickstart <url-ending-in-/> <store> <file>...
// Expect: "completed".

#include <waybill/waybill.hpp>

#include "support/co_main.hpp"

#include <asio/detached.hpp>

#include <iostream>

asio::awaitable<int> upload(arguments given) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const waybill::options options{.store = {.path = given.store}};
    waybill::uploader up(executor, options);
    up.async_run(asio::detached);  // delivers for as long as `up` lives

    waybill::job photos(given.url);  // ends in /: each file's name completes it
    for (const std::string& file : given.more) {
        photos.file(file);
    }
    const waybill::job_id id = co_await up.async_enqueue(std::move(photos));  // on disk when this completes
    const waybill::job_snapshot end = co_await up.async_wait(id);
    std::cout << to_string(end.status) << " " << end.error.message() << "\n";
    co_return end.status == waybill::status::completed ? 0 : 1;
}

int main(int argc, char** argv) {
    return co_main(argc, argv, "quickstart <url-ending-in-/> <store> <file>...", upload);
}
