// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/automatic.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/resumable_server.hpp"
#include "support/temp_dir.hpp"

#include <asio/use_future.hpp>

#include <algorithm>
#include <memory>
#include <string>

// Jobs whose protocol is found out by asking the endpoint.
namespace waybill::test {
namespace {

constexpr std::size_t mebibyte = 1 << 20;

std::string methods(const http_server& server) {
    std::string all;
    for (const received_request& r : server.requests()) {
        all += (all.empty() ? "" : " ") + r.method + r.target;
    }
    return all;
}

/// However often a host fails, it is soon tried again.
options patient_with_gateways(const temp_dir& dir) {
    options how = quick_options(dir);
    how.retry.cap = how.retry.host_pause = how.retry.host_pause_cap = std::chrono::milliseconds(20);
    return how;
}

/// Stands for tus: notes its items as sent.
class noting_protocol final : public protocol {
public:
    void check(const waybill::job& /*job*/) const override {}
    asio::awaitable<void> upload(session& job) override {
        job.complete_all_soon("noted");
        co_return;
    }
};

}  // namespace

TEST_CASE("an endpoint that offers nothing gets a form, or a PUT under each name, and is asked once") {
    const temp_dir dir;
    http_server server;
    const int status = GENERATE(200, 404, 405, 501);
    CAPTURE(status);
    for (int i = 0; i < 2; ++i) {
        server.next(script("asked").only_for("OPTIONS").answer({status}));
    }
    delivery uploads(quick_options(dir));
    for (const char* const path : {"/posts?a=1", "/posts?a=2", "/in/", "/in/"}) {
        job what(server.url(path));
        what.via(automatic()).bytes("a", "content");
        const job_snapshot end = uploads.settled(uploads.enqueue(what));
        CHECK(end.status == status::completed);
        CHECK(end.negotiated_protocol == (std::string(path) == "/in/" ? "put" : "multipart"));
    }
    CHECK(methods(server) == "OPTIONS/posts?a=1 POST/posts?a=1 POST/posts?a=2 OPTIONS/in/ PUT/in/a PUT/in/a");
}

TEST_CASE("where uploads can be resumed the same request is sent resumably") {
    const temp_dir dir;
    resumable_server server;
    delivery uploads(quick_options(dir));
    job form(server.url("/posts"));
    form.via(automatic()).field("caption", "x").bytes("a", "first").bytes("b", "second");
    const job_snapshot sent = uploads.settled(uploads.enqueue(form));
    CHECK(sent.status == status::completed);
    CHECK(sent.negotiated_protocol == "resumable");
    job files(server.url("/in/{name}"));
    files.via(automatic()).bytes("a b", "third");
    CHECK(uploads.settled(uploads.enqueue(files)).status == status::completed);
    REQUIRE(server.arrived().size() == 2);
    CHECK(server.arrived()[0].method == "POST");
    CHECK(single_header(server.arrived()[0].headers, "Content-Type")->starts_with("multipart/form-data"));
    CHECK(server.arrived()[1].method == "PUT");
    CHECK(server.arrived()[1].target == "/in/a%20b");
    CHECK(server.arrived()[1].body == "third");
    CHECK(server.violations().empty());
}

TEST_CASE("what is smaller than the endpoint takes resumably is sent the plain way") {
    const temp_dir dir;
    http_server server;
    for (int i = 0; i < 2; ++i) {
        server.next(script("asked").only_for("OPTIONS").answer({204, {{"Upload-Limit", "min-size=1000"}}}));
    }
    delivery uploads(quick_options(dir));
    job form(server.url("/posts"));
    form.via(automatic()).field("caption", "x").bytes("a", "small");
    CHECK(uploads.settled(uploads.enqueue(form)).negotiated_protocol == "multipart");
    job files(server.url("/in/"));
    files.via(automatic()).bytes("a", random_bytes(5000)).bytes("b", "small");
    CHECK(uploads.settled(uploads.enqueue(files)).negotiated_protocol == "put");
    CHECK(methods(server) == "OPTIONS/posts POST/posts OPTIONS/in/ PUT/in/a PUT/in/b");
}

TEST_CASE("tus is chosen where it is spoken and known, but never for a form") {
    const temp_dir dir;
    http_server server;
    for (int i = 0; i < 2; ++i) {
        server.next(script("tus").only_for("OPTIONS").answer({204, {{"Tus-Resumable", "1.0.0"}}}));
    }
    options how = quick_options(dir);
    how.protocols.add("tus", [](const protocol_spec&) { return std::make_unique<noting_protocol>(); });
    delivery uploads(how);
    job plain(server.url("/files"));
    plain.via(automatic()).bytes("a", "x");
    CHECK(uploads.settled(uploads.enqueue(plain)).negotiated_protocol == "tus");
    job form(server.url("/files"));
    form.via(automatic()).field("caption", "x").bytes("a", "x");
    CHECK(uploads.settled(uploads.enqueue(form)).negotiated_protocol == "multipart");
}

TEST_CASE("a busy endpoint is asked again instead of taken for one that offers nothing") {
    const temp_dir dir;
    resumable_server server;
    server.http().next(script("busy").only_for("OPTIONS").answer({503}));
    delivery uploads(quick_options(dir));
    job what(server.url("/posts"));
    what.via(automatic()).bytes("a", "x");
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    CHECK(end.status == status::completed);
    CHECK(end.negotiated_protocol == "resumable");
    CHECK(end.attempt == 2);
}

TEST_CASE("an endpoint that breaks over the question gets what needs none, after a few tries, and stays with it") {
    const temp_dir dir;
    http_server server(reads_little());
    const bool answers = GENERATE(true, false);
    for (int i = 0; i < 4; ++i) {
        script asked = script("breaks").only_for("OPTIONS").read_all();
        server.next(answers ? asked.answer({500}) : asked.close());
    }
    server.next(script("breaks").only_for("POST").read_body(1).reset());
    delivery uploads(quick_options(dir));
    job first(server.url("/posts"));
    first.via(automatic()).bytes("a", std::string(4'000'000, 'x'));  // more than is under way at once
    const job_snapshot end = uploads.settled(uploads.enqueue(first));
    INFO(describe(end));
    CHECK(end.status == status::completed);
    CHECK(end.negotiated_protocol == "multipart");
    // The decision is kept with the job: its next attempt does not ask again. Another job does, once.
    CHECK(methods(server) == "OPTIONS/posts OPTIONS/posts OPTIONS/posts POST/posts POST/posts");
    job second(server.url("/posts"));
    second.via(automatic()).bytes("a", "content");
    CHECK(uploads.settled(uploads.enqueue(second)).attempt == 1);
    CHECK(methods(server).ends_with("OPTIONS/posts POST/posts"));
}

TEST_CASE("an endpoint that breaks over the question gets what needs none, also when the program ends after each try") {
    const temp_dir dir;
    http_server server;
    for (int i = 0; i < 8; ++i) {
        server.next(script("breaks").only_for("OPTIONS").answer({500}));
    }
    options how = quick_options(dir);
    how.retry.base = how.retry.floor = how.retry.cap = std::chrono::milliseconds(500);  // time to end the program
    const job_id id("one");
    job_snapshot end;
    for (int attempt = 1; attempt <= 8 && !end.terminal(); ++attempt) {
        delivery program(how);
        if (attempt == 1) {
            job first(server.url("/posts"));
            first.id(id).via(automatic()).bytes("a", "content");
            program.enqueue(first);
        }
        end = program.wait_until(id, [&](const job_snapshot& j) {
            return j.terminal() || (j.status == status::waiting && j.attempt >= attempt);
        });
    }
    CHECK(end.status == status::completed);
    CHECK(end.negotiated_protocol == "multipart");
    CHECK(server.scripts_left() >= 4);  // a few tries
    CHECK(server.requests().back().method == "POST");
}

TEST_CASE("where a gateway answers OPTIONS in the server's place, what can be PUT is, after many tries") {
    const temp_dir dir;
    resumable_server server;
    const int gateway = GENERATE(502, 503, 504);
    const int tries = GENERATE(9, 10);
    for (int i = 0; i < tries; ++i) {
        server.http().next(script("gateway").only_for("OPTIONS").answer(reply{gateway, {}, {}}));
    }
    if (tries == 10) {
        server.http().next(script("put").only_for("PUT").read_all().answer(reply{201, {}, {}}));
    }
    delivery uploads(patient_with_gateways(dir));
    job what(server.url("/files/"));
    what.via(automatic()).bytes("a", "content");
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    INFO(describe(end));
    CHECK(end.status == status::completed);
    CHECK(end.negotiated_protocol == (tries == 10 ? "put" : "resumable"));
}

TEST_CASE("a form is not sent to a gateway to find out whether it takes forms") {
    const temp_dir dir;
    resumable_server server;
    for (int i = 0; i < 12; ++i) {
        server.http().next(script("gateway").only_for("OPTIONS").answer({502}));
    }
    delivery uploads(patient_with_gateways(dir));
    job what(server.url("/posts"));
    what.via(automatic()).bytes("a", "content");
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    CHECK(end.status == status::completed);
    CHECK(end.negotiated_protocol == "resumable");
    CHECK(end.attempt == 13);
}

TEST_CASE("an endpoint that does not speak what it offered before is asked once more") {
    const temp_dir dir;
    http_server server;
    const header_list tus = {{"Tus-Resumable", "1.0.0"}};
    server.next(script("offers tus").only_for("OPTIONS").answer({204, tus}));
    server.next(script("an empty upload").only_for("POST").answer({201, {tus.front(), {"Location", "/files/1"}}}));
    server.next(script("does not know it").only_for("POST").answer({GENERATE(404, 405, 501)}));
    server.next(script("offers nothing").only_for("OPTIONS").answer({404}));
    delivery uploads(quick_options(dir));
    job first(server.url("/files"));
    first.via(automatic()).bytes("a", "");
    CHECK(uploads.settled(uploads.enqueue(first)).negotiated_protocol == "tus");
    job second(server.url("/files"));
    second.via(automatic()).bytes("a", "content");
    const job_snapshot end = uploads.settled(uploads.enqueue(second));
    CHECK(end.status == status::completed);
    CHECK(end.negotiated_protocol == "multipart");
    CHECK(methods(server) == "OPTIONS/files POST/files POST/files OPTIONS/files POST/files");
}

TEST_CASE("what an endpoint refuses that was just asked is not asked again") {
    const temp_dir dir;
    http_server server;
    server.next(script("offers tus").only_for("OPTIONS").answer({204, {{"Tus-Resumable", "1.0.0"}}}));
    server.next(script("does not know it").only_for("POST").answer({404}));
    delivery uploads(quick_options(dir));
    job what(server.url("/files"));
    what.via(automatic()).bytes("a", "content");
    CHECK(uploads.settled(uploads.enqueue(what)).error.code == make_http_error(404));
    CHECK(methods(server) == "OPTIONS/files POST/files");
}

TEST_CASE("after a restart a job goes on with the protocol it began with, without asking") {
    const temp_dir dir;
    resumable_behaviour slow;
    slow.rate = 4e6;
    slow.progress_every = 64 << 10;
    resumable_server server(slow);
    job_id id;
    {
        delivery uploads(quick_options(dir));
        job what(server.url("/posts"));
        what.via(automatic()).file(dir.write("a", random_bytes(4 * mebibyte)));
        id = uploads.enqueue(what);
        uploads.wait_until(id, [](const job_snapshot& j) { return j.confirmed > mebibyte; });
        uploads.stop();
    }
    server.behave([](resumable_behaviour& b) { b.rate = 0; });
    delivery uploads(quick_options(dir));
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end));
    CHECK(end.status == status::completed);
    CHECK(end.negotiated_protocol == "resumable");
    CHECK(server.arrived().size() == 1);
    const auto all = server.http().requests();
    CHECK(std::count_if(all.begin(), all.end(), [](const auto& r) { return r.method == "OPTIONS"; }) == 1);
    CHECK(std::count_if(all.begin(), all.end(), [](const auto& r) { return r.method == "POST"; }) == 1);
}

TEST_CASE("what an automatic job leaves behind is cleaned up by the protocol that was spoken") {
    const temp_dir dir;
    resumable_behaviour slow;
    slow.rate = 2e6;
    resumable_server server(slow);
    delivery uploads(quick_options(dir));
    job what(server.url("/posts"));
    what.via(automatic()).bytes("a", random_bytes(4 * mebibyte));
    const job_id id = uploads.enqueue(what);
    server.http().wait_for_body(3, 100'000);
    uploads.up().async_cancel(id, asio::use_future).get();
    server.http().log().wait_until("the clean-up", [](const http_log::requests& all) {
        return std::any_of(all.begin(), all.end(), [](const auto& r) { return r.method == "DELETE" && r.over; });
    });
    CHECK(server.canceled() == 1);
}

}  // namespace waybill::test
