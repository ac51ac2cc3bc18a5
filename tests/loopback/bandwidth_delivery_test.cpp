// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/put.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"

#include <asio/use_future.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

// The limits of an uploader, as its jobs see them.
namespace waybill::test {
namespace {

job upload_of(const http_server& server, const temp_dir& dir, const std::string& name, std::size_t size) {
    job what(server.url("/" + name));
    what.lane(name).file(dir.write(name, random_bytes(size)));
    return what;
}

}  // namespace

TEST_CASE("an uploader obeys the limits of a lane, a host and a job until they are lifted") {
    const temp_dir dir;
    http_server server;
    options how = quick_options(dir);
    how.bandwidth.lanes["slow"] = "stop";
    auto running = std::make_unique<delivery>(std::move(how));
    delivery& uploads = *running;
    const job_id slow = uploads.enqueue(upload_of(server, dir, "slow", 300'000));
    const job_id fast = uploads.enqueue(upload_of(server, dir, "fast", 300'000));
    CHECK(uploads.settled(fast).status == status::completed);
    CHECK(server.requests().size() == 1);
    uploads.up().async_limit(limit_scope::host("127.0.0.1"), "stop", asio::use_future).get();
    uploads.up().async_limit(limit_scope::job(slow.str()), "stop", asio::use_future).get();
    uploads.up().async_limit(limit_scope::lane("slow"), "off", asio::use_future).get();
    uploads.up().async_limit(limit_scope::job(slow.str()), "10M", asio::use_future).get();
    CHECK(server.requests().size() == 1);
    uploads.up().async_limit(limit_scope::host("127.0.0.1"), "00:00,10M 12:00,20M", asio::use_future).get();
    const job_snapshot done = uploads.settled(slow);
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(done.attempt <= 1);  // waiting costs none
    const auto begun = std::chrono::steady_clock::now();
    running.reset();
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(30));  // no timer of a timetable delays it
}

TEST_CASE("a text that is not a limit is rejected, and the old limit stays") {
    const temp_dir dir;
    delivery uploads(quick_options(dir));
    try {
        uploads.up().async_limit(limit_scope::total(), "08:00,1M 25:00,2M", asio::use_future).get();
        FAIL("it was accepted");
    } catch (const error& e) {
        CHECK(e.code() == errc::invalid_option);
        CHECK(e.details().detail == "'25:00' at character 10 is not a time: write HH:MM, from 00:00 to 23:59");
    }
    options how = quick_options(dir);
    how.bandwidth.total = "fast";
    CHECK_THROWS_WITH(delivery(std::move(how)), Catch::Contains("bandwidth.total 'fast' at character 1 is not a rate"));
}

}  // namespace waybill::test
