// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/tus.hpp>

#include "cli/command.hpp"
#include "real/tus/tus_store.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/eventually.hpp"

#include <csignal>
#include <cstdint>
#include <string>

// An upload that one client began is finished by another: tus-js-client from npm, and Waybill.
namespace waybill::test {
namespace {

constexpr std::size_t size = 12 << 20;

/// Runs tus-js-client; returns the upload's URL.
std::string run_peer(node_server::environment what) {
    command_line line = node_script("tus_client.mjs");
    line.env = std::move(what);
    const finished_process done = run_process(line);
    INFO(done.err);
    REQUIRE(done.status.code == 0);
    return lines_of(done.out).at(0);
}

std::uint64_t offset_of(const nlohmann::json& request) {
    return std::stoull(request.at("headers").at("upload-offset").get<std::string>());
}

}  // namespace

TEST_CASE("an upload that tus-js-client began and left is finished where it stands") {
    const temp_dir dir;
    const tus_store store("tus.mjs", {{"RATE", "8000000"}});
    const std::string content = random_bytes(size);
    const std::string file = dir.write("a", content);
    const std::string url = run_peer({{"FILE", file}, {"ENDPOINT", store.url()}, {"STOP_AFTER", "5000000"}});
    const bool with_digest = GENERATE(false, true);
    CAPTURE(with_digest);
    tus how = tus{}.upload_url(url);
    if (with_digest) {
        how.digest("sha-256");
    }
    job what(store.url());
    what.via(how).file(file);
    delivery uploads(quick_options(dir));
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(done.item(0).receipt.starts_with(url));
    const auto there = store.uploads();
    REQUIRE(there.size() == 1);
    CHECK((there.begin()->second == content));
    CHECK(store.requests("POST").size() == 1);
    CHECK(offset_of(store.requests("PATCH").at(1)) > 1'000'000);
}

TEST_CASE("an upload that was begun here is finished by tus-js-client, and then known to be complete") {
    const tus_store store("tus.mjs", {{"RATE", "8000000"}});
    const command waybill;
    const std::string content = random_bytes(size);
    const std::string file = waybill.dir().write("a", content);
    waybill.add({"--to", store.url(), "--via", "tus", file});
    process running = waybill.start({"run", "--progress", "none"}, waybill.dir() / "run.out");
    eventually("some megabytes", [&] { return store.bytes() > 3'000'000; });
    running.kill(SIGKILL);
    running.wait(std::chrono::seconds(30));

    const std::string url = waybill.list().at(0).at("items").at(0).at("resource");
    CHECK(run_peer({{"FILE", file}, {"UPLOAD_URL", url}}) == url);
    const auto there = store.uploads();
    REQUIRE(there.size() == 1);
    CHECK((there.begin()->second == content));
    const std::vector<nlohmann::json> appends = store.requests("PATCH");
    CHECK(offset_of(appends.back()) > 1'000'000);

    const finished_process done = run_process(waybill.line({"run", "--until-idle"}));
    CHECK(done.status.code == 0);
    CHECK(waybill.list().at(0).at("state") == "completed");
    CHECK(waybill.list().at(0).at("items").at(0).at("receipt") == url);
    CHECK(store.requests("PATCH").size() == appends.size());
    CHECK(store.requests("POST").size() == 1);
}

}  // namespace waybill::test
