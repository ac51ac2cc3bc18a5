// SPDX-License-Identifier: BSL-1.0
//
// What you learn: how to use your own protocol, which is in numbered_protocol.hpp. The engine adds durability, retries
// and progress.
// Run: custom_protocol <url> <store> <file>…      Expect: "completed".

#include <waybill/waybill.hpp>

#include "numbered_protocol.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>

asio::awaitable<int> deliver(waybill::uploader up, waybill::job job) {
    up.async_run([](std::error_code) {});
    const waybill::job_snapshot end = co_await up.async_wait(co_await up.async_enqueue(std::move(job)));
    std::cout << to_string(end.status) << " " << end.error.message() << "\n";
    co_return end.status == waybill::status::completed ? 0 : 1;
}

int main(int argc, char** argv) try {
    if (argc < 4) {
        std::cerr << "usage: custom_protocol <url> <store> <file>...\n";
        return 2;
    }
    asio::io_context context(1);
    waybill::options how;
    how.store.path = argv[2];
    //[register
    how.protocols.add("numbered", &numbered_protocol::make);
    waybill::uploader up(context.get_executor(), how);

    waybill::job job(argv[1]);
    job.via(numbered{});
    //]
    for (int i = 3; i < argc; ++i) {
        job.file(argv[i]);
    }
    auto result = asio::co_spawn(context, deliver(std::move(up), std::move(job)), asio::use_future);
    context.run();
    return result.get();
} catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
}
