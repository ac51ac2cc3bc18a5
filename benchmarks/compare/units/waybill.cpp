// SPDX-License-Identifier: BSL-1.0
#include <waybill/waybill.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

asio::awaitable<void> run(waybill::uploader& up) {
    waybill::job what("http://127.0.0.1/upload");
    what.file("file");
    const waybill::job_id id = co_await up.async_enqueue(std::move(what));
    waybill::feed feed = up.snapshots();
    while (const auto now = co_await feed.async_next()) {
        if (now->at(id).terminal()) {
            break;
        }
    }
    co_await up.async_stop();
}

int main() {
    asio::io_context context{1};
    waybill::options how;
    how.store.path = "store.db";
    waybill::uploader up(context.get_executor(), std::move(how));
    asio::co_spawn(context, run(up), asio::detached);
    context.run();
}
