// SPDX-License-Identifier: BSL-1.0
#include <waybill/error.hpp>

#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/process.hpp"
#include "support/sample_store.hpp"
#include "support/temp_dir.hpp"

#include <sstream>

using namespace waybill;
using namespace waybill::test;

namespace {

finished_process run_program(const temp_dir& dir, const http_server& server, std::vector<std::string> mode) {
    command_line what;
    what.argv = {WAYBILL_UPLOADS, dir / "s.db", server.url("/")};
    what.argv.insert(what.argv.end(), mode.begin(), mode.end());
    return run_process(std::move(what));
}

/// Everything that was accepted is in the store, and the store is sound.
totals totals_in(const std::string& path) {
    sample_store store(path);
    return store.open().totals;
}

}  // namespace

TEST_CASE("an uploader that is a static object ends after main, and loses nothing") {
    const std::string kind = GENERATE("global", "local");
    CAPTURE(kind);
    const temp_dir dir;
    http_server server;
    const finished_process done = run_program(dir, server, {kind});
    INFO(done.err);
    CHECK(done.status == exit_status{0, 0});
    CHECK(done.out == "done\n");
    CHECK(totals_in(dir / "s.db").jobs() == 3);
}

TEST_CASE("an uploader has its own threads, few, and none when it is gone") {
    const temp_dir dir;
    http_server server;
    const finished_process done = run_program(dir, server, {"threads"});
    INFO(done.out + done.err);
    CHECK(done.status == exit_status{0, 0});
    std::istringstream said(done.out);
    int before = 0;
    int with = 0;
    int after = 0;
    said >> before >> with >> after;
    CHECK(before == 1);
    CHECK(with <= 8);  // its loop, the store, files, and libcurl's resolver: not twice as many as there are cores
    CHECK(after == 1);
}

TEST_CASE("a forked child of a program with an uploader ends, and leaves the parent's uploader and store alone") {
    const std::string what = GENERATE("_exit", "exit", "own", "same", "use", "loop");
    CAPTURE(what);
    const temp_dir dir;
    http_server server;
    const finished_process done = run_program(dir, server, {"fork", what});
    INFO(done.out + done.err);
    CHECK(done.status == exit_status{0, 0});
    CHECK_THAT(done.out, Catch::Contains("parent: done"));
    CHECK(totals_in(dir / "s.db")[status::completed].jobs == 2);
    if (what == "same") {
        CHECK_THAT(done.out, Catch::Contains("child: " + std::to_string(static_cast<int>(errc::store_locked)) + " "));
    }
    if (what == "use" || what == "loop") {
        CHECK_THAT(done.out, Catch::Contains("child: " + std::to_string(static_cast<int>(errc::forked)) + " "));
    }
    if (what == "own") {
        CHECK(totals_in(dir / "s.db.child")[status::completed].jobs == 1);
    }
}
