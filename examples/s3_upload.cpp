// SPDX-License-Identifier: BSL-1.0
//
// What you learn: files as objects of S3. Large ones are sent in parts, several concurrently; an interrupted transfer
// continues with the parts the server does not have yet, even after this program was killed. Keys are requested when
// needed, never stored.
//
// Run: s3_upload <bucket-url-ending-in-/> <store> <file>...
//      The keys are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or in ~/.aws/credentials.
// Expect: one line for each file, with its ETag, then "completed".

#include <waybill/waybill.hpp>

#include "support/co_main.hpp"

#include <asio/detached.hpp>

#include <iostream>

asio::awaitable<int> upload(arguments given) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    waybill::options options{.store = {.path = given.store}};
    //[keys
    options.protocols.add(waybill::s3_with([](const std::string& origin, const std::string& profile) {
        // Here you would ask your own vault; without a value the job waits for credentials.
        return waybill::default_s3_credentials(origin, profile);
    }));
    //]
    waybill::uploader up(executor, options);
    up.async_run(asio::detached);

    //[s3
    waybill::job photos(given.url);
    photos
        .via(waybill::s3{}
                 .part_size(16 << 20)  // sent again at most, for each part in flight
                 .parallel(4))         // concurrent parts
        .field("album", "Istanbul")    // x-amz-meta-album of each object
        .header("Cache-Control", "private");
    //]
    for (const std::string& file : given.more) {
        photos.file(file);
    }
    const waybill::job_id id = co_await up.async_enqueue(std::move(photos));
    const waybill::job_snapshot end = co_await up.async_wait(id);
    for (std::size_t i = 0; i < end.item_count(); ++i) {
        std::cout << end.item(i).name << ": " << end.item(i).receipt << "\n";
    }
    std::cout << to_string(end.status) << " " << end.error.message() << "\n";
    co_return end.status == waybill::status::completed ? 0 : 1;
}

int main(int argc, char** argv) {
    return co_main(argc, argv, "s3_upload <bucket-url-ending-in-/> <store> <file>...", upload);
}
