// SPDX-License-Identifier: BSL-1.0
//
// What you learn: Waybill without coroutines and without your own Asio loop. The background uploader has its own
// thread; a render loop gets the newest snapshot whenever it draws a frame.
//
// Run: render_loop <url-ending-in-/> <store> <file>...
// Expect: frames, then "done".

#include <waybill/waybill.hpp>

#include "support/co_main.hpp"

#include <chrono>
#include <iostream>
#include <thread>

constexpr std::chrono::milliseconds frame_time(16);

int upload(arguments given) {
    const waybill::options options{.store = {.path = given.store}};
    waybill::background_uploader up(options);  // opens the store, begins to deliver

    waybill::job photos(given.url);
    for (const std::string& file : given.more) {
        photos.file(file);
    }
    const waybill::job_id id = up.enqueue(std::move(photos));  // blocks until it is safe on disk

    for (;; std::this_thread::sleep_for(frame_time)) {
        const auto frame = up.latest();  // never waits, never null
        const waybill::job_snapshot& job = frame->at(id);
        std::cout << "\r" << id.str() << " " << static_cast<int>(job.progress() * 100) << " % " << std::flush;
        if (!is_open(job.status)) {  // ended, or parked
            const bool completed = job.status == waybill::status::completed;
            std::cout << "\n" << (completed ? "done" : job.error.message()) << "\n";
            return completed ? 0 : 1;
        }
    }
}

int main(int argc, char** argv) {
    return plain_main(argc, argv, "render_loop <url-ending-in-/> <store> <file>...", upload);
}
