// SPDX-License-Identifier: BSL-1.0
//
// What you learn: large files by tus 1.0.0. An interrupted transfer continues at the last byte the server has, even
// after this program was killed; the digest of each whole file is computed while it is sent.
//
// Run: tus_upload <creation url> <store> <file>…       Expect: one line for each file, with its URL and digest.

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
    waybill::uploader up(here, how);
    asio::co_spawn(here, up.async_run(), asio::detached);

    //[tus
    waybill::job films(url);
    films
        .via(waybill::tus{}
                 .chunk_size(64 << 20)  // bytes of one request at most
                 .digest("sha-256"))    // of each whole file, in its receipt
        .field("album", "Istanbul");    // metadata of each upload
    //]
    for (const std::string& file : files) {
        films.file(file);
    }
    const waybill::job_id id = co_await up.async_enqueue(std::move(films));
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
        std::cerr << "usage: tus_upload <creation url> <store> <file>...\n";
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
