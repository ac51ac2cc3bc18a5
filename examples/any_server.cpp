// SPDX-License-Identifier: BSL-1.0
//
// What you learn: `automatic` asks the endpoint which protocols it supports. The snapshot shows the negotiated
// protocol, and the job keeps it, even after a restart.
//
// Run: any_server <url> <store> <file>
// Expect: "sent by tus: completed", or put, multipart, resumable.

#include <waybill/waybill.hpp>

#include "support/co_main.hpp"

#include <asio/detached.hpp>

#include <iostream>

asio::awaitable<int> upload(arguments given) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const waybill::options options{.store = {.path = given.store}};
    waybill::uploader up(executor, options);
    up.async_run(asio::detached);

    waybill::job job(given.url);
    job.via(waybill::automatic{}).file(given.more.front());
    const waybill::job_id id = co_await up.async_enqueue(std::move(job));
    const waybill::job_snapshot end = co_await up.async_wait(id);
    std::cout << "sent by " << end.negotiated_protocol << ": " << to_string(end.status) << " " << end.error.message()
              << "\n";
    co_return end.status == waybill::status::completed ? 0 : 1;
}

int main(int argc, char** argv) {
    return co_main(argc, argv, "any_server <url> <store> <file>", upload);
}
