// SPDX-License-Identifier: BSL-1.0
//
// What you learn: the feed. Several jobs in one commit, and an asynchronous generator of snapshots
// that shows all of them; a slow reader misses some, but never the newest.
//
// Run: watch <url-ending-in-/> <store> <file>...
// Expect: a line whenever a job's state changes, then how many jobs are completed.

#include <waybill/waybill.hpp>

#include "support/co_main.hpp"

#include <asio/detached.hpp>

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

asio::awaitable<int> upload(arguments given) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const waybill::options options{.store = {.path = given.store}};
    waybill::uploader up(executor, options);
    up.async_run(asio::detached);

    std::vector<waybill::job> jobs;
    for (const std::string& file : given.more) {
        jobs.emplace_back(given.url).file(file);
    }
    co_await up.async_enqueue(std::move(jobs));  // all of them, or none
    co_await watch(up);
    const waybill::totals all = up.latest()->overall();
    co_return all[waybill::status::completed].jobs == all.jobs() ? 0 : 1;
}

int main(int argc, char** argv) {
    return co_main(argc, argv, "watch <url-ending-in-/> <store> <file>...", upload);
}
