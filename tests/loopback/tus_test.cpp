// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/tus.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/temp_dir.hpp"
#include "support/tus_server.hpp"

#include <asio/use_future.hpp>

#include <algorithm>
#include <string>

// Whole jobs by tus, over a strict server that does what a server may do, and what it must not.
namespace waybill::test {
namespace {

job one_file(const temp_dir& dir, const tus_server& server, const std::string& content, const tus& how = tus{}) {
    job what(server.url());
    what.via(how).file(dir.write("a file.bin", content));
    return what;
}

/// What the server holds as whole uploads.
std::vector<std::string> finished(const tus_server& server) {
    std::vector<std::string> all;
    for (const auto& [path, u] : server.uploads()) {
        if (!u.partial && u.length == u.data.size()) {
            all.push_back(u.data);
        }
    }
    return all;
}

void require_delivered(delivery& uploads, const tus_server& server, const job& what, const std::string& content) {
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    INFO(describe(server.http.requests()));
    REQUIRE(done.status == status::completed);
    const std::vector<std::string> arrived = finished(server);
    REQUIRE(arrived.size() == 1);
    CHECK(arrived[0] == content);
}

}  // namespace

TEST_CASE("tus delivers each item as an upload of its own, with metadata", "[tus]") {
    const temp_dir dir;
    tus_server server;
    delivery uploads(quick_options(dir));
    job what(server.url());
    what.via(tus{}).field("album", "Istanbul").bytes("a", "first").bytes("empty", "").bytes("c", "third");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    const auto there = server.uploads();
    REQUIRE(there.size() == 3);
    CHECK(there.at("/files/1").data == "first");
    CHECK(there.at("/files/2").data.empty());
    CHECK(there.at("/files/3").data == "third");
    CHECK(there.at("/files/1").metadata ==
          "album SXN0YW5idWw=,filename YQ==,filetype YXBwbGljYXRpb24vb2N0ZXQtc3RyZWFt");
    CHECK(server.all("PATCH").size() == 2);
}

TEST_CASE("tus continues a broken transfer at the byte the server has", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    delivery uploads(quick_options(dir));
    const std::string content = random_bytes(beyond_buffers);
    server.http.next(server.cut_after(3'000'000));
    require_delivered(uploads, server, one_file(dir, server, content, tus{}.digest("sha-256").chunk_size(0)), content);
    const auto patches = server.all("PATCH");
    REQUIRE(patches.size() == 2);
    CHECK(patches[1].header("Upload-Offset") == "3000000");
    CHECK(server.all("POST").size() == 1);
}

TEST_CASE("a link that breaks again and again does not make its host a suspect while bytes get through", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    options how = quick_options(dir);
    how.retry.host_pause = how.retry.host_pause_cap = std::chrono::minutes(10);
    delivery uploads(how);
    const std::string content = random_bytes(beyond_buffers);
    const int cuts = 7;
    REQUIRE(cuts > how.retry.host_failures);
    for (int i = 0; i < cuts; ++i) {
        server.http.next(server.cut_after(1'000'000));
    }
    require_delivered(uploads, server, one_file(dir, server, content, tus{}), content);
    CHECK(server.all("PATCH").size() == cuts + 1);
}

TEST_CASE("a link that breaks is used again at once, from the first cut on", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    options how = quick_options(dir);
    how.retry.base = how.retry.floor = how.retry.cap =
        std::chrono::hours(1);  // whoever waits at all is not done in time
    delivery uploads(how);
    const std::string content = random_bytes(beyond_buffers);
    server.http.next(server.cut_after(1'500'000));
    server.http.next(server.cut_after(1'500'000));
    require_delivered(uploads, server, one_file(dir, server, content, tus{}), content);
    CHECK(server.all("PATCH").size() == 3);
}

TEST_CASE("tus sends in chunks, with checksums and the digest of all", "[tus]") {
    const temp_dir dir;
    tus_server server;
    delivery uploads(quick_options(dir));
    const std::string content = random_bytes(1'000'000);
    const std::string algorithm = GENERATE("any", "sha1", "sha256", "md5");
    const tus how = tus{}.chunk_size(300'000).checksum(algorithm).digest("sha-256");
    require_delivered(uploads, server, one_file(dir, server, content, how), content);
    const auto patches = server.all("PATCH");
    REQUIRE(patches.size() == 4);
    for (const received_request& r : patches) {
        CHECK(r.header("Upload-Checksum").starts_with(algorithm == "any" ? "sha256 " : algorithm + " "));
    }
}

TEST_CASE("tus concatenates partial uploads that were sent at once", "[tus]") {
    const temp_dir dir;
    tus_server server;
    delivery uploads(quick_options(dir));
    const std::string content = random_bytes((4 << 20) + 3);
    require_delivered(uploads, server, one_file(dir, server, content, tus{}.parallel(4)), content);
    CHECK(server.all("POST").size() == 5);
    CHECK(server.uploads().size() == 5);
}

TEST_CASE("a tus server's passing refusals are overcome", "[tus]") {
    const temp_dir dir;
    tus_server server;
    delivery uploads(quick_options(dir));
    const int status = GENERATE(400, 409, 413, 423, 460, 500, 503);
    CAPTURE(status);
    int left = 2;
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        return r.method == "PATCH" && left-- > 0 ? std::optional(reply(status)) : std::nullopt;
    };
    const std::string content = random_bytes(1'000'000);
    require_delivered(uploads, server, one_file(dir, server, content, tus{}.checksum("sha1")), content);
    CHECK(server.all("POST").size() == 1);
    if (status == 413) {
        CHECK(server.all("PATCH").back().body_bytes <= 250'000);
    }
}

TEST_CASE("a tus upload that is gone is begun anew", "[tus]") {
    const temp_dir dir;
    tus_server server;
    delivery uploads(quick_options(dir));
    const int status = GENERATE(404, 410);
    int left = 1;
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        if (r.method == "PATCH" && r.header("Upload-Offset") == "100000" && left-- > 0) {
            server.remove(r.target);
            return reply(status);
        }
        return std::nullopt;
    };
    const std::string content = random_bytes(300'000);
    require_delivered(uploads, server, one_file(dir, server, content, tus{}.chunk_size(100'000)), content);
    CHECK(server.all("POST").size() == 2);
}

TEST_CASE("a tus server that claims more than was sent before the connection broke is not believed", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    delivery uploads(quick_options(dir));
    const std::string content = random_bytes(beyond_buffers + 2'000'000);
    server.http.next(server.cut_after(100'000));
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        if (r.method != "HEAD") {
            return std::nullopt;
        }
        // A hole: what is between was never sent, and would never be.
        return reply(200, {{"Tus-Resumable", "1.0.0"},
                           {"Upload-Offset", std::to_string(content.size() - 1000)},
                           {"Upload-Length", std::to_string(content.size())}});
    };
    const job_snapshot done = uploads.settled(uploads.enqueue(one_file(dir, server, content, tus{})));
    INFO(describe(done));
    CHECK(done.status == status::failed);
    CHECK(done.error.code == errc::wrong_offset);
}

TEST_CASE("a tus server that contradicts itself ends the upload, and what it has is removed", "[tus]") {
    const temp_dir dir;
    tus_server server;
    delivery uploads(quick_options(dir));
    const std::string lie = GENERATE("beyond what was sent", "another length");
    CAPTURE(lie);
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        const header_list tus_answer = {{"Tus-Resumable", "1.0.0"}};
        if (r.method == "PATCH" && r.header("Upload-Offset") == "100000") {
            reply wrong(lie == "another length" ? 409 : 204, tus_answer);
            wrong.headers.push_back({"Upload-Offset", "250000"});
            return wrong;
        }
        if (r.method == "HEAD") {
            reply wrong(200, tus_answer);
            wrong.headers.push_back({"Upload-Offset", "100000"});
            wrong.headers.push_back({"Upload-Length", "300001"});
            return wrong;
        }
        return std::nullopt;
    };
    const job_snapshot done =
        uploads.settled(uploads.enqueue(one_file(dir, server, random_bytes(300'000), tus{}.chunk_size(100'000))));
    INFO(describe(done));
    CHECK(done.status == status::failed);
    CHECK(done.error.code == errc::wrong_offset);
    server.http.log().wait_until("the clean-up", [](const http_log::requests& all) {
        return !all.empty() && all.back().method == "DELETE" && all.back().over;
    });
    CHECK(server.uploads().empty());
}

TEST_CASE("a tus upload at another origin is refused", "[tus]") {
    const temp_dir dir;
    tus_server server;
    delivery uploads(quick_options(dir));
    server.fault = [&](const received_request& r) -> std::optional<reply> {
        return r.method == "POST"
                   ? std::optional(reply(201, {{"Tus-Resumable", "1.0.0"}, {"Location", "http://evil.test/files/1"}}))
                   : std::nullopt;
    };
    const job_snapshot done = uploads.settled(uploads.enqueue(one_file(dir, server, "x", tus{})));
    CHECK(done.status == status::failed);
    CHECK(done.error.code == errc::invalid_response);
    CHECK(done.error.message().find("another origin") != std::string::npos);
}

TEST_CASE("a canceled tus job is terminated at the server, its parts too", "[tus]") {
    const temp_dir dir;
    tus_server server(reads_little());
    delivery uploads(quick_options(dir));
    const std::uint64_t parts = GENERATE(1, 2);
    server.http.next(script("held").only_for("PATCH").read_body(1'000).hold());
    const job_id id = uploads.enqueue(one_file(dir, server, random_bytes(beyond_buffers * 2), tus{}.parallel(parts)));
    // Of each part: of a creation whose answer was not heard yet nobody could be told to remove it.
    server.http.log().wait_until("the PATCHes", [&](const http_log::requests& all) {
        const auto under_way = std::count_if(all.begin(), all.end(), [](const received_request& r) {
            return r.method == "PATCH" && r.body_bytes >= 1'000;
        });
        return static_cast<std::uint64_t>(under_way) == parts;
    });
    uploads.up().async_cancel(id, asio::use_future).get();
    const std::size_t made = server.all("POST").size();
    server.http.log().wait_until("the clean-up", [&](const http_log::requests& all) {
        std::size_t removed = 0;
        for (const received_request& r : all) {
            removed += r.method == "DELETE" && r.over ? 1 : 0;
        }
        return removed >= made;
    });
    CHECK(uploads.settled(id).status == status::canceled);
    CHECK(server.uploads().empty());
}

TEST_CASE("tus creates with the first bytes and tells the length late where that is asked for", "[tus]") {
    const temp_dir dir;
    tus_server server;
    delivery uploads(quick_options(dir));
    const bool defers = GENERATE(false, true);
    const std::string content = random_bytes(300'000);
    tus how = tus{}.chunk_size(200'000);
    defers ? how.defer_length() : how.create_with_upload();
    require_delivered(uploads, server, one_file(dir, server, content, how), content);
    CHECK(server.all("POST").front().body_bytes == (defers ? 0 : 200'000));
    CHECK(server.all("PATCH").front().has_header("Upload-Length") == defers);
}

TEST_CASE("a tus upload whose last answer was lost and that is gone is not sent twice", "[tus]") {
    // Attempts that learn nothing in between do not make it any surer.
    const int vain_questions = GENERATE(0, 2);
    const bool busy = GENERATE(false, true);
    const temp_dir dir;
    tus_server server;
    delivery uploads(quick_options(dir));
    server.http.next(script("answer lost")
                         .only_for("PATCH")
                         .read_all()
                         .then([&](exchange& e) {
                             server.remove(e.seen().target);  // finished, and put away
                         })
                         .reset());
    if (busy) {  // asked about it, the server has no time at first
        server.http.next(script("busy").only_for("HEAD").read_all().answer({503}));
    }
    for (int i = 0; i < vain_questions; ++i) {
        server.http.next(script("question lost").only_for("HEAD").read_head().reset());
    }
    const job_snapshot done = uploads.settled(uploads.enqueue(one_file(dir, server, "content", tus{})));
    INFO(describe(done));
    CHECK(done.status == status::unknown_outcome);
    CHECK(server.all("POST").size() == 1);
}

TEST_CASE("tus says what a server does not offer", "[tus]") {
    const temp_dir dir;
    tus_server server;
    server.extensions = "creation";
    delivery uploads(quick_options(dir));
    const job_snapshot refused = uploads.settled(uploads.enqueue(one_file(dir, server, "x", tus{}.checksum("any"))));
    CHECK(refused.status == status::failed);
    CHECK(refused.error.code == errc::not_offered);
    const std::string content = random_bytes(3 << 20);
    require_delivered(uploads, server, one_file(dir, server, content, tus{}.parallel(3)), content);
}

}  // namespace waybill::test
