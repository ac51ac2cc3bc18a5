// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/digest.hpp>
#include <waybill/protocol/resumable.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/resumable_server.hpp"
#include "support/temp_dir.hpp"

#include <asio/use_future.hpp>

#include <chrono>
#include <string>

// What becomes of a resumable upload whose process is another one later.
namespace waybill::test {
namespace {

/// Breaks once in mid-body, and at once again when it is tried again.
resumable_behaviour breaks_at(std::uint64_t bytes) {
    resumable_behaviour how;
    how.cuts = {bytes, 0};
    return how;
}

}  // namespace

TEST_CASE("the digest of what was sent resumably survives a restart, and is in the receipt") {
    const std::string algorithm = GENERATE("sha-256", "crc32c");
    CAPTURE(algorithm);
    const temp_dir dir;
    resumable_server server(breaks_at(1'000'000), reads_little());
    const std::string content = random_bytes(beyond_buffers);
    job what(server.url("/posts"));
    what.via(resumable{}.digest(algorithm)).file(dir.write("a", content));
    job_id id;
    {
        delivery uploads(patient_options(dir));
        id = uploads.enqueue(what);
        const job_snapshot left = uploads.waiting(id);
        REQUIRE(left.status == status::waiting);
        CHECK_FALSE(left.item(0).resource.empty());
        uploads.up().async_retry(id, asio::use_future).get();
        uploads.stop();
    }
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end));
    CHECK(end.status == status::completed);
    REQUIRE(server.arrived().size() == 1);
    CHECK((server.arrived()[0].body == content));
    const std::string sum = algorithm + "=:" + detail::to_base64(detail::digest_of(algorithm, content)) + ":";
    CHECK_THAT(end.item(0).receipt, Catch::EndsWith(sum));
}

namespace {

/// What a network's login page, or a gateway, says of anything.
reply web_page() {
    return {200, {{"Content-Type", "text/html; charset=utf-8"}}, "<html>Log in</html>"};
}

}  // namespace

TEST_CASE("a page that answers in the server's place is no success, settles no doubt and gives no upload up") {
    const temp_dir dir;
    const std::string asked = GENERATE("POST", "PATCH", "HEAD");  // HEAD: after the answer to the last bytes was lost
    CAPTURE(asked);
    resumable_behaviour how;
    how.lost_answers = asked == "HEAD" ? 1 : 0;
    resumable_server server(how);
    server.http().next(script("login page").only_for(asked).read_all().answer(web_page()));
    options impatient = quick_options(dir);
    impatient.retry.attempts = 1;  // it costs none
    impatient.retry.host_pause = impatient.retry.host_pause_cap = std::chrono::milliseconds(20);
    if (asked == "HEAD") {
        impatient.retry.attempts = 2;  // for the lost answer
    }
    delivery uploads(impatient);
    job what(server.url("/x"));
    what.via(resumable{}).bytes("x", random_bytes(200'000));
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    INFO(describe(end));
    INFO(describe(server.http().requests()));
    CHECK(end.status == status::completed);
    CHECK(server.http().scripts_left() == 0);
    CHECK(server.arrived().size() == 1);
}

TEST_CASE("a refusal that names its problem is acted upon: asked about, or given up") {
    const std::string problem = GENERATE("mismatching-upload-offset", "completed-upload", "inconsistent-upload-length");
    CAPTURE(problem);
    const temp_dir dir;
    resumable_server server;
    const std::string type = "https://iana.org/assignments/http-problem-types#" + problem;
    server.http().next(script("refused").only_for("PATCH").read_all().answer(
        {400, {{"Content-Type", "application/problem+json"}}, R"({"type":")" + type + "\"}"}));
    const std::string content = random_bytes(300'000);
    delivery uploads(quick_options(dir));
    job what(server.url("/posts"));
    what.via(resumable{}).file(dir.write("a", content));
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    INFO(describe(end));
    if (problem == "inconsistent-upload-length") {
        CHECK(end.status == status::failed);
        CHECK(end.error.code == make_http_error(400));
        server.http().log().wait_until("the clean-up", [](const http_log::requests& all) {
            return all.back().method == "DELETE" && all.back().over;
        });
        CHECK(server.open_uploads() == 0);
    } else {
        CHECK(end.status == status::completed);  // the server was asked, and had nothing yet
        REQUIRE(server.arrived().size() == 1);
        CHECK((server.arrived()[0].body == content));
    }
}

}  // namespace waybill::test
