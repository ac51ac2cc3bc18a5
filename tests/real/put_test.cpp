// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/put.hpp>

#include "real/web_server.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/eventually.hpp"
#include "support/http_record.hpp"
#include "support/temp_dir.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

// Whole jobs by PUT to nginx and Apache.
namespace waybill::test {
namespace {

web_server::kind any_server() {
    return GENERATE(web_server::kind::nginx, web_server::kind::apache);
}

// nginx 1.22 calls a missing folder an error of its own: that is tried again until the attempts are used up.
int status_of(web_server::kind kind, const std::string& path) {
    if (path == "/dav/missing/") {
        return kind == web_server::kind::nginx ? 500 : 409;
    }
    return path == "/denied/" ? 403 : 413;
}

}  // namespace

TEST_CASE("files of every size and name are stored by nginx and Apache byte for byte") {
    const temp_dir dir;
    std::optional<certificate_authority> ca;
    if (GENERATE(false, true)) {
        ca.emplace();
    }
    const web_server server(any_server(), ca ? std::optional(ca->issue()) : std::nullopt);
    options how = quick_options(dir);
    how.http.ca_file = ca ? ca->ca_file() : "";
    delivery uploads(how);
    std::vector<std::string> names = {"größe 東京 🚀.jpg", "50 %41 off; x=y.txt", "a \"b\" 'c'.txt", "q?s#f&g+h.txt"};
    for (int i = 0; i < 12; ++i) {
        names.push_back(std::to_string(i) + ".bin");
    }
    job what(server.url("/dav/"));
    for (std::size_t i = 0; i < names.size(); ++i) {
        // The last one is a little over a mebibyte, the first one is empty.
        what.file(dir.write(names[i], random_bytes(i == 0 ? 0 : (std::size_t(64) << (i - 1)) + i % 3 - 1, i)));
    }
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done) << "\n" << server.words());
    REQUIRE(done.status == status::completed);
    CHECK(done.sent == done.size());
    for (const std::string& name : names) {
        CAPTURE(name);
        REQUIRE(std::filesystem::exists(server.file("dav/" + name)));
        CHECK(sha256_of_file(server.file("dav/" + name)) == sha256_of_file(dir / name));
    }
}

TEST_CASE("what nginx and Apache refuse fails with their status and stores nothing") {
    const temp_dir dir;
    const auto kind = any_server();
    const web_server server(kind);
    delivery uploads(quick_options(dir));
    const auto path = GENERATE(as<std::string>(), "/denied/", "/small/", "/dav/missing/");
    CAPTURE(path);
    job what(server.url(path));
    what.file(dir.write("large", random_bytes(8 << 20)));
    // A server that answers 500 to the only job it has may have trouble of its own: then the job waits.
    const job_snapshot done =
        uploads.wait_until(uploads.enqueue(what), [](const job_snapshot& j) { return j.terminal() || j.attempt > 3; });
    INFO(describe(done) << "\n" << server.words());
    CHECK(done.error.details.http_status == status_of(kind, path));
    CHECK((done.status == status::failed && done.attempt == 1) == (done.error.details.http_status < 500));
    CHECK_FALSE(std::filesystem::exists(server.file(path.substr(1) + "large")));
}

TEST_CASE("a PUT cut off by its server's end is sent again when the server is back") {
    const temp_dir dir;
    web_server server(any_server());
    options persistent = quick_options(dir);
    persistent.retry.attempts = 1'000'000;
    delivery uploads(persistent);
    const std::string path = dir.write("large", random_bytes(32 << 20));
    job what(server.url("/dav/"));
    what.bytes("first", "1").file(path).bytes("last", "2");
    const job_id id = uploads.enqueue(what);
    uploads.wait_until(id, [](const job_snapshot& j) { return j.item(1).sent > 0; });
    server.stop();
    const job_snapshot held = uploads.waiting(id);
    INFO(describe(held));
    CHECK(held.status == status::waiting);
    CHECK_FALSE(std::filesystem::exists(server.file("dav/last")));
    server.start();
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done) << "\n" << server.words());
    CHECK(done.status == status::completed);
    CHECK(sha256_of_file(server.file("dav/large")) == sha256_of_file(path));
    CHECK(read_file(server.file("dav/last")) == "2");
}

TEST_CASE("a thousand jobs arrive at nginx in the order of their acceptance, over kept connections") {
    const temp_dir dir;
    const web_server server(web_server::kind::nginx);
    delivery uploads(quick_options(dir));
    std::string expected;
    std::vector<job> all;
    for (int i = 0; i < 1000; ++i) {
        const std::string name = std::to_string(i);
        all.push_back(job(server.url("/dav/")).bytes(name, "content of " + name));
        expected += "PUT /dav/" + name + " 201\n";
    }
    const std::vector<job_id> ids = uploads.up().async_enqueue(std::move(all), asio::use_future).get();
    const job_snapshot last = uploads.wait_until(
        ids.back(), [](const job_snapshot& j) { return j.terminal() || is_parked(j.status); },
        std::chrono::seconds(100));
    INFO(describe(last));
    REQUIRE(last.status == status::completed);
    CHECK(uploads.up().latest()->overall()[status::completed].jobs == 1000);
    uploads.stop();
    // nginx answers first and writes its line then.
    eventually("the last line", [&] {
        const std::string log = server.access_log();
        return std::count(log.begin(), log.end(), '\n') == 1000;
    });
    std::string seen;
    int connections = 0;
    std::istringstream lines(server.access_log());
    std::string method, target, code;
    for (int length = 0, nth = 0; lines >> method >> target >> code >> length >> nth;) {
        seen.append(method).append(" ").append(target).append(" ").append(code).append("\n");
        connections += nth == 1;
    }
    CHECK(seen == expected);
    CHECK(connections <= 2);  // nginx ends a connection after 1,000 requests
    for (int i = 0; i < 1000; ++i) {
        const std::string name = std::to_string(i);
        REQUIRE(read_file(server.file("dav/" + name)) == "content of " + name);
    }
}

}  // namespace waybill::test
