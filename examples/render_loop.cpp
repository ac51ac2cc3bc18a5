// SPDX-License-Identifier: BSL-1.0
//
// What you learn: Waybill without coroutines and without your own Asio loop. The background uploader has its own
// thread; a render loop gets the newest snapshot whenever it draws a frame.
//
// Run: render_loop <url-ending-in-/> <store> <file>…      Expect: frames, then "done".

#include <waybill/waybill.hpp>

#include <chrono>
#include <iostream>
#include <thread>

int main(int argc, char** argv) {
    if (argc < 4) {
        std::cerr << "usage: render_loop <url-ending-in-/> <store> <file>...\n";
        return 2;
    }
    try {
        waybill::options how;
        how.store.path = argv[2];
        waybill::background_uploader up(how);  // opens the store, begins to deliver

        waybill::job job(argv[1]);
        for (int i = 3; i < argc; ++i) {
            job.file(argv[i]);
        }
        const waybill::job_id id = up.enqueue(std::move(job));  // blocks until it is safe on disk

        for (bool open = true; open; std::this_thread::sleep_for(std::chrono::milliseconds(16))) {
            const auto frame = up.latest();  // never waits, never null
            if (const auto now = frame->find(id)) {
                std::cout << "\r" << id.str() << " " << static_cast<int>(now->progress() * 100) << " % " << std::flush;
                open = !now->terminal();
            }
        }
        const auto end = up.latest()->find(id);
        std::cout << "\n" << (end->status == waybill::status::completed ? "done" : end->error.message()) << "\n";
        return end->status == waybill::status::completed ? 0 : 1;
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 1;
    }
}
