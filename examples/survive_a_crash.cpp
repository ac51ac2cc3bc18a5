// SPDX-License-Identifier: BSL-1.0
//
// What you learn: a job with an id of your own survives a crash. Kill this program and start it again with the same
// name: the post continues, or the program shows how it ended. It is sent once, however often you start it.
//
// Run: survive_a_crash <url> <store> <name> <file>...
// Expect: "uploading 42 %" and so on to "completed 100 %".

#include <waybill/waybill.hpp>

#include "support/co_main.hpp"

#include <asio/detached.hpp>

#include <iostream>
#include <span>

asio::awaitable<int> upload(arguments given) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const waybill::options options{.store = {.path = given.store}};
    waybill::uploader up(executor, options);
    up.async_run(asio::detached);

    const std::string name = given.more.front();
    waybill::job post(given.url);
    post.id(waybill::job_id(name));  // the same id twice is accepted once
    post.via(waybill::multipart{}).field("caption", name);
    for (const std::string& file : std::span(given.more).subspan(1)) {
        post.file(file);
    }
    const waybill::job_id id = co_await up.async_enqueue(std::move(post));

    waybill::feed feed = up.snapshots();
    while (auto now = co_await feed.async_next()) {  // always the newest
        const waybill::job_snapshot& job = now->at(id);
        std::cout << to_string(job.status) << " " << static_cast<int>(job.progress() * 100) << " % "
                  << job.error.message() << "\n";
        if (!is_open(job.status)) {  // ended, or parked until you decide
            co_return job.status == waybill::status::completed ? 0 : 1;
        }
    }
    co_return 1;
}

int main(int argc, char** argv) {
    return co_main(argc, argv, "survive_a_crash <url> <store> <name> <file>...", upload);
}
