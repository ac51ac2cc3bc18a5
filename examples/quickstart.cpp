// SPDX-License-Identifier: BSL-1.0
//
// What you learn: a complete job. It is safe on disk before the upload begins, and is delivered even if this program is
// killed: start it again with the same name, and it continues, or reports the result.
//
// Run: quickstart <url> <store> <name> <file>…       Expect: "uploading 42 %" and so on to "completed 100 %".

//[program
#include <waybill/waybill.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>

asio::awaitable<int> share(waybill::uploader up, waybill::job post) {
    up.async_run(asio::detached);  // delivers for as long as `up` lives

    const waybill::job_id id = co_await up.async_enqueue(std::move(post));  // on disk when this returns

    waybill::feed feed = up.snapshots();
    while (auto now = co_await feed.async_next()) {  // always the newest
        if (const auto job = now->find(id)) {
            std::cout << to_string(job->status) << " " << static_cast<int>(job->progress() * 100) << " % "
                      << job->error.message() << "\n";
            if (job->terminal() || is_parked(job->status)) {  // final, or parked for your decision
                co_return job->status == waybill::status::completed ? 0 : 1;
            }
        }
    }
    co_return 1;
}

int main(int argc, char** argv) try {
    if (argc < 5) {
        std::cerr << "usage: quickstart <url> <store> <name> <file>...\n";
        return 2;
    }
    waybill::job post(argv[1]);
    post.via(waybill::multipart{}).field("caption", argv[3]);
    post.id(waybill::job_id(argv[3]));  // the same id twice is accepted once
    for (int i = 4; i < argc; ++i) {
        post.file(argv[i]);
    }
    asio::io_context context(1);
    waybill::options how;
    how.store.path = argv[2];
    waybill::uploader up(context.get_executor(), how);
    std::future<int> result = asio::co_spawn(context, share(std::move(up), std::move(post)), asio::use_future);
    context.run();
    return result.get();
} catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
}
//]
