// SPDX-License-Identifier: BSL-1.0
//
// What you learn: large files by tus 1.0.0. An interrupted transfer continues at the last byte the server has, even
// after this program was killed; the digest of each whole file is computed while it is sent.
//
// Run: tus_upload <creation-url> <store> <file>...
// Expect: one line for each file, with its URL and digest, then "completed".

#include <waybill/waybill.hpp>

#include "support/co_main.hpp"

#include <asio/detached.hpp>

#include <iostream>

asio::awaitable<int> upload(arguments given) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const waybill::options options{.store = {.path = given.store}};
    waybill::uploader up(executor, options);
    up.async_run(asio::detached);

    //[tus
    waybill::job films(given.url);
    films
        .via(waybill::tus{}
                 .chunk_size(64 << 20)  // bytes of one request at most
                 .digest("sha-256"))    // of each whole file, in its receipt
        .field("album", "Istanbul");    // metadata of each upload
    //]
    for (const std::string& file : given.more) {
        films.file(file);
    }
    const waybill::job_id id = co_await up.async_enqueue(std::move(films));
    const waybill::job_snapshot end = co_await up.async_wait(id);
    for (std::size_t i = 0; i < end.item_count(); ++i) {
        std::cout << end.item(i).name << ": " << end.item(i).receipt << "\n";
    }
    std::cout << to_string(end.status) << " " << end.error.message() << "\n";
    co_return end.status == waybill::status::completed ? 0 : 1;
}

int main(int argc, char** argv) {
    return co_main(argc, argv, "tus_upload <creation-url> <store> <file>...", upload);
}
