// SPDX-License-Identifier: BSL-1.0
//
// What you learn: a whole form, fields and files, as one resumable upload (the IETF draft): the form handler gets the
// usual request, and an interrupted transfer continues in the middle of its body, with exact progress for each file.
//
// Run: resumable_form <url> <store> <caption> <file>…       Expect: each file's progress, then "completed".

#include <waybill/waybill.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>

asio::awaitable<int> deliver(std::string url, std::string store, std::string caption, std::vector<std::string> files) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    waybill::options how;
    how.store.path = store;
    waybill::uploader up(here, how);
    asio::co_spawn(here, up.async_run(), asio::detached);

    waybill::job post(url);
    post.via(waybill::resumable{}.as_form().digest("sha-256")).field("caption", caption);
    for (const std::string& file : files) {
        post.file(file);
    }
    const waybill::job_id id = co_await up.async_enqueue(std::move(post));

    waybill::feed feed = up.snapshots();
    waybill::status end = waybill::status::pending;
    while (auto now = co_await feed.async_next()) {
        const waybill::job_snapshot& job = now->at(id);
        for (std::size_t i = 0; i < job.item_count(); ++i) {
            const waybill::item_snapshot item = job.item(i);
            std::cout << item.name << " " << static_cast<int>(item.progress() * 100) << " %  ";
        }
        std::cout << "\n";
        end = job.status;
        if (job.terminal() || is_parked(job.status)) {
            std::cout << to_string(end) << " " << job.error.message() << "\n";
            break;
        }
    }
    co_await up.async_stop();
    co_return end == waybill::status::completed ? 0 : 1;
}

int main(int argc, char** argv) {
    if (argc < 5) {
        std::cerr << "usage: resumable_form <url> <store> <caption> <file>...\n";
        return 2;
    }
    asio::io_context context(1);
    std::future<int> result =
        asio::co_spawn(context, deliver(argv[1], argv[2], argv[3], {argv + 4, argv + argc}), asio::use_future);
    context.run();
    try {
        return result.get();
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 1;
    }
}
