// SPDX-License-Identifier: BSL-1.0
// The code of docs/guide/threading.md, compiled.

#include <waybill/waybill.hpp>

#include <asio/use_future.hpp>

#include <iostream>

asio::awaitable<void> tokens(waybill::uploader& up, waybill::job job) {
    //[tokens
    // A coroutine: throws waybill::error.
    waybill::job_id id = co_await up.async_enqueue(job);

    // A callback: gets the code.
    up.async_enqueue(job, [](std::error_code refused, const waybill::job_id& accepted) {
        std::cout << (refused ? refused.message() : accepted.str()) << "\n";
    });

    // A callback that wants the file's name, too.
    up.async_enqueue(job, [](const std::exception_ptr& refused, const waybill::job_id& accepted) {
        std::cout << (refused ? waybill::to_error(refused).what() : accepted.str()) << "\n";
    });

    // A future: get() throws waybill::error. Not on the thread that runs the io_context.
    std::future<waybill::job_id> later = up.async_enqueue(job, asio::use_future);
    //]
    co_await up.async_cancel(id);
}

int main() {}
