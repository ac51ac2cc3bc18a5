// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/resumable.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/resumable_server.hpp"
#include "support/temp_dir.hpp"

#include <asio/use_future.hpp>

#include <string>

// What becomes of a resumable upload whose server takes the last bytes, answers them with an error, and calls the
// upload complete when it is asked.
namespace waybill::test {
namespace {

/// Takes everything, and answers the last bytes with `status`, which is not the target's answer.
resumable_behaviour spoils(int status, bool replays) {
    resumable_behaviour how;
    how.spoilt_answers = {status};
    how.replays = replays;
    return how;
}

job one_file(const temp_dir& dir, const resumable_server& server, const resumable& how = resumable{}) {
    job what(server.url("/posts"));
    what.via(how).file(dir.write("a", "content"));
    return what;
}

job_snapshot settle(delivery& uploads, const job& what) {
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    UNSCOPED_INFO(describe(end));
    return end;
}

}  // namespace

TEST_CASE("the target's answer, told again, decides about an error before it") {
    const temp_dir dir;
    resumable_server server(spoils(GENERATE(500, 503, 409, 504), true));
    delivery uploads(quick_options(dir));
    CHECK(settle(uploads, one_file(dir, server)).status == status::completed);
    CHECK(server.arrived().size() == 1);
}

TEST_CASE("a resumable upload that its server fails to finish and calls complete has an unknown outcome") {
    const temp_dir dir;
    const int interop = GENERATE(8, 6);
    const int number = GENERATE(500, 503, 409);
    CAPTURE(interop, number);
    // In version 6 nobody says whose answer is told again.
    resumable_behaviour how = spoils(number, interop == 6);
    how.interop = interop;
    resumable_server server(how);
    delivery uploads(quick_options(dir));
    const job_snapshot end = settle(uploads, one_file(dir, server, resumable{}.interop(interop)));
    CHECK(end.status == status::unknown_outcome);
    CHECK(end.error.code == errc::outcome_unknown);
    CHECK(end.error.details.http_status == number);
    CHECK(server.arrived().size() == 1);

    uploads.up().async_resolve(end.id(), resolution::retry, asio::use_future).get();
    CHECK(uploads.settled(end.id()).status == status::completed);
    CHECK(server.arrived().size() == 2);
}

TEST_CASE("a resumable upload whose last bytes were refused is no success because it is complete") {
    const temp_dir dir;
    const bool optimistic = GENERATE(false, true);
    const int number = GENERATE(400, 403, 422);
    CAPTURE(optimistic, number);
    resumable_server server(spoils(number, false));
    delivery uploads(quick_options(dir));
    resumable how;
    if (optimistic) {
        how.optimistic();
    }
    const job_snapshot end = settle(uploads, one_file(dir, server, how));
    CHECK(end.status == status::failed);
    CHECK(end.error.code == make_http_error(number));

    uploads.up().async_retry(end.id(), asio::use_future).get();
    CHECK(uploads.settled(end.id()).status == status::completed);
    CHECK(server.arrived().size() == 2);
}

TEST_CASE("a target that fails, and says so again, leaves the outcome unknown") {
    const temp_dir dir;
    // Without either nobody has heard of the failure.
    const std::string heard = GENERATE("at once", "again", "at once and again");
    CAPTURE(heard);
    resumable_behaviour how;
    how.target_status = 500;
    how.replays = heard != "at once";
    how.lost_answers = heard == "again" ? 1 : 0;
    resumable_server server(how);
    delivery uploads(quick_options(dir));
    CHECK(settle(uploads, one_file(dir, server)).status == status::unknown_outcome);
    CHECK(server.arrived().size() == 1);
}

TEST_CASE("a gateway's error about the last bytes is a lost answer: the server's word counts") {
    const temp_dir dir;
    resumable_server server(spoils(GENERATE(502, 504), false));
    delivery uploads(quick_options(dir));
    CHECK(settle(uploads, one_file(dir, server)).status == status::completed);
    CHECK(server.arrived().size() == 1);
}

TEST_CASE("what a target refused is sent again when the app asks for it, also after a lost answer") {
    const temp_dir dir;
    resumable_behaviour how;
    how.target_status = 422;
    how.lost_answers = 1;
    resumable_server server(how);
    delivery uploads(quick_options(dir));
    const job_snapshot end = settle(uploads, one_file(dir, server));
    CHECK(end.error.code == make_http_error(422));
    server.behave([](resumable_behaviour& b) { b.target_status = 201; });
    uploads.up().async_retry(end.id(), asio::use_future).get();
    CHECK(uploads.settled(end.id()).status == status::completed);
    CHECK(server.arrived().size() == 2);
}

}  // namespace waybill::test
