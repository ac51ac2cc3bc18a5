// SPDX-License-Identifier: BSL-1.0
//
// What you learn: to speak a protocol of your own. The engine gives it durability, retries and progress.
// Run: custom_protocol <url> <store> <file>…      Expect: "completed".

#include <waybill/protocol/http_rules.hpp>
#include <waybill/waybill.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>

//[protocol
/// What a job is given: `job.via(numbered{})`.
struct numbered {
    [[nodiscard]] waybill::protocol_spec spec() const { return {"numbered", {}}; }
};

/// What carries it out: one PUT for each item, to <url>/0, <url>/1 and so on.
class numbered_protocol final : public waybill::protocol {
public:
    void check(const waybill::job& job) const override {
        if (job.url().ends_with('/')) {
            throw waybill::error(waybill::errc::invalid_url, "write it without the last /");
        }
    }

    asio::awaitable<void> upload(waybill::session& job) override {
        for (std::size_t i = 0; i < job.items().size(); ++i) {
            if (job.items()[i].state.now == waybill::item_status::completed) {
                continue;  // done before a crash
            }
            const std::unique_ptr<waybill::body_source> body = job.open(i);
            waybill::request put;
            put.url = job.job().spec.url + "/" + std::to_string(i);
            put.body = body.get();
            put.idempotent = true;
            std::vector<waybill::body_span> progress{{i, 0, 0, body->size()}};
            const waybill::response answer = co_await job.send(std::move(put), std::move(progress), i);
            waybill::require_accepted(answer, true, 0, i);
            job.complete_item_soon(i, "");
        }
    }
};
//]

asio::awaitable<int> deliver(waybill::uploader up, waybill::job job) {
    up.async_run([](std::error_code) {});
    const waybill::job_snapshot end = co_await up.async_wait(co_await up.async_enqueue(std::move(job)));
    std::cout << to_string(end.now) << " " << end.error.message() << "\n";
    co_return end.now == waybill::status::completed ? 0 : 1;
}

int main(int argc, char** argv) try {
    if (argc < 4) {
        std::cerr << "usage: custom_protocol <url> <store> <file>...\n";
        return 2;
    }
    asio::io_context context(1);
    waybill::options how;
    how.store.path = argv[2];
    //[register
    how.protocols["numbered"] = [](const waybill::protocol_spec&) { return std::make_unique<numbered_protocol>(); };
    waybill::uploader up(context.get_executor(), how);

    waybill::job job(argv[1]);
    job.via(numbered{});
    //]
    for (int i = 3; i < argc; ++i) {
        job.file(argv[i]);
    }
    auto result = asio::co_spawn(context, deliver(std::move(up), std::move(job)), asio::use_future);
    context.run();
    return result.get();
} catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
}
