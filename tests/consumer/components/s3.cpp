// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/s3.hpp>
#include <waybill/uploader.hpp>

#include <asio/io_context.hpp>

#include <cstdio>
#include <system_error>
#include <utility>

// An uploader of the core, and one component: a job of another one is refused.
int main(int argc, char** argv) {
    if (argc != 2) {
        return 2;
    }
    asio::io_context context;
    waybill::options how;
    how.store.path = argv[1];
    waybill::uploader up(context.get_executor(), how);
    struct absent {
        [[nodiscard]] waybill::protocol_spec spec() const { return {"tus", {}}; }
    };
    const auto say = [&](const char* name, waybill::job what) {
        up.async_enqueue(std::move(what), [name](std::error_code refused, const waybill::job_id&) {
            std::printf("%s: %s\n", name, refused == waybill::errc::unknown_protocol ? "unknown" : "known");
        });
        context.run();
        context.restart();
    };
    waybill::job object("https://s3.test/bucket/key");
    say("s3", std::move(object.via(waybill::s3{}).bytes("a", "x")));
    waybill::job upload("https://tus.test/files");
    say("tus", std::move(upload.via(absent{}).bytes("a", "x")));
    return 0;
}
