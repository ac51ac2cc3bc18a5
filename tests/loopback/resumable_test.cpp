// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/digest.hpp>
#include <waybill/protocol/automatic.hpp>
#include <waybill/protocol/resumable.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/resumable_server.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <asio/use_future.hpp>

#include <algorithm>
#include <chrono>
#include <string>

// Whole jobs by resumable uploads, on a strict server with faults.
namespace waybill::test {
namespace {

constexpr std::size_t mebibyte = 1 << 20;

job_snapshot deliver(const temp_dir& dir, const job& what) {
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    UNSCOPED_INFO(describe(end));
    return end;
}

/// How many requests of a method the server got.
std::size_t count(resumable_server& server, std::string_view method) {
    const auto all = server.http().requests();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const received_request& r) { return r.method == method; }));
}

job one_file(const temp_dir& dir, resumable_server& server, const std::string& content, const resumable& how) {
    job what(server.url("/posts"));
    what.via(how).file(dir.write("größe \"1\".bin", content));
    return what;
}

}  // namespace

TEST_CASE("a file arrives by a resumable upload of either interop version, created first or at once") {
    const temp_dir dir;
    const int interop = GENERATE(6, 8);
    const bool optimistic = GENERATE(false, true);
    const std::size_t size = GENERATE(std::size_t(0), std::size_t(1), 3 * mebibyte + 7);
    CAPTURE(interop, optimistic, size);
    resumable_behaviour good;
    good.interop = interop;
    resumable_server server(good);
    const std::string content = random_bytes(size);
    resumable how;
    how.interop(interop);
    if (optimistic) {
        how.optimistic();
    }
    const job_snapshot end = deliver(dir, one_file(dir, server, content, how));
    CHECK(end.status == status::completed);
    CHECK(end.confirmed == size);
    REQUIRE(server.arrived().size() == 1);
    CHECK(server.arrived()[0].body == content);
    CHECK(server.arrived()[0].method == "POST");
    CHECK(single_header(server.arrived()[0].headers, "Content-Disposition") ==
          "inline; filename=\"gr____e _1_.bin\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%221%22.bin");
    CHECK(count(server, "HEAD") == 0);
    CHECK(count(server, "PATCH") == (optimistic ? 0 : 1));
    CHECK(server.violations().empty());
}

TEST_CASE("a broken resumable upload continues at the byte the server has") {
    const temp_dir dir;
    const bool optimistic = GENERATE(false, true);
    CAPTURE(optimistic);
    resumable_behaviour breaks;
    breaks.cuts = {mebibyte, 2 * mebibyte, 10, 10, mebibyte + 1};
    resumable_server server(breaks);
    const std::string content = random_bytes(8 * mebibyte);
    resumable how;
    if (optimistic) {
        how.optimistic();
    }
    const job_snapshot end = deliver(dir, one_file(dir, server, content, how));
    CHECK(end.status == status::completed);
    REQUIRE(server.arrived().size() == 1);
    CHECK(server.arrived()[0].body == content);
    // Not one byte twice. But a 104 that the reset has overtaken was never heard: then it is begun anew.
    if (!optimistic || count(server, "POST") == 1) {
        CHECK(server.bytes_taken() == content.size());
    }
    CHECK(server.violations().empty());
}

TEST_CASE("a whole form is one resumable upload and goes on in the middle of its body") {
    const temp_dir dir;
    resumable_behaviour breaks;
    breaks.cuts = {3 * mebibyte / 2, mebibyte, mebibyte};
    breaks.progress_every = 100'000;
    resumable_server server(breaks);
    job what(server.url("/posts"));
    what.via(resumable().as_form()).field("caption", "Istanbul");
    for (int i = 0; i < 5; ++i) {
        const std::string name = "f" + std::to_string(i);
        what.file(dir.write(name, random_bytes(mebibyte, static_cast<std::uint64_t>(i) + 1)));
    }
    const job_snapshot end = deliver(dir, what);
    CHECK(end.status == status::completed);
    REQUIRE(server.arrived().size() == 1);
    const auto whole = server.arrived()[0];
    CHECK(single_header(whole.headers, "Content-Type")->starts_with("multipart/form-data; boundary=waybill-"));
    CHECK(whole.body.find("Istanbul") != std::string::npos);
    for (std::uint64_t i = 0; i < 5; ++i) {
        CHECK(whole.body.find(random_bytes(mebibyte, i + 1)) != std::string::npos);
    }
    CHECK(server.bytes_taken() == whole.body.size());
    CHECK(server.violations().empty());
}

TEST_CASE("a form's files go into the field that the job names, also where the form is one resumable upload") {
    const temp_dir dir;
    const bool asked = GENERATE(false, true);
    resumable_behaviour breaks;
    breaks.cuts = {mebibyte};
    resumable_server server(breaks);
    job what(server.url("/posts"));
    if (asked) {
        what.via(automatic{}.file_field("photos[]"));
    } else {
        what.via(resumable().as_form().file_field("photos[]"));
    }
    what.file(dir.write("a", random_bytes(mebibyte, 1))).file(dir.write("b", random_bytes(mebibyte, 2)));
    const job_snapshot end = deliver(dir, what);
    INFO(describe(end));
    CHECK(end.status == status::completed);
    REQUIRE(server.arrived().size() == 1);
    const std::string body = server.arrived()[0].body;
    CHECK(body.find("name=\"photos[]\"; filename=\"a\"") != std::string::npos);
    CHECK(body.find("name=\"photos[]\"; filename=\"b\"") != std::string::npos);
    CHECK(server.violations().empty());
}

TEST_CASE("a field for the files of a job that is no form is refused") {
    const temp_dir dir;
    delivery uploads(quick_options(dir));
    job what("http://127.0.0.1:1/");
    what.via(resumable().file_field("photos[]")).bytes("a", "b");
    CHECK(error_of([&] { static_cast<void>(uploads.enqueue(what)); }) == errc::invalid_setting);
}

TEST_CASE("an upload goes on after the uploader was stopped and started again, and after a retry") {
    const temp_dir dir;
    const bool form = GENERATE(false, true);
    CAPTURE(form);
    resumable_behaviour slow;
    slow.rate = 2e6;
    slow.progress_every = 64 << 10;
    resumable_server server(slow);
    const std::string content = random_bytes(6 * mebibyte);
    job_id id;
    {
        delivery uploads(quick_options(dir));
        resumable how;
        if (form) {
            how.as_form();
        }
        id = uploads.enqueue(one_file(dir, server, content, how));
        uploads.wait_until(id, [](const job_snapshot& j) { return j.confirmed > mebibyte; });
        uploads.stop();
    }
    server.behave([](resumable_behaviour& b) {
        b.rate = 0;
        b.offset_lie = 0;
    });
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end));
    CHECK(end.status == status::completed);
    REQUIRE(server.arrived().size() == 1);
    CHECK(server.arrived()[0].body.find(content) != std::string::npos);
    // But for a piece that was on its way when the connection broke, and is read after the next one has taken over.
    const std::uint64_t again = server.bytes_taken() - server.arrived()[0].body.size();
    CHECK(again <= slow.progress_every);
    CHECK(count(server, "POST") == 1);
    CHECK(server.violations().empty());
}

TEST_CASE("the lost answer of the last byte is decided by asking the server") {
    const temp_dir dir;
    const bool optimistic = GENERATE(false, true);
    CAPTURE(optimistic);
    resumable_behaviour loses;
    loses.lost_answers = 1;
    resumable_server server(loses);
    resumable how;
    if (optimistic) {
        how.optimistic();
    }
    const job_snapshot end = deliver(dir, one_file(dir, server, random_bytes(mebibyte), how));
    CHECK(end.status == status::completed);
    CHECK(server.arrived().size() == 1);
    CHECK(server.violations().empty());
}

TEST_CASE("a lost answer about an upload that is gone is not guessed about") {
    const temp_dir dir;
    resumable_behaviour forgets;
    forgets.lost_answers = 1;
    forgets.forgets_completed = true;
    resumable_server server(forgets);
    const job_snapshot end = deliver(dir, one_file(dir, server, random_bytes(mebibyte), {}));
    CHECK(end.status == status::unknown_outcome);
    CHECK(server.arrived().size() == 1);
}

TEST_CASE("a refusal by the target is not resumed, also when it has to be asked for again") {
    const temp_dir dir;
    resumable_behaviour refuses;
    refuses.target_status = 422;
    refuses.lost_answers = GENERATE(0, 1);
    CAPTURE(refuses.lost_answers);
    resumable_server server(refuses);
    const job_snapshot end = deliver(dir, one_file(dir, server, random_bytes(mebibyte), {}));
    CHECK(end.status == status::failed);
    CHECK(end.error.code == make_http_error(422));
    CHECK(server.arrived().size() == 1);
}

TEST_CASE("a lost answer to the creation costs an empty upload at most, and none after a 104") {
    const temp_dir dir;
    resumable_behaviour loses;
    loses.lost_creations = 1;
    loses.interim = GENERATE(false, true);
    CAPTURE(loses.interim);
    resumable_server server(loses);
    const std::string content = random_bytes(mebibyte);
    const job_snapshot end = deliver(dir, one_file(dir, server, content, {}));
    CHECK(end.status == status::completed);
    REQUIRE(server.arrived().size() == 1);
    CHECK(server.arrived()[0].body == content);
    CHECK(count(server, "POST") == (loses.interim ? 1 : 2));
    CHECK(server.open_uploads() == (loses.interim ? 0 : 1));
    CHECK(server.violations().empty());
}

TEST_CASE("an upload that expired is begun anew") {
    const temp_dir dir;
    resumable_behaviour breaks;
    breaks.cuts = {2 * mebibyte};
    resumable_server server(breaks, reads_little());  // so that the last byte surely has not left
    server.http().next(script("expired").only_for("HEAD").then([&](exchange&) { server.expire(); }).answer({410}));
    const std::string content = random_bytes(beyond_buffers + 2 * mebibyte);
    const job_snapshot end = deliver(dir, one_file(dir, server, content, {}));
    CHECK(end.status == status::completed);
    REQUIRE(server.arrived().size() == 1);
    CHECK(server.arrived()[0].body == content);
    CHECK(count(server, "POST") == 2);
}

TEST_CASE("an upload whose end the server has lost is begun anew, and what is left of it is removed") {
    const temp_dir dir;
    resumable_server server({}, reads_little());
    server.behave([](resumable_behaviour& b) {
        b.cuts = {3 * mebibyte};
        b.progress_every = mebibyte;
        b.rate = 8e6;  // what it tells must be heard before it breaks
    });
    server.http().next(
        script("lowered").only_for("HEAD").answer({204, {{"Upload-Offset", "1000"}, {"Upload-Complete", "?0"}}}));
    delivery uploads(quick_options(dir));
    const std::string content = random_bytes(beyond_buffers + 2 * mebibyte);
    const job_snapshot end = uploads.settled(uploads.enqueue(one_file(dir, server, content, {})));
    INFO(describe(end));
    CHECK(end.status == status::completed);
    REQUIRE(server.arrived().size() == 1);
    CHECK((server.arrived().front().body == content));
    server.http().log().wait_until("the clean-up", [](const http_log::requests& all) {
        return std::any_of(all.begin(), all.end(), [](const auto& r) { return r.method == "DELETE" && r.over; });
    });
}

TEST_CASE("an offset that cannot be true fails the job and the upload is canceled") {
    const temp_dir dir;
    resumable_server server({}, reads_little());
    std::size_t size = 4 * mebibyte;
    SECTION("beyond what was sent") {
        server.behave([](resumable_behaviour& b) {
            b.progress_every = 100'000;
            b.interim_lie = 6 * mebibyte;
        });
    }
    SECTION("in an answer") {
        server.http().next(
            script("too much").only_for("PATCH").read_all().answer({204, {{"Upload-Offset", "99999999"}}}));
    }
    SECTION("beyond what was sent before the connection broke") {
        size = beyond_buffers + 2 * mebibyte;
        server.behave([](resumable_behaviour& b) { b.cuts = {mebibyte}; });
        server.http().next(script("a hole").only_for("HEAD").answer(
            {204, {{"Upload-Offset", std::to_string(size - 1000)}, {"Upload-Complete", "?0"}}}));
    }
    SECTION("beyond the end") {
        server.behave([](resumable_behaviour& b) { b.cuts = {mebibyte}; });
        server.http().next(script("too far").only_for("HEAD").answer(
            {204, {{"Upload-Offset", "99999999"}, {"Upload-Complete", "?0"}}}));
    }
    SECTION("complete in the middle") {
        server.behave([](resumable_behaviour& b) { b.cuts = {mebibyte}; });
        server.http().next(script("complete")
                               .only_for("HEAD")
                               .answer({204, {{"Upload-Offset", "1048576"}, {"Upload-Complete", "?1"}}}));
    }
    SECTION("of another upload") {
        server.behave([](resumable_behaviour& b) { b.cuts = {mebibyte}; });
        server.http().next(script("other").only_for("HEAD").answer(
            {204, {{"Upload-Offset", "1048576"}, {"Upload-Length", "7"}, {"Upload-Complete", "?0"}}}));
    }
    delivery uploads(quick_options(dir));
    const job_id id = uploads.enqueue(one_file(dir, server, random_bytes(size), {}));
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end));
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::wrong_offset);
    CHECK(server.arrived().empty());
    server.http().log().wait_until("the clean-up", [](const http_log::requests& all) {
        return std::any_of(all.begin(), all.end(), [](const auto& r) { return r.method == "DELETE" && r.over; });
    });
    CHECK(server.open_uploads() == 0);
}

TEST_CASE("the server's limits are obeyed, and learned from refusals") {
    const temp_dir dir;
    resumable_server server;
    std::size_t least_requests = 0;
    SECTION("append sizes") {
        server.behave([](resumable_behaviour& b) { b.limits = "max-append-size=1000000, min-append-size=500000"; });
        least_requests = 5;
    }
    SECTION("a proxy's limit") {
        server.behave([](resumable_behaviour& b) { b.body_limit = 600'000; });
        least_requests = 8;
    }
    const std::string content = random_bytes(4 * mebibyte);
    const job_snapshot end = deliver(dir, one_file(dir, server, content, {}));
    CHECK(end.status == status::completed);
    REQUIRE(server.arrived().size() == 1);
    CHECK(server.arrived()[0].body == content);
    CHECK(count(server, "PATCH") >= least_requests);
    CHECK(server.violations().empty());
}

TEST_CASE("what is larger than the server takes is refused before its first byte") {
    const temp_dir dir;
    resumable_behaviour small;
    small.limits = "max-size=1000";
    resumable_server server(small);
    const job_snapshot end = deliver(dir, one_file(dir, server, random_bytes(mebibyte), {}));
    CHECK(end.status == status::failed);
    CHECK(end.error.code == make_http_error(413));
    CHECK(server.bytes_taken() == 0);
}

TEST_CASE("what is smaller than the server takes resumably is a named error, and leaves nothing there") {
    const temp_dir dir;
    resumable_behaviour large;
    large.limits = "min-size=1000";
    resumable_server server(large);
    const bool refused = GENERATE(false, true);
    CAPTURE(refused);
    if (refused) {
        server.http().next(
            script("too small").only_for("POST").read_all().answer({400, {{"Upload-Limit", "min-size=1000"}}}));
    }
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(uploads.enqueue(one_file(dir, server, random_bytes(999), {})));
    INFO(describe(end));
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::not_offered);
    CHECK_THAT(end.error.message(), Catch::Contains("less than 1000 bytes"));
    CHECK(server.bytes_taken() == 0);
    if (!refused) {
        server.http().log().wait_until("the clean-up", [](const http_log::requests& all) {
            return all.back().method == "DELETE" && all.back().over;
        });
    }
    CHECK(server.open_uploads() == 0);
    const job_id enough = uploads.enqueue(one_file(dir, server, random_bytes(1000), {}));
    CHECK(uploads.settled(enough).status == status::completed);
}

TEST_CASE("an upload placed at another origin gets not one byte") {
    const temp_dir dir;
    resumable_behaviour elsewhere;
    elsewhere.location_prefix = "http://192.0.2.1";
    elsewhere.interim = GENERATE(false, true);
    resumable_server server(elsewhere);
    const job_snapshot end = deliver(dir, one_file(dir, server, random_bytes(mebibyte), {}));
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::invalid_response);
    CHECK(server.bytes_taken() == 0);
}

TEST_CASE("a server that knows nothing of resumable uploads is a named error") {
    const temp_dir dir;
    http_server server;
    job what(server.url("/posts"));
    what.via(resumable()).bytes("a", "content");
    const job_snapshot end = deliver(dir, what);
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::not_offered);
    CHECK(server.requests().size() == 1);
}

TEST_CASE("the server's digest is compared, also after a break, and digests are sent ahead when asked") {
    const temp_dir dir;
    resumable_behaviour sums;
    sums.repr_digest = true;
    sums.cuts = {5 * mebibyte, 9 * mebibyte};
    sums.digest_lies = GENERATE(false, true);
    const bool ahead = GENERATE(false, true);
    CAPTURE(sums.digest_lies, ahead);
    resumable_server server(sums);
    const std::string content = random_bytes(20 * mebibyte);
    resumable how;
    how.digest("sha-256");
    if (ahead) {
        how.send_digests();
    }
    const job_snapshot end = deliver(dir, one_file(dir, server, content, how));
    CHECK(end.status == (sums.digest_lies ? status::failed : status::completed));
    CHECK(server.bytes_taken() == content.size());
    const auto created = server.http().requests().at(0);
    const std::string sum = "sha-256=:" + detail::to_base64(detail::digest_of("sha-256", content)) + ":";
    CHECK(created.header("Repr-Digest") == (ahead ? sum : ""));
    CHECK(created.header("Want-Repr-Digest") == "sha-256=10");
    CHECK(server.http().requests().at(1).header("Content-Digest") == (ahead ? sum : ""));
}

TEST_CASE("canceling a job in mid-upload cancels the upload at the server, also after a restart") {
    const temp_dir dir;
    resumable_behaviour slow;
    slow.rate = 2e6;
    resumable_server server(slow);
    delivery uploads(quick_options(dir));
    const job_id id = uploads.enqueue(one_file(dir, server, random_bytes(8 * mebibyte), {}));
    server.http().wait_for_body(2, 100'000);
    uploads.up().async_cancel(id, asio::use_future).get();
    server.http().log().wait_until("the clean-up", [](const http_log::requests& all) {
        return std::any_of(all.begin(), all.end(), [](const auto& r) { return r.method == "DELETE" && r.over; });
    });
    CHECK(server.canceled() == 1);
    CHECK(server.arrived().empty());
}

TEST_CASE("progress that the server confirms in mid-body is durable before the body is sent") {
    const temp_dir dir;
    resumable_behaviour slow;
    slow.rate = 8e6;
    slow.progress_every = 64 << 10;
    resumable_server server(slow);
    delivery uploads(quick_options(dir));
    const job_id id = uploads.enqueue(one_file(dir, server, random_bytes(4 * mebibyte), resumable().optimistic()));
    const job_snapshot seen =
        uploads.wait_until(id, [](const job_snapshot& j) { return j.confirmed > 500'000 || j.terminal(); });
    CHECK_FALSE(seen.terminal());
    CHECK(uploads.settled(id).status == status::completed);
    CHECK(count(server, "POST") == 1);
    CHECK(count(server, "PATCH") == 0);
}

TEST_CASE("any number of interim responses may keep pace with a long upload") {
    const temp_dir dir;
    resumable_behaviour chatty;
    chatty.progress_every = GENERATE(std::uint64_t(1000), std::uint64_t(16 << 10));
    CAPTURE(chatty.progress_every);
    resumable_server server(chatty, reads_little());
    const std::string content = random_bytes(24 * mebibyte);  // 1.5 to 25 thousand of them
    const job_snapshot end = deliver(dir, one_file(dir, server, content, {}));
    CHECK(end.status == status::completed);
    REQUIRE(server.arrived().size() == 1);
    CHECK(server.arrived()[0].body == content);
    CHECK(server.violations().empty());
}

TEST_CASE("several items are uploads of their own, by PUT under their names") {
    const temp_dir dir;
    resumable_server server;
    job what(server.url("/in/"));
    what.via(resumable().method("PUT")).bytes("a", "first").bytes("b c", "second");
    const job_snapshot end = deliver(dir, what);
    CHECK(end.status == status::completed);
    REQUIRE(server.arrived().size() == 2);
    CHECK(server.arrived()[0].method == "PUT");
    CHECK(server.arrived()[0].target == "/in/a");
    CHECK(server.arrived()[1].target == "/in/b%20c");
    CHECK(server.arrived()[1].body == "second");
    CHECK(server.violations().empty());
}

}  // namespace waybill::test
