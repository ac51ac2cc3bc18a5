// SPDX-License-Identifier: BSL-1.0
//
// What you learn: `automatic` asks the endpoint which protocols it supports. The snapshot shows the negotiated
// protocol, and the job keeps it, even after a restart.
//
// Run: any_server <url> <store> <file>       Expect: "sent by tus: completed", or put, multipart, resumable.

#include <waybill/waybill.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>

asio::awaitable<int> deliver(std::string url, std::string store, std::string file) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    waybill::options how;
    how.store.path = store;
    waybill::uploader up(here, how);
    asio::co_spawn(here, up.async_run(), asio::detached);

    waybill::job what(url);
    what.via(waybill::automatic{}).file(file);
    const waybill::job_id id = co_await up.async_enqueue(std::move(what));
    waybill::feed feed = up.snapshots();
    while (auto now = co_await feed.async_next()) {
        const waybill::job_snapshot& job = now->at(id);
        if (job.terminal() || is_parked(job.status)) {  // parked: a form whose response was lost, for instance
            std::cout << "sent by " << job.negotiated_protocol << ": " << to_string(job.status) << " "
                      << job.error.message() << "\n";
            co_return job.status == waybill::status::completed ? 0 : 1;
        }
    }
    co_return 1;
}

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: any_server <url> <store> <file>\n";
        return 2;
    }
    asio::io_context context(1);
    std::future<int> result = asio::co_spawn(context, deliver(argv[1], argv[2], argv[3]), asio::use_future);
    context.run();
    try {
        return result.get();
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 1;
    }
}
