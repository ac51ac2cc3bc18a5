// SPDX-License-Identifier: BSL-1.0
#include "loopback/contract/contract.hpp"
#include "support/eventually.hpp"

// The contract of protocols: what they deliver, how they go on after a break, and what they leave behind.
namespace waybill::test {

TEST_CASE("what a protocol delivers arrives once, byte for byte, and leaves nothing else at the server") {
    const auto p = GENERATE(from_range(protocols_under_contract()));
    CAPTURE(p.name);
    contract_scene s(p);
    const std::vector<std::string> contents = {random_bytes(1000, 1), random_bytes(300'000, 2), "x"};
    delivery uploads(s.quick());
    const job_snapshot end = uploads.settled(uploads.enqueue(s.job_of(contents)));
    INFO(describe(end));
    INFO(describe(s.server().http().requests()));
    CHECK(end.status == status::completed);
    CHECK(end.attempt == 1);
    s.require_arrived(contents);
    CHECK(s.bytes_taken() >= 301'001);
    CHECK(s.bytes_taken() <= 301'001 + s.overhead());
    CHECK(s.server().unfinished() == 0);
    CHECK(s.server().violations() == std::vector<std::string>());
}

TEST_CASE("after a break in mid-body a protocol sends again what it says, and no more, also from the next process") {
    const auto p = GENERATE(from_range(protocols_under_contract()));
    const bool restarts = GENERATE(false, true);
    CAPTURE(p.name, restarts);
    contract_scene s(p);
    const std::uint64_t first = 1 << 20;
    const std::uint64_t sent = 6'000'000;  // of the second item, when the connection breaks
    const std::vector<std::string> contents = {random_bytes(first, 1), random_bytes(beyond_buffers, 2),
                                               random_bytes(100'000, 3)};
    s.server().cut(1, sent, first);
    const job one = s.job_of(contents);
    auto uploads = std::make_unique<delivery>(restarts ? s.patient() : s.quick());
    const job_id id = uploads->enqueue(one);
    if (restarts) {
        wait_until_broken(s, *uploads, id);
        uploads.reset();
        uploads = next_process(s.quick(), id);
    }
    const job_snapshot end = uploads->settled(id);
    INFO(describe(end));
    INFO(describe(s.server().http().requests()));
    CHECK(end.status == status::completed);
    CHECK(has_met(s.server().http().requests(), "cut"));
    s.require_arrived(contents);
    CHECK(s.server().unfinished() == 0);
    CHECK(s.server().violations() == std::vector<std::string>());

    const std::uint64_t again = s.bytes_taken() - end.size();
    switch (s.can().resumes) {
        case resumption::in_item: CHECK(again <= s.can().sends_again + s.overhead()); break;
        case resumption::at_item:
            CHECK(again >= sent);
            CHECK(again <= sent + s.overhead());
            break;
        case resumption::at_start:
            CHECK(again >= first + sent);
            CHECK(again <= first + sent + s.overhead());
            break;
    }
}

TEST_CASE("a canceled job does not arrive, and what it has left at the server is removed, also by the next process") {
    const auto p = GENERATE(from_range(protocols_under_contract()));
    const bool restarts = GENERATE(false, true);
    CAPTURE(p.name, restarts);
    contract_scene s(p);
    contract_server& server = s.server();
    const valve go;
    const auto carries = [&](const received_request& r) { return server.carries(r); };
    script held("held");
    held.only_if(carries).read_head().hold(go).then([&](exchange& x) { server.serve(x); });
    server.http().next(held);
    server.http().next(script("busy").only_for("DELETE").read_all().answer({503}));
    auto uploads = std::make_unique<delivery>(s.quick());
    const job_id id = uploads->enqueue(s.job_of({random_bytes(beyond_buffers)}));
    server.http().log().wait_until("its bytes", [](const http_log::requests& all) { return has_met(all, "held"); });
    CHECK((server.unfinished() != 0) == s.can().leaves_upload);
    uploads->up().async_cancel(id, asio::use_future).get();
    CHECK(uploads->settled(id).status == status::canceled);
    go.open();
    if (s.can().leaves_upload) {
        wait_until_over(server.http().log(), "busy");
    }
    if (restarts) {
        uploads.reset();
        uploads = std::make_unique<delivery>(s.quick());
    }
    eventually("the clean-up", [&] { return server.unfinished() == 0; });
    // Another job is delivered as ever.
    const std::vector<std::string> contents = {random_bytes(1000)};
    CHECK(uploads->settled(uploads->enqueue(s.job_of(contents))).status == status::completed);
    s.require_arrived(contents);
    uploads.reset();
    const http_log::requests all = server.http().requests();
    INFO(describe(all));
    const bool removed = std::any_of(all.begin(), all.end(), [](const auto& r) { return r.method == "DELETE"; });
    CHECK(removed == s.can().leaves_upload);
}

TEST_CASE("when a file changes after a break nothing more of it is sent, and the job fails and can be cleaned up") {
    const auto p = GENERATE(from_range(protocols_under_contract()));
    CAPTURE(p.name);
    contract_scene s(p);
    s.server().cut(0, 6'000'000, 0);
    auto uploads = std::make_unique<delivery>(s.patient());
    const job_id id = uploads->enqueue(s.job_of({random_bytes(beyond_buffers)}));
    wait_until_broken(s, *uploads, id);
    uploads.reset();
    const std::uint64_t taken = s.bytes_taken();
    s.change_file(0);
    uploads = next_process(s.quick(), id);
    const job_snapshot end = uploads->settled(id);
    INFO(describe(end));
    INFO(describe(s.server().http().requests()));
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::file_changed);
    CHECK(s.bytes_taken() == taken);
    s.require_arrived({});
    // A retry could still go on with it; when the job is removed nobody can.
    CHECK((s.server().unfinished() != 0) == s.can().leaves_upload);
    uploads->up().async_remove(id, asio::use_future).get();
    eventually("the clean-up", [&] { return s.server().unfinished() == 0; });
}

}  // namespace waybill::test
