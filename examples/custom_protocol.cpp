// SPDX-License-Identifier: BSL-1.0
//
// What you learn: how to use a protocol of your own, which is in numbered_protocol.hpp. The engine adds durability,
// retries and progress.
//
// Run: custom_protocol <url> <store> <file>...
// Expect: "completed".

#include <waybill/waybill.hpp>

#include "numbered_protocol.hpp"
#include "support/co_main.hpp"

#include <asio/detached.hpp>

#include <iostream>

asio::awaitable<int> upload(arguments given) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    waybill::options options{.store = {.path = given.store}};
    //[register
    options.protocols.add("numbered", &numbered_protocol::make);
    waybill::uploader up(executor, options);

    waybill::job job(given.url);
    job.via(numbered{});
    //]
    up.async_run(asio::detached);
    for (const std::string& file : given.more) {
        job.file(file);
    }
    const waybill::job_id id = co_await up.async_enqueue(std::move(job));
    const waybill::job_snapshot end = co_await up.async_wait(id);
    std::cout << to_string(end.status) << " " << end.error.message() << "\n";
    co_return end.status == waybill::status::completed ? 0 : 1;
}

int main(int argc, char** argv) {
    return co_main(argc, argv, "custom_protocol <url> <store> <file>...", upload);
}
