// SPDX-License-Identifier: BSL-1.0
//
// What you learn: if the response to a form post is lost, nobody knows whether the server has processed it. The job is
// parked as `unknown_outcome` until your app decides. A real app asks its user or its backend; this one is told.
//
// Run: unknown_outcome <url> <store> <name> <arrived|missing|unwanted> <file>
// Expect: "completed". If the response is lost: "unknown_outcome", then "completed", or "canceled" if it is unwanted.

#include <waybill/waybill.hpp>

#include "support/co_main.hpp"

#include <asio/detached.hpp>

#include <iostream>

waybill::resolution decision_from(const std::string& text) {
    return text == "arrived"   ? waybill::resolution::completed
           : text == "missing" ? waybill::resolution::retry
                               : waybill::resolution::canceled;
}

asio::awaitable<int> upload(arguments given) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const waybill::options options{.store = {.path = given.store}};
    waybill::uploader up(executor, options);
    up.async_run(asio::detached);

    waybill::job post(given.url);
    post.via(waybill::multipart{}).id(waybill::job_id(given.more[0])).file(given.more[2]);
    const waybill::resolution decision = decision_from(given.more[1]);

    //[decide
    const waybill::job_id id = co_await up.async_enqueue(std::move(post));
    waybill::job_snapshot end = co_await up.async_wait(id);  // completes when the job has ended, or is parked
    if (end.status == waybill::status::unknown_outcome) {
        std::cout << "unknown_outcome " << end.error.message() << "\n";
        co_await up.async_resolve(id, decision);  // durable when this completes
        end = co_await up.async_wait(id);
    }
    //]
    std::cout << to_string(end.status) << " " << end.error.message() << "\n";
    co_return end.status == waybill::status::completed ? 0 : 1;
}

int main(int argc, char** argv) {
    return co_main(argc, argv, "unknown_outcome <url> <store> <name> <arrived|missing|unwanted> <file>", upload);
}
