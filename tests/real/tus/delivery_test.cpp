// SPDX-License-Identifier: BSL-1.0
#include "support/delivery.hpp"

#include <waybill/detail/digest.hpp>
#include <waybill/protocol/tus.hpp>

#include "real/tus/tus_store.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/transport_loop.hpp"

#include <asio/use_future.hpp>

#include <string>
#include <vector>

// Whole jobs by tus to @tus/server, as it is installed from npm.
namespace waybill::test {
namespace {

constexpr std::size_t mebibyte = 1 << 20;

job_snapshot deliver(delivery& uploads, const job& what) {
    job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    return done;
}

/// The names of uploads that have exactly these bytes.
std::vector<std::string> holding(const tus_store& store, const std::string& content) {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : store.uploads()) {
        if (bytes == content) {
            names.push_back(name);
        }
    }
    return names;
}

}  // namespace

TEST_CASE("@tus/server stores every item whole, with its metadata, however it is created and sent") {
    const std::string how = GENERATE("plain", "with the first bytes", "length told late", "in chunks with a digest",
                                     "in parts, which it does not offer", "relative Locations");
    CAPTURE(how);
    tus settings;
    if (how == "with the first bytes") {
        settings.create_with_upload().chunk_size(mebibyte);
    } else if (how == "length told late") {
        settings.defer_length();
    } else if (how == "in chunks with a digest") {
        settings.chunk_size(mebibyte).digest("sha-256");
    } else if (how == "in parts, which it does not offer") {
        settings.parallel(3);
    }
    const temp_dir dir;
    const tus_store store("tus.mjs", {{"RELATIVE", how == "relative Locations" ? "1" : "0"}});
    delivery uploads(quick_options(dir));
    const std::string large = random_bytes(5 * mebibyte + 3);
    job what(store.url());
    what.via(settings).field("album", "İstanbul").bytes("empty", "").bytes("small", "x");
    what.file(dir.write("größe 東京 🚀.jpg", large));
    const job_snapshot done = deliver(uploads, what);
    REQUIRE(store.uploads().size() == 3);
    const std::vector<std::string> found = holding(store, large);
    REQUIRE(found.size() == 1);
    const nlohmann::json about = store.about(found[0]);
    CHECK(about.at("size") == large.size());
    CHECK(about.at("metadata").at("filename") == "größe 東京 🚀.jpg");
    CHECK(about.at("metadata").at("filetype") == "application/octet-stream");
    CHECK(about.at("metadata").at("album") == "İstanbul");
    CHECK(holding(store, "x").size() == 1);
    CHECK(holding(store, "").size() == 1);
    CHECK(done.item(2).receipt.starts_with(store.url() + "/" + found[0]));
    if (how == "in chunks with a digest") {
        const std::string sum = detail::to_base64(detail::digest_of("sha-256", large));
        CHECK_THAT(done.item(2).receipt, Catch::EndsWith(" sha-256=:" + sum + ":"));
    }
    if (how == "with the first bytes") {
        CHECK(store.requests("PATCH").size() == 5);  // "x" came whole with its creation
    }
}

TEST_CASE("a checksum that @tus/server does not offer fails the job before anything is created") {
    const temp_dir dir;
    const tus_store store;
    delivery uploads(quick_options(dir));
    job what(store.url());
    what.via(tus{}.checksum("any")).bytes("a", "content");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    CHECK(done.status == status::failed);
    CHECK(done.error.code == errc::not_offered);
    CHECK(store.uploads().empty());
}

TEST_CASE("a file above @tus/server's limit fails the job for good") {
    const temp_dir dir;
    const tus_store store("tus.mjs", {{"MAX", "1000000"}});
    delivery uploads(quick_options(dir));
    job what(store.url());
    what.via(tus{}).file(dir.write("a", random_bytes(mebibyte)));
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    CHECK(done.status == status::failed);
    CHECK(done.error.details.http_status == 413);
    CHECK(store.uploads().empty());
}

TEST_CASE("a job that is canceled in mid-upload leaves nothing at @tus/server") {
    const temp_dir dir;
    const tus_store store("tus.mjs", {{"RATE", "2000000"}});
    delivery uploads(quick_options(dir));
    job what(store.url());
    what.via(tus{}).file(dir.write("a", random_bytes(16 * mebibyte)));
    const job_id id = uploads.enqueue(what);
    eventually("the first bytes", [&] { return store.bytes() > 100'000; });
    uploads.up().async_cancel(id, asio::use_future).get();
    CHECK(uploads.settled(id).status == status::canceled);
    // The file goes before the answer does.
    eventually("the clean-up", [&] { return !store.requests("DELETE").empty(); });
    CHECK(store.requests("DELETE").back().at("status") == 204);
    CHECK(store.uploads().empty());
}

TEST_CASE("an upload that @tus/server let expire is begun anew") {
    const temp_dir dir;
    const tus_store store("tus.mjs", {{"RATE", "8000000"}, {"EXPIRES", "3000"}});
    // More than the sockets' buffers hold: of an upload whose last byte has left nobody could say that it was
    // unfinished.
    const std::string content = random_bytes(24 * mebibyte);
    job what(store.url());
    what.via(tus{}).file(dir.write("a", content));
    job_id id;
    {
        delivery uploads(quick_options(dir));
        id = uploads.enqueue(what);
        eventually("the first bytes", [&] { return store.bytes() > 500'000; });
        uploads.stop();
    }
    const auto begun = store.uploads();
    REQUIRE(begun.size() == 1);
    REQUIRE(begun.begin()->second.size() < content.size());
    transport_loop asking;
    eventually("its expiry", [&] {
        request head;
        head.method = "HEAD";
        head.url = store.url() + "/" + begun.begin()->first;
        head.headers.push_back({"Tus-Resumable", "1.0.0"});
        return asking.perform(std::move(head)).status == 410;
    });
    delivery uploads(quick_options(dir));
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(holding(store, content).size() == 1);
    CHECK(store.requests("POST").size() == 2);
}

TEST_CASE("when @tus/server is killed in mid-upload and started again it gets the rest only") {
    const temp_dir dir;
    tus_store store("tus.mjs", {{"RATE", "4000000"}});
    options persistent = quick_options(dir);
    persistent.retry.attempts = 1'000'000;
    delivery uploads(persistent);
    const std::string content = random_bytes(12 * mebibyte);
    job what(store.url());
    what.via(tus{}).file(dir.write("a", content));
    const job_id id = uploads.enqueue(what);
    for (const std::uint64_t reached : {2 * mebibyte, 6 * mebibyte}) {
        eventually("some megabytes", [&] { return store.bytes() >= reached; });
        store.server.stop();
        const job_snapshot held = uploads.waiting(id);
        INFO(describe(held));
        REQUIRE(held.status == status::waiting);
        store.server.start();
        uploads.up().async_retry(id, asio::use_future).wait();  // refused when it is under way already
    }
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done) << "\n" << store.server.words());
    CHECK(done.status == status::completed);
    CHECK(holding(store, content).size() == 1);
    CHECK(store.uploads().size() == 1);
    const std::vector<nlohmann::json> appends = store.requests("PATCH");
    REQUIRE(!appends.empty());
    CHECK(std::stoull(appends.back().at("headers").at("upload-offset").get<std::string>()) >= 6 * mebibyte);
}

}  // namespace waybill::test
