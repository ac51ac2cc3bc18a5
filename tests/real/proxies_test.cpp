// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/resumable.hpp>
#include <waybill/protocol/tus.hpp>

#include "real/proxy.hpp"
#include "real/tus/tus_store.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/eventually.hpp"
#include "support/resumable_server.hpp"
#include "support/temp_dir.hpp"

#include <chrono>
#include <string>

// Uploads that resume, through proxies that know nothing of them.
namespace waybill::test {
namespace {

constexpr std::size_t mebibyte = 1 << 20;

proxy::kind any_proxy() {
    return GENERATE(proxy::kind::nginx, proxy::kind::nginx_streaming, proxy::kind::nghttpx);
}

/// Sends a file through a proxy to a resumable server, which must have exactly that in the end.
void require_passed(resumable_server& server, proxy::kind which, const resumable& settings, std::size_t size,
                    const std::string& proxy_settings = {}) {
    const temp_dir dir;
    const proxy front(which, server.http().port(), proxy_settings);
    const std::string content = random_bytes(size);
    delivery uploads(quick_options(dir));
    job what(front.url("/posts"));
    what.via(settings).file(dir.write("a", content));
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    INFO(describe(end));
    CHECK(end.status == status::completed);
    REQUIRE(server.arrived().size() == 1);
    CHECK((server.arrived()[0].body == content));
    CHECK(server.violations().empty());
}

}  // namespace

TEST_CASE("a resumable upload that is created first passes a real proxy, whole or broken") {
    const proxy::kind which = any_proxy();
    const bool breaks = GENERATE(false, true);
    CAPTURE(which, breaks);
    resumable_behaviour how;
    how.interim = which == proxy::kind::nghttpx;  // nginx 1.22 takes a 104 for the final answer
    if (breaks) {
        how.cuts = {mebibyte, 2 * mebibyte};
    }
    resumable_server server(how);
    require_passed(server, which, resumable(), 8 * mebibyte);
}

TEST_CASE("an upload whose 104s come through a proxy is right, whichever of them it lets pass") {
    resumable_behaviour how;
    how.progress_every = 256 << 10;
    how.cuts = {mebibyte, 3 * mebibyte};
    resumable_server server(how);
    require_passed(server, proxy::kind::nghttpx, resumable().optimistic(), 8 * mebibyte);
}

TEST_CASE("a proxy's own limit on bodies is learned") {
    resumable_behaviour how;
    how.interim = false;
    resumable_server server(how);
    require_passed(server, proxy::kind::nginx, resumable(), 5 * mebibyte, "client_max_body_size 1m;");
}

TEST_CASE("a tus upload passes a real proxy, and continues when the server behind it was killed") {
    const proxy::kind which = any_proxy();
    const bool absolute = GENERATE(true, false);  // Locations with the host the client asked for, or with none
    CAPTURE(which, absolute);
    const temp_dir dir;
    tus_store store("tus.mjs", {{"RATE", "8000000"}, {"RELATIVE", absolute ? "0" : "1"}});
    const proxy front(which, store.server.port());
    const std::string content = random_bytes(8 * mebibyte);
    options patient = quick_options(dir);  // nghttpx leaves a server alone for a second or two
    patient.retry.cap = std::chrono::seconds(1);
    patient.retry.base = std::chrono::milliseconds(100);
    patient.retry.attempts = 1'000'000;
    delivery uploads(patient);
    job what(front.url("/files"));
    what.via(tus{}.chunk_size(3 * mebibyte)).file(dir.write("a", content));
    const job_id id = uploads.enqueue(what);
    eventually("some megabytes", [&] { return store.bytes() >= mebibyte; });
    store.server.stop();
    store.server.start();
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end) << "\n" << store.server.words());
    CHECK(end.status == status::completed);
    CHECK(end.item(0).receipt.starts_with(front.url("/files/")));
    const auto there = store.uploads();
    REQUIRE(there.size() == 1);
    CHECK((there.begin()->second == content));
}

TEST_CASE("tus learns a proxy's own limit on bodies, too") {
    const temp_dir dir;
    const tus_store store;
    const proxy front(proxy::kind::nginx, store.server.port(), "client_max_body_size 1m;");
    const std::string content = random_bytes(5 * mebibyte);
    delivery uploads(quick_options(dir));
    job what(front.url("/files"));
    what.via(tus{}).file(dir.write("a", content));
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    INFO(describe(end));
    CHECK(end.status == status::completed);
    REQUIRE(store.uploads().size() == 1);
    CHECK((store.uploads().begin()->second == content));
    CHECK(store.requests("POST").size() == 1);
}

}  // namespace waybill::test
