// SPDX-License-Identifier: BSL-1.0
//
// What you learn: a whole form, fields and files, as one resumable upload (the IETF draft): the form handler gets the
// usual request, and an interrupted transfer continues in the middle of its body, with exact progress for each file.
//
// Run: resumable_form <url> <store> <caption> <file>...
// Expect: each file's progress, then "completed".

#include <waybill/waybill.hpp>

#include "support/co_main.hpp"

#include <asio/detached.hpp>

#include <iostream>
#include <span>

void show_files(const waybill::job_snapshot& job) {
    for (std::size_t i = 0; i < job.item_count(); ++i) {
        const waybill::item_snapshot item = job.item(i);
        std::cout << item.name << " " << static_cast<int>(item.progress() * 100) << " %  ";
    }
    std::cout << "\n";
}

asio::awaitable<int> upload(arguments given) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const waybill::options options{.store = {.path = given.store}};
    waybill::uploader up(executor, options);
    up.async_run(asio::detached);

    waybill::job form(given.url);
    form.via(waybill::resumable{}.as_form().digest("sha-256")).field("caption", given.more.front());
    for (const std::string& file : std::span(given.more).subspan(1)) {
        form.file(file);
    }
    const waybill::job_id id = co_await up.async_enqueue(std::move(form));

    waybill::feed feed = up.snapshots();
    while (auto now = co_await feed.async_next()) {
        const waybill::job_snapshot& job = now->at(id);
        show_files(job);
        if (!is_open(job.status)) {  // ended, or parked
            std::cout << to_string(job.status) << " " << job.error.message() << "\n";
            co_return job.status == waybill::status::completed ? 0 : 1;
        }
    }
    co_return 1;
}

int main(int argc, char** argv) {
    return co_main(argc, argv, "resumable_form <url> <store> <caption> <file>...", upload);
}
