// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/tus.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/temp_dir.hpp"
#include "support/tus_server.hpp"

#include <asio/use_future.hpp>

#include <atomic>
#include <string>

// What becomes of a tus upload whose server takes the last bytes, answers them with an error, and calls the
// upload complete when it is asked.
namespace waybill::test {
namespace {

job one_file(const temp_dir& dir, const tus_server& server, const tus& how = tus{}) {
    job what(server.url());
    what.via(how).file(dir.write("a", "content"));
    return what;
}

bool appends(const received_request& r) {
    return r.method == "PATCH";
}

/// Takes the bytes of this many appends, and answers them with an error all the same.
void regret(tus_server& server, std::atomic<int>& left, int number) {
    server.afterthought = [&left, number](const received_request& r) -> std::optional<reply> {
        return appends(r) && left-- > 0 ? std::optional(reply(number, {{"Tus-Resumable", "1.0.0"}}, "a hook's words"))
                                        : std::nullopt;
    };
}

job_snapshot settle(delivery& uploads, const job& what) {
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    UNSCOPED_INFO(describe(end));
    return end;
}

}  // namespace

TEST_CASE("an upload whose last bytes were refused is no success because it is complete", "[tus]") {
    const temp_dir dir;
    tus_server server;
    const int number = GENERATE(400, 403, 413, 422, 460, 501);
    CAPTURE(number);
    std::atomic<int> left = 1;
    regret(server, left, number);
    delivery uploads(quick_options(dir));
    const job_snapshot end = settle(uploads, one_file(dir, server));
    CHECK(end.status == status::failed);
    CHECK(end.error.code == make_http_error(number));
    CHECK(end.error.details.excerpt == "a hook's words");
    CHECK(server.uploads().at("/files/1").data == "content");
    CHECK(server.all("POST").size() == 1);

    // Asked for again it is sent again: what was refused once is not made a success by asking.
    uploads.up().async_retry(end.id(), asio::use_future).get();
    CHECK(uploads.settled(end.id()).status == status::completed);
    CHECK(server.all("POST").size() == 2);
    CHECK(server.uploads().at("/files/2").data == "content");
}

TEST_CASE("an upload that its server fails to finish and calls complete has an unknown outcome", "[tus]") {
    const temp_dir dir;
    tus_server server;
    const int number = GENERATE(500, 507, 503, 429, 408, 409);
    CAPTURE(number);
    std::atomic<int> left = 1;
    regret(server, left, number);
    delivery uploads(quick_options(dir));
    const job_snapshot end = settle(uploads, one_file(dir, server));
    CHECK(end.status == status::unknown_outcome);
    CHECK(end.error.code == errc::outcome_unknown);
    CHECK_THAT(end.error.message(), Catch::Contains(std::to_string(number)));
    CHECK(server.all("POST").size() == 1);

    uploads.up().async_resolve(end.id(), resolution::retry, asio::use_future).get();
    CHECK(uploads.settled(end.id()).status == status::completed);
    CHECK(server.all("POST").size() == 2);
}

TEST_CASE("an upload in such doubt stays so in the next process, however long its server cannot be asked", "[tus]") {
    const temp_dir dir;
    tus_server server;
    std::atomic<int> left = 1;
    std::atomic<bool> silent = true;
    regret(server, left, 500);
    server.fault = [&](const received_request& r) {
        return r.method == "HEAD" && silent ? std::optional(reply(503)) : std::nullopt;
    };
    job_id id;
    {
        options persistent = quick_options(dir);
        persistent.retry.attempts = 1'000'000;
        delivery uploads(persistent);
        id = uploads.enqueue(one_file(dir, server));
        server.http.log().wait_until("some questions", [](const http_log::requests& all) {
            return std::count_if(all.begin(), all.end(), [](const auto& r) { return r.method == "HEAD" && r.over; }) >
                   2;
        });
        uploads.stop();
    }
    silent = false;
    delivery uploads(quick_options(dir));
    CHECK(uploads.settled(id).status == status::unknown_outcome);
    CHECK(server.all("POST").size() == 1);
}

TEST_CASE("where the app accepts a duplicate an upload in such doubt is sent again", "[tus]") {
    const temp_dir dir;
    tus_server server;
    std::atomic<int> left = 1;
    regret(server, left, GENERATE(500, 503));
    delivery uploads(quick_options(dir));
    job what = one_file(dir, server);
    what.if_unknown(on_unknown::retry);
    CHECK(settle(uploads, what).status == status::completed);
    CHECK(server.all("POST").size() == 2);
}

TEST_CASE("the app's verifier is asked about an upload in such doubt until it knows, and nothing is sent before",
          "[tus]") {
    const temp_dir dir;
    tus_server server;
    const int number = GENERATE(500, 503, 409);
    const verification decision = GENERATE(verification::delivered, verification::not_delivered);
    CAPTURE(number, static_cast<int>(decision));
    std::atomic<int> left = 1;
    std::atomic<int> asked = 0;
    std::atomic<std::size_t> created = 0;
    regret(server, left, number);
    options how = quick_options(dir);
    how.verifiers["backend"] = [&](const job_snapshot&) -> asio::awaitable<verification> {
        created = server.all("POST").size();
        co_return ++asked < 3 ? verification::unknown : decision;
    };
    delivery uploads(how);
    job what = one_file(dir, server);
    what.verify_with("backend");
    CHECK(settle(uploads, what).status == status::completed);
    CHECK(asked == 3);
    CHECK(created == 1);
    CHECK(server.all("POST").size() == (decision == verification::delivered ? 1 : 2));
}

TEST_CASE("a gateway that has not heard its server is a lost answer: the server's word counts", "[tus]") {
    const temp_dir dir;
    tus_server server;
    std::atomic<int> left = 1;
    regret(server, left, GENERATE(502, 504, 524));
    delivery uploads(quick_options(dir));
    CHECK(settle(uploads, one_file(dir, server)).status == status::completed);
    CHECK(server.all("POST").size() == 1);
    CHECK(server.all("PATCH").size() == 1);
}

TEST_CASE("an upload that an older request finished is complete, whatever a later one was answered", "[tus]") {
    const temp_dir dir;
    tus_server server;
    std::atomic<int> lost = 1;
    std::atomic<int> behind = 1;
    server.loses = [&](const received_request& r) { return appends(r) && lost-- > 0; };
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        // Asked while the first request is still on its way through a proxy.
        if (r.method == "HEAD" && behind-- > 0) {
            return reply(200, {{"Tus-Resumable", "1.0.0"}, {"Upload-Offset", "0"}, {"Upload-Length", "7"}});
        }
        return std::nullopt;
    };
    delivery uploads(quick_options(dir));
    CHECK(settle(uploads, one_file(dir, server)).status == status::completed);
    CHECK(server.all("PATCH").size() == 2);  // the second was refused with 409
    CHECK(server.all("POST").size() == 1);
}

}  // namespace waybill::test
