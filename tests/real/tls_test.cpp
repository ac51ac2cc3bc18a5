// SPDX-License-Identifier: BSL-1.0
#include "real/web_server.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/temp_dir.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

// Certificates that nginx and Apache show, checked against an authority of our own.
namespace waybill::test {

TEST_CASE("a server that cannot prove who it is gets nothing, and the error says so") {
    const auto kind = GENERATE(web_server::kind::nginx, web_server::kind::apache);
    const temp_dir dir;
    certificate_authority ca;
    std::vector<std::string> names = {"localhost", "127.0.0.1"};
    std::chrono::seconds valid_for = std::chrono::hours(1);
    std::string trusted = ca.ca_file();
    const certificate_authority stranger;
    SECTION("an authority we do not trust") {
        trusted = stranger.ca_file();
    }
    SECTION("no authority of ours at all") {
        trusted.clear();
    }
    SECTION("another host's name") {
        names = {"elsewhere.example"};
    }
    SECTION("an expired certificate") {
        valid_for = -std::chrono::hours(1);
    }
    const web_server server(kind, ca.issue(names, valid_for));
    options how = quick_options(dir);
    how.http.ca_file = trusted;
    delivery uploads(how);
    const job_id id = uploads.enqueue(job(server.url("/dav/")).bytes("x", "secret"));
    // It may pass: a clock that is wrong, the login page of a network.
    const job_snapshot waits =
        uploads.wait_until(id, [](const job_snapshot& j) { return j.status == status::waiting || j.terminal(); });
    INFO(describe(waits));
    CHECK(waits.reason == wait_reason::network);
    CHECK(waits.error.code == errc::tls_untrusted);
    CHECK(waits.sent == 0);
    CHECK_FALSE(std::filesystem::exists(server.file("dav/x")));
}

}  // namespace waybill::test
