// SPDX-License-Identifier: BSL-1.0
// The code of docs/guide/testing-your-app.md, compiled and run.

#include <waybill/testing/fake_transport.hpp>
#include <waybill/testing/manual_clock.hpp>
#include <waybill/testing/memory_sources.hpp>
#include <waybill/testing/memory_store.hpp>
#include <waybill/waybill.hpp>

#include <asio/io_context.hpp>

#include <cstdlib>

int main() {
    //[test
    namespace testing = waybill::testing;
    auto files = std::make_shared<testing::memory_files>();
    auto disk = std::make_shared<testing::memory_disk>();
    auto clock = std::make_shared<testing::manual_clock>();
    files->write("/a.jpg", "pixels");

    asio::io_context context;
    int requests = 0;
    const auto server = [&](const testing::received_request&) {
        return testing::fake_transport::respond(++requests == 1 ? 503 : 201);  // busy at first
    };
    waybill::options options;
    options.replace.clock = clock;
    options.replace.sources = std::make_shared<testing::memory_sources>(files);
    options.replace.store = std::make_shared<testing::memory_store>(context.get_executor(), disk);
    options.replace.transport = std::make_shared<testing::fake_transport>(context.get_executor(), server);

    waybill::uploader up(context.get_executor(), options);
    up.async_run([](std::error_code) {});
    up.async_enqueue(waybill::job("http://test/a.jpg").file("/a.jpg"), [](std::error_code, const waybill::job_id&) {});
    do {
        context.restart();
        context.poll();                                          // everything that can happen now
    } while (!up.latest()->idle() && clock->advance_to_next());  // then the time of the next attempt

    const bool passed = requests == 2 && up.latest()->overall()[waybill::status::completed].jobs == 1;
    //]
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
