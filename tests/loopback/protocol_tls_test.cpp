// SPDX-License-Identifier: BSL-1.0
#include "loopback/fault_endpoints.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Whole jobs, by every protocol, to servers that cannot prove who they are.
namespace waybill::test {
namespace {

std::vector<std::unique_ptr<endpoint>> one_of_each(const http_server_options& how) {
    std::vector<std::unique_ptr<endpoint>> all;
    all.push_back(std::make_unique<plain_endpoint>(how, plain_endpoint::kind::put));
    all.push_back(std::make_unique<plain_endpoint>(how, plain_endpoint::kind::form));
    all.push_back(std::make_unique<tus_endpoint>(how, 0));
    all.push_back(std::make_unique<resumable_endpoint>(how, false));
#if defined(WAYBILL_HAS_S3)
    all.push_back(std::make_unique<s3_endpoint>(how));
#endif
    return all;
}

}  // namespace

TEST_CASE("a server that cannot prove who it is gets nothing of a job, by no protocol") {
    const temp_dir dir;
    certificate_authority authority;
    certificate_authority stranger;
    const std::string flaw = GENERATE("expired", "another host's", "of a stranger");
    CAPTURE(flaw);
    http_server_options tls;
    tls.tls = flaw == "expired"          ? authority.issue({"127.0.0.1"}, std::chrono::hours(-24))
              : flaw == "another host's" ? authority.issue({"example.org"})
                                         : stranger.issue();
    options how = quick_options(dir);
    how.http.ca_file = authority.ca_file();
#if defined(WAYBILL_HAS_S3)
    how.protocols.add(s3_with([](const std::string&, const std::string&) {
        return std::optional(s3_credentials{s3_server::access_key, s3_server::secret_key, {}});
    }));
#endif
    delivery uploads(how);
    const std::string file = dir.write("file", content());
    for (const std::unique_ptr<endpoint>& server : one_of_each(tls)) {
        const job what = server->make(file);
        const job_id id = uploads.enqueue(what);
        const job_snapshot waits =
            uploads.wait_until(id, [](const job_snapshot& j) { return j.status == status::waiting || j.terminal(); });
        INFO(what.protocol().name << ": " << describe(waits));
        CHECK(waits.reason == wait_reason::network);
        CHECK(waits.error.code == errc::tls_untrusted);
        uploads.up().async_cancel(id, asio::use_future).get();
        CHECK(server->http().requests().empty());
    }
}

}  // namespace waybill::test
