// SPDX-License-Identifier: BSL-1.0
//
// The whole library over a disk that fails under the store, without a restart: real store, real
// transport, real server.

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_server.hpp"
#include "support/recording_vfs.hpp"
#include "support/run.hpp"

#include <atomic>
#include <string>
#include <vector>

using namespace waybill;
using namespace waybill::test;

namespace {

using kind = disk_operation::kind;

job form_of(const http_server& server, const std::string& id, const std::string& file) {
    job one(server.url("/posts"));
    one.id(job_id(id)).via(multipart{}).if_unknown(on_unknown::retry_same_key).file(file);
    return one;
}

}  // namespace

TEST_CASE("whichever sync or write fails, the store is opened anew and everything arrives without a restart") {
    const kind what = GENERATE(kind::sync, kind::write);
    for (int nth = 1;; nth += what == kind::sync ? 1 : 4) {
        const temp_dir dir;
        const std::string file = dir.write("a.bin", random_bytes(50'000));
        recording_vfs disk;
        std::atomic<int> left{0};
        http_server server;
        std::atomic<bool> failed{false};
        disk.fault = [&](const disk_operation& one) {
            if (one.what != what || left == 0 || --left > 0) {
                return SQLITE_OK;
            }
            failed = true;
            return what == kind::sync ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
        };
        delivery up(quick_options(dir));
        CAPTURE(nth, static_cast<int>(what));
        left = nth;
        for (int i = 0; i < 3; ++i) {
            const std::string id = "job" + std::to_string(i);
            // Refused when the failure hits it; asking again with the same id is always safe.
            const std::error_code got = error_of([&] { up.enqueue(form_of(server, id, file)); });
            REQUIRE((!got || got == errc::store_failed));
            if (got) {
                up.enqueue(form_of(server, id, file));
            }
        }
        for (int i = 0; i < 3; ++i) {
            REQUIRE(up.settled(job_id("job" + std::to_string(i))).now == status::completed);
        }
        if (!failed) {
            REQUIRE(nth > 6);
            break;
        }
    }
}
