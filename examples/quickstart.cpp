// SPDX-License-Identifier: BSL-1.0
//
// What you learn: a job in twenty lines. It is safe on disk before the upload begins, and arrives
// even if this program is killed: run it again and it continues.
//
// Run: quickstart <url> <store> <file>…       Expect: "a1b2… is completed".

#include <waybill/waybill.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <iostream>

//[job
asio::awaitable<void> share(waybill::uploader& up, std::string url, std::vector<std::string> files) {
    waybill::job post(url);
    post.via(waybill::multipart{}).field("caption", "Istanbul");
    for (const std::string& file : files) {
        post.file(file);
    }
    const waybill::job_id id = co_await up.async_enqueue(std::move(post));  // on disk when this returns

    waybill::feed feed = up.snapshots();
    while (auto now = co_await feed.async_next()) {  // always the newest
        const waybill::job_snapshot& job = now->at(id);
        std::cout << static_cast<int>(job.progress() * 100) << " %\n";
        if (job.terminal()) {
            std::cout << id.str() << " is " << to_string(job.now) << " " << job.error.message() << "\n";
            break;
        }
    }
    co_await up.async_stop();
}
//]

int main(int argc, char** argv) {
    if (argc < 4) {
        std::cerr << "usage: quickstart <url> <store> <file>...\n";
        return 2;
    }
    asio::io_context context(1);
    waybill::options how;
    how.store.path = argv[2];
    waybill::uploader up(context.get_executor(), how);
    int result = 0;
    const auto done = [&](const std::exception_ptr& thrown) {
        try {
            if (thrown) {
                std::rethrow_exception(thrown);
            }
        } catch (const std::exception& e) {
            std::cerr << e.what() << "\n";
            result = 1;
            up.async_stop([](std::error_code) {});
        }
    };
    asio::co_spawn(context, up.async_run(), done);
    asio::co_spawn(context, share(up, argv[1], {argv + 3, argv + argc}), done);
    context.run();
    return result;
}
