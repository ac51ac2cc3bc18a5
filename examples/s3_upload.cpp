// SPDX-License-Identifier: BSL-1.0
//
// What you learn: files as objects of S3. Large ones are sent in parts, several concurrently; an interrupted transfer
// continues with the parts the server does not have yet, even after this program was killed. Keys are requested when
// needed, never stored.
//
// Run: s3_upload <bucket url, ending in /> <store> <file>…      Expect: one line for each file, with its ETag.
// The keys are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or in ~/.aws/credentials.

#include <waybill/waybill.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>

asio::awaitable<int> deliver(std::string url, std::string store, std::vector<std::string> files) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    waybill::options how;
    how.store.path = store;
    //[keys
    how.protocols.add(waybill::s3_with([](const std::string& origin, const std::string& profile) {
        // Here you would ask your own vault; without a value the job waits for credentials.
        return waybill::default_s3_credentials(origin, profile);
    }));
    //]
    waybill::uploader up(here, how);
    asio::co_spawn(here, up.async_run(), asio::detached);

    //[s3
    waybill::job photos(url);
    photos
        .via(waybill::s3{}
                 .part_size(16 << 20)  // sent again at most, for each part in flight
                 .parallel(4))         // concurrent parts
        .field("album", "Istanbul")    // x-amz-meta-album of each object
        .header("Cache-Control", "private");
    //]
    for (const std::string& file : files) {
        photos.file(file);
    }
    const waybill::job_id id = co_await up.async_enqueue(std::move(photos));
    const waybill::job_snapshot end = co_await up.async_wait(id);
    for (std::size_t i = 0; i < end.item_count(); ++i) {
        std::cout << end.item(i).name << ": " << end.item(i).receipt << "\n";
    }
    std::cout << to_string(end.status) << " " << end.error.message() << "\n";
    co_await up.async_stop();
    co_return end.status == waybill::status::completed ? 0 : 1;
}

int main(int argc, char** argv) {
    if (argc < 4) {
        std::cerr << "usage: s3_upload <bucket url, ending in /> <store> <file>...\n";
        return 2;
    }
    asio::io_context context(1);
    std::future<int> result =
        asio::co_spawn(context, deliver(argv[1], argv[2], {argv + 3, argv + argc}), asio::use_future);
    context.run();
    try {
        return result.get();
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 1;
    }
}
