// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/tus.hpp>
#include <waybill/protocol/tus/rules.hpp>
#include <waybill/store/detail/rows.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_server.hpp"
#include "support/run.hpp"
#include "support/sample_store.hpp"
#include "support/temp_dir.hpp"

#include <SQLiteCpp/Database.h>

#include <filesystem>
#include <functional>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

// A store that somebody has changed: what would have been refused is not sent.
namespace waybill::test {
namespace {

/// A store with jobs exactly as given, checksums right: as a careful attacker would leave it.
void write_store(const std::string& path, const std::vector<new_job>& jobs) {
    sample_store store(path);
    store.open();
    store.add(jobs);
    store.close();
}

/// An honest job of one byte string.
new_job honest(const http_server& server, const std::string& id) {
    new_job made;
    job_spec& s = made.job.spec;
    s.id = job_id(id);
    s.url = server.url("/" + id);
    s.protocol = {"put", {}};
    s.item_count = 1;
    s.size = 7;
    s.accepted = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    made.job.state.epoch_began = s.accepted;
    made.job.state.key = "0123456789abcdef0123456789abcdef";
    item_record& one = made.items.emplace_back();
    one.spec.kind = source_kind::bytes;
    one.spec.size = 7;
    one.spec.name = "x";
    one.spec.field = "file";
    one.spec.content_type = "text/plain";
    one.spec.data = "content";
    return made;
}

mode_t mode_of(const std::string& path) {
    struct stat s {};
    REQUIRE(::stat(path.c_str(), &s) == 0);
    return s.st_mode & 0777;
}

std::error_code open_error(const std::string& path) {
    return error_of([&] { sample_store(path).open(); });
}

}  // namespace

TEST_CASE(
    "a record that would not have been accepted is not sent, though its checksum is right, and hurts no other job") {
    using change = std::function<void(new_job&)>;
    const temp_dir dir;
    const std::string secret = dir.write("secret", "hunter2");
    const auto [what, tamper] = GENERATE_COPY(table<std::string, change>({
        {"the scheme", [=](new_job& j) { j.job.spec.url = "file://" + secret; }},
        {"user information", [](new_job& j) { j.job.spec.url = "http://me:hunter2@127.0.0.1/"; }},
        {"a URL with a line break", [](new_job& j) { j.job.spec.url += "\r\nInjected: yes"; }},
        {"no URL at all", [](new_job& j) { j.job.spec.url.clear(); }},
        {"a header with a line break", [](new_job& j) { j.job.spec.headers = {{"X", "a\r\nInjected: yes"}}; }},
        {"a header's name", [](new_job& j) { j.job.spec.headers = {{"X: y\r\nInjected", "yes"}}; }},
        {"framing", [](new_job& j) { j.job.spec.headers = {{"Content-Length", "3"}}; }},
        {"a secret header", [](new_job& j) { j.job.spec.headers = {{"Authorization", "Bearer hunter2"}}; }},
        {"a field's name", [](new_job& j) { j.job.spec.fields = {{"a\r\nInjected: yes", "b"}}; }},
        {"an item's name", [](new_job& j) { j.items[0].spec.name = "../../etc/passwd\r\nInjected: yes"; }},
        {"no name", [](new_job& j) { j.items[0].spec.name = ".."; }},
        {"an item's form field", [](new_job& j) { j.items[0].spec.field = "f\r\nInjected: yes"; }},
        {"a media type", [](new_job& j) { j.items[0].spec.content_type = "text/plain\r\nInjected: yes"; }},
        {"a relative path",
         [](new_job& j) {
             j.items[0].spec.kind = source_kind::file;
             j.items[0].spec.path = "etc/passwd";
             j.items[0].spec.data.clear();
         }},
    }));
    CAPTURE(what);
    http_server server;
    const options how = quick_options(dir);
    new_job evil = honest(server, "evil");
    tamper(evil);
    write_store(how.store.path, {evil, honest(server, "good")});
    delivery uploads(how);
    const job_snapshot failed = uploads.settled(job_id("evil"));
    CHECK(failed.status == status::failed);
    CHECK(failed.error.code == errc::record_damaged);
    CHECK(uploads.settled(job_id("good")).status == status::completed);
    CHECK(server.requests().size() == 1);
    CHECK(server.requests().at(0).target == "/good");
    CHECK(error_of([&] { uploads.up().async_retry(job_id("evil"), asio::use_future).get(); }) == errc::record_damaged);
}

TEST_CASE("a stored upload URL at another origin gets not one byte") {
    const temp_dir dir;
    http_server server;
    http_server stranger;
    const options how = quick_options(dir);
    new_job begun = honest(server, "begun");
    begun.job.spec.protocol = tus{}.spec();
    write_store(how.store.path, {begun});
    {
        sample_store store(how.store.path);
        store.open();
        job_change change = step(store, static_cast<job_seq>(1), status::pending);
        detail::tus_state state;
        state.parts = detail::cut_into_parts(7, 1);
        state.parts[0].url = stranger.url("/upload");
        change.checkpoints.push_back({0, stranger.url("/upload"), 0, detail::encode_tus_state(state), 0});
        store.commit(change);
        store.close();
    }
    delivery uploads(how);
    const job_snapshot failed = uploads.settled(job_id("begun"));
    INFO(describe(failed));
    CHECK(failed.error.code == errc::foreign_origin);
    CHECK(stranger.log().connections() == 0);
}

TEST_CASE("a store that was copied with open permissions is closed to others before anything is written") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    write_store(path, {sample_job("one")});
    REQUIRE(::chmod(path.c_str(), 0666) == 0);
    sample_store store(path);
    store.open();
    store.add({sample_job("two")});
    CHECK(mode_of(path) == 0600);
    CHECK(mode_of(path + "-wal") == 0600);
}

TEST_CASE("a store, or its lock, that is a link is not followed") {
    const temp_dir dir;
    const std::string target = dir.write("precious", "keep me");
    SECTION("the store") {
        std::filesystem::create_symlink(target, dir / "s.db");
    }
    SECTION("the lock") {
        std::filesystem::create_symlink(target, dir / "s.db.lock");
    }
    CHECK(open_error(dir / "s.db") == errc::store_unwritable);
    CHECK(read_file(target) == "keep me");
}

TEST_CASE("a store that is no regular file is refused without waiting") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    SECTION("a FIFO") {
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    }
    SECTION("a folder") {
        std::filesystem::create_directory(path);
    }
    CHECK(open_error(path) == errc::store_unwritable);
}

TEST_CASE("triggers and views in a store are neither run nor read") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    write_store(path, {sample_job("one")});
    SQLite::Database(path, SQLite::OPEN_READWRITE)
        .exec(GENERATE(as<std::string>(), "CREATE TRIGGER t AFTER UPDATE ON job BEGIN DELETE FROM item; END",
                       "CREATE VIEW v AS SELECT * FROM job"));
    CHECK(open_error(path) == errc::store_damaged);
}

TEST_CASE("of a job that was removed, a signed URL above all, nothing stays in the store's files") {
    const temp_dir dir;
    const std::string canary = "hunter2-" + std::string(40, 'q');
    {
        sample_store store(dir / "s.db");
        store.open();
        new_job signed_job = sample_job("one", status::completed);
        signed_job.job.spec.url += "&signature=" + canary;
        store.add({signed_job, sample_job("two")});
        store.run<void>([&] { return store->remove(static_cast<job_seq>(1), {}); });
        store.close();
    }
    for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
        CAPTURE(entry.path());
        CHECK(read_file(entry.path()).find(canary) == std::string::npos);
    }
}

}  // namespace waybill::test
