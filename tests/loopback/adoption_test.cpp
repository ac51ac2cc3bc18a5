// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/digest.hpp>
#include <waybill/protocol/resumable.hpp>
#include <waybill/protocol/tus.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/resumable_server.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"
#include "support/tus_server.hpp"

#include <asio/use_future.hpp>

#include <algorithm>
#include <chrono>
#include <string>

// Uploads that another client, or another store, began: found by their URL, finished here.
namespace waybill::test {
namespace {

constexpr std::size_t size = 300'000;
constexpr std::size_t there = 100'000;

tus_server::upload begun_by_another(const std::string& content) {
    tus_server::upload u;
    u.length = content.size();
    u.data = content.substr(0, there);
    return u;
}

job_snapshot adopt(const temp_dir& dir, const tus_server& server, const std::string& path, const std::string& content) {
    delivery uploads(quick_options(dir));
    job what(server.url());
    what.via(tus{}.upload_url(server.http.url(path))).file(dir.write("a", content));
    job_snapshot end = uploads.settled(uploads.enqueue(what));
    UNSCOPED_INFO(describe(end));
    return end;
}

/// A job that gets some of its bytes to the server, and then waits for hours.
template <class Protocol>
job_snapshot begin_and_leave(const temp_dir& dir, const std::string& url, const std::string& file,
                             const Protocol& how) {
    delivery uploads(patient_options(dir));
    job what(url);
    what.via(how).file(file);
    return uploads.waiting(uploads.enqueue(what));
}

}  // namespace

TEST_CASE("tus finishes an upload that another client began, and sends what is missing only", "[tus]") {
    const temp_dir dir;
    tus_server server;
    const std::string content = random_bytes(size);
    tus_server::upload begun = begun_by_another(content);
    const std::string known = GENERATE("its length", "no length yet", "all of it");
    CAPTURE(known);
    if (known == "no length yet") {
        begun.length.reset();
    } else if (known == "all of it") {
        begun.data = content;
    }
    const std::string path = server.add(begun);
    const job_snapshot end = adopt(dir, server, path, content);
    CHECK(end.status == status::completed);
    CHECK((server.uploads().at(path).data == content));
    CHECK(server.uploads().size() == 1);
    CHECK(server.all("POST").empty());
    CHECK(end.item(0).receipt == server.http.url(path));
    const auto appends = server.all("PATCH");
    REQUIRE(appends.size() == (known == "all of it" ? 0 : 1));
    if (!appends.empty()) {
        CHECK(appends[0].header("Upload-Offset") == std::to_string(there));
        CHECK(appends[0].body_bytes == size - there);
    }
}

TEST_CASE("an upload of another length, or a part of one, is not adopted and not removed either", "[tus]") {
    const temp_dir dir;
    tus_server server;
    const std::string content = random_bytes(size);
    tus_server::upload other = begun_by_another(content);
    const std::string flaw = GENERATE("longer", "shorter", "more bytes than the file has", "a part");
    CAPTURE(flaw);
    if (flaw == "longer") {
        other.length = size + 1;
    } else if (flaw == "shorter") {
        other.length = size - 1;
    } else if (flaw == "a part") {
        other.partial = true;
    } else {
        other.length.reset();
        other.data = content + "more";
    }
    const std::string path = server.add(other);
    const job_snapshot end = adopt(dir, server, path, content);
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::wrong_offset);
    CHECK((server.uploads().at(path).data == other.data));
    CHECK(server.all("DELETE").empty());
    CHECK(server.all("PATCH").empty());
}

TEST_CASE("in place of an upload that is gone another one is begun", "[tus]") {
    const temp_dir dir;
    tus_server server;
    const std::string content = random_bytes(size);
    const job_snapshot end = adopt(dir, server, "/files/77", content);
    CHECK(end.status == status::completed);
    REQUIRE(server.uploads().size() == 1);
    CHECK((server.uploads().begin()->second.data == content));
}

TEST_CASE("an adopted upload belongs to its job: canceling removes it", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    const std::string content = random_bytes(beyond_buffers);
    const std::string path = server.add(begun_by_another(content));
    server.http.next(script("held").only_for("PATCH").read_body(1'000).hold());
    delivery uploads(quick_options(dir));
    job what(server.url());
    what.via(tus{}.upload_url(server.http.url(path))).file(dir.write("a", content));
    const job_id id = uploads.enqueue(what);
    uploads.wait_until(id, [](const job_snapshot& j) { return j.confirmed == there && !j.item(0).resource.empty(); });
    uploads.up().async_cancel(id, asio::use_future).get();
    server.http.log().wait_until("the clean-up", [](const http_log::requests& all) {
        return std::any_of(all.begin(), all.end(), [](const auto& r) { return r.method == "DELETE" && r.over; });
    });
    CHECK(server.uploads().empty());
}

TEST_CASE("an upload's URL at another origin, or for several items, is refused before acceptance", "[tus]") {
    const temp_dir dir;
    delivery uploads(quick_options(dir));
    const auto refusal = [&](const job& what) { return error_of([&] { uploads.enqueue(what); }); };
    job elsewhere("https://h.test/files");
    elsewhere.bytes("a", "1");
    CHECK(refusal(elsewhere.via(tus{}.upload_url("https://evil.test/files/1"))) == errc::invalid_setting);
    CHECK(refusal(elsewhere.via(tus{}.upload_url("http://h.test/files/1"))) == errc::invalid_setting);
    CHECK(refusal(elsewhere.via(resumable{}.upload_url("https://h.test:8443/1"))) == errc::invalid_setting);
    CHECK(refusal(elsewhere.via(resumable{}.as_form().upload_url("https://h.test/1"))) == errc::invalid_setting);
    job several("https://h.test/files");
    several.bytes("a", "1").bytes("b", "2");
    CHECK(refusal(several.via(tus{}.upload_url("https://h.test/files/1"))) == errc::invalid_setting);
    CHECK(refusal(several.via(resumable{}.upload_url("https://h.test/files/1"))) == errc::invalid_setting);
}

TEST_CASE("what one store began another store finishes, by the URL its snapshot tells", "[tus]") {
    const temp_dir here;
    const temp_dir elsewhere;
    const std::string content = random_bytes(beyond_buffers);
    const std::string file = here.write("a", content);
    SECTION("tus") {
        tus_server server(reads_little());
        server.http.next(server.cut_after(3'000'000));
        const job_snapshot left = begin_and_leave(here, server.url(), file, tus{});
        REQUIRE(left.status == status::waiting);
        const std::string url = left.item(0).resource;
        CHECK(url == server.http.url("/files/1"));
        delivery uploads(quick_options(elsewhere));
        job what(server.url());
        what.via(tus{}.upload_url(url)).file(file);
        const job_snapshot end = uploads.settled(uploads.enqueue(what));
        CHECK(end.status == status::completed);
        CHECK(end.item(0).resource.empty());
        CHECK((server.uploads().at("/files/1").data == content));
        CHECK(server.all("PATCH").back().header("Upload-Offset") == "3000000");
    }
    SECTION("resumable") {
        resumable_behaviour cuts;
        cuts.cuts = {1'000'000, 0};  // and not a byte when it is tried again at once
        resumable_server server(cuts, reads_little());
        const job_snapshot left = begin_and_leave(here, server.url("/posts"), file, resumable{});
        REQUIRE(left.status == status::waiting);
        delivery uploads(quick_options(elsewhere));
        job what(server.url("/posts"));
        what.via(resumable{}.upload_url(left.item(0).resource).digest("sha-256")).file(file);
        const job_snapshot end = uploads.settled(uploads.enqueue(what));
        INFO(describe(end));
        CHECK(end.status == status::completed);
        REQUIRE(server.arrived().size() == 1);
        CHECK((server.arrived()[0].body == content));
        CHECK(server.violations().empty());
        CHECK_THAT(end.item(0).receipt,
                   Catch::Contains("sha-256=:" + detail::to_base64(detail::digest_of("sha-256", content))));
    }
}

TEST_CASE("resumable does not adopt an upload of another length, and leaves it alone") {
    const temp_dir here;
    const temp_dir elsewhere;
    resumable_behaviour cuts;
    cuts.cuts = {1'000'000, 0};
    resumable_server server(cuts, reads_little());
    const std::string content = random_bytes(beyond_buffers);
    const job_snapshot left = begin_and_leave(here, server.url("/posts"), here.write("a", content), resumable{});
    REQUIRE(left.status == status::waiting);
    delivery uploads(quick_options(elsewhere));
    job what(server.url("/posts"));
    what.via(resumable{}.upload_url(left.item(0).resource)).file(elsewhere.write("b", content + "more"));
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::wrong_offset);
    uploads.stop();
    CHECK(server.open_uploads() == 1);
    CHECK(server.canceled() == 0);
}

}  // namespace waybill::test
