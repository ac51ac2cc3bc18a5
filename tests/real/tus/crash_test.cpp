// SPDX-License-Identifier: BSL-1.0
#include "cli/command.hpp"
#include "real/tus/tus_store.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

#include <chrono>
#include <csignal>
#include <string>

// The real command is killed in mid-upload to @tus/server. Many more kills: tests/crash/resume_test --via tus.
namespace waybill::test {

TEST_CASE("a command that is killed in mid-upload to @tus/server continues where the server is") {
    constexpr std::size_t size = 12 << 20;
    constexpr int kills = 4;
    // What the server has taken off the wire and not yet put into its file when its client is gone.
    constexpr std::uint64_t interval = 1 << 20;
    const tus_store store("tus.mjs", {{"RATE", "4000000"}});
    const command waybill;
    const std::string content = random_bytes(size);
    waybill.add({"--to", store.url(), "--via", "tus", waybill.dir().write("a", content)});
    for (int i = 0; i < kills; ++i) {
        const std::uint64_t before = store.bytes();
        process running = waybill.start({"run", "--progress", "none"}, waybill.dir() / "run.out");
        eventually("more bytes at the server", [&] { return store.bytes() > before + 500'000; });
        running.kill(SIGKILL);
        REQUIRE(running.wait(std::chrono::seconds(30)));
    }
    const finished_process done = run_process(waybill.line({"run", "--until-idle"}));
    INFO(done.err << store.server.words());
    CHECK(done.status.code == 0);
    const auto uploads = store.uploads();
    REQUIRE(uploads.size() == 1);
    CHECK((uploads.begin()->second == content));
    CHECK(store.requests("POST").size() == 1);
    eventually("the last connection's end", [&] { return store.bytes_read() >= size; });
    CHECK(store.bytes_read() <= size + kills * interval);
}

}  // namespace waybill::test
