// SPDX-License-Identifier: BSL-1.0
//
// What you learn: the feed. Several jobs in one commit, and an asynchronous generator of snapshots
// that shows all of them; a slow reader misses some, but never the newest.
//
// Run: watch <url-ending-in-/> <store> <file>…      Expect: a line whenever a job's state changes.

#include <waybill/waybill.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>
#include <map>

//[watch
asio::awaitable<void> watch(waybill::uploader& up) {
    std::map<waybill::job_id, waybill::status> known;
    waybill::feed feed = up.snapshots();
    while (auto now = co_await feed.async_next()) {
        for (const auto& job : now->jobs()) {
            const auto [place, fresh] = known.try_emplace(job->id(), job->status);
            if (fresh || place->second != job->status) {
                place->second = job->status;
                std::cout << job->id().str() << ": " << to_string(job->status) << "\n";
            }
        }
        if (now->overall().jobs() > 0 && now->idle()) {
            std::cout << now->overall()[waybill::status::completed].jobs << " jobs completed, " << now->sent()
                      << " bytes sent\n";
            break;  // destroying the feed unsubscribes
        }
    }
}
//]

asio::awaitable<int> deliver(waybill::uploader up, std::string url, std::vector<std::string> files) {
    up.async_run(asio::detached);
    std::vector<waybill::job> jobs;
    for (const std::string& file : files) {
        waybill::job one(url);
        one.file(file);
        jobs.push_back(std::move(one));
    }
    co_await up.async_enqueue(std::move(jobs));  // all of them, or none
    co_await watch(up);
    const waybill::totals all = up.latest()->overall();
    co_return all[waybill::status::completed].jobs == all.jobs() ? 0 : 1;
}

int main(int argc, char** argv) {
    if (argc < 4) {
        std::cerr << "usage: watch <url-ending-in-/> <store> <file>...\n";
        return 2;
    }
    asio::io_context context(1);
    waybill::options how;
    how.store.path = argv[2];
    waybill::uploader up(context.get_executor(), how);
    std::future<int> result =
        asio::co_spawn(context, deliver(std::move(up), argv[1], {argv + 3, argv + argc}), asio::use_future);
    context.run();
    try {
        return result.get();
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 1;
    }
}
