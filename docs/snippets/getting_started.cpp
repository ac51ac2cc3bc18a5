// SPDX-License-Identifier: BSL-1.0
// The code of docs/getting-started.md, compiled.

#include <waybill/waybill.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <iostream>

namespace {

waybill::job make_job() {
    //[job
    waybill::job photos("http://127.0.0.1:8080/files/");  // ends in /: each item's name completes it
    photos.file("a.jpg").file("b.jpg");
    //]
    return photos;
}

//[wait
asio::awaitable<void> add_and_wait(waybill::uploader& up) {
    waybill::job photos = make_job();
    const waybill::job_id id = co_await up.async_enqueue(std::move(photos));  // safe on disk from here on
    const waybill::job_snapshot end = co_await up.async_wait(id);
    std::cout << to_string(end.now) << " " << end.error.message() << "\n";
    co_await up.async_stop();
}
//]

void report(const std::exception_ptr& thrown) {
    try {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
    }
}

}  // namespace

int main() {
    //[main
    asio::io_context context(1);
    waybill::options how;
    how.store.path = "uploads.db";
    waybill::uploader up(context.get_executor(), how);

    asio::co_spawn(context, up.async_run(), report);  // delivers until it is stopped
    asio::co_spawn(context, add_and_wait(up), report);
    context.run();
    //]
}
