// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/put.hpp>
#include <waybill/protocol/resumable.hpp>
#include <waybill/protocol/tus.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_server.hpp"
#include "support/resumable_server.hpp"
#include "support/temp_dir.hpp"
#include "support/tus_server.hpp"

#include <asio/use_future.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>

// Files that change while their job is being sent: the job fails, says which file, and no server gets a mixture.
namespace waybill::test {
namespace {

void make_change(const std::string& what, const std::string& path) {
    if (what == "grows") {
        std::ofstream(path, std::ios::app | std::ios::binary) << "more";
    } else if (what == "shrinks") {
        std::filesystem::resize_file(path, 1 << 20);
    } else if (what == "is edited") {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(beyond_buffers - 10);
        file << "edited";
    } else {
        std::filesystem::remove(path);
        if (what == "becomes a FIFO") {
            REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        }
    }
}

/// A job that breaks in mid-body, and whose file has grown when it is tried again.
template <class Protocol>
void require_refused(const std::string& url, const Protocol& how) {
    const temp_dir dir;
    delivery uploads(patient_options(dir));
    const std::string file = dir.write("a.bin", random_bytes(beyond_buffers));
    job what(url);
    what.via(how).file(file);
    const job_id id = uploads.enqueue(what);
    REQUIRE(uploads.waiting(id).status == status::waiting);
    make_change("grows", file);
    uploads.up().async_retry(id, asio::use_future).get();
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end));
    CHECK(end.status == status::failed);
    CHECK(end.error.code == errc::file_changed);
    CHECK_THAT(end.error.message(), Catch::Contains("a.bin"));
}

}  // namespace

TEST_CASE("a broken upload whose file is another one when it goes on fails with the file's name") {
    SECTION("tus") {
        tus_server server(reads_little());
        server.http.next(server.cut_after(1'000'000));
        require_refused(server.url(), tus{});
        CHECK(server.uploads().at("/files/1").data.size() == 1'000'000);
        CHECK(server.all("PATCH").size() == 1);
    }
    SECTION("resumable") {
        for (const bool form : {false, true}) {
            CAPTURE(form);
            resumable_behaviour breaks;
            breaks.cuts = {1'000'000, 0};  // and at once again when it is tried again
            resumable_server server(breaks, reads_little());
            require_refused(server.url("/posts"), form ? resumable{}.as_form() : resumable{});
            CHECK(server.arrived().empty());
        }
    }
}

TEST_CASE("a broken upload whose file was touched goes on or begins anew, and what arrives is one content") {
    const auto scope = GENERATE(fingerprint_scope::sampled, fingerprint_scope::whole);
    const bool edited = GENERATE(false, true);
    CAPTURE(static_cast<int>(scope), edited);
    const temp_dir dir;
    tus_server server(reads_little());
    server.http.next(server.cut_after(1'000'000));
    options how = patient_options(dir);
    how.fingerprint = scope;
    delivery uploads(how);
    std::string content = random_bytes(beyond_buffers);
    const std::string file = dir.write("a.bin", content);
    const auto time = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
    std::filesystem::last_write_time(file, time);
    job what(server.url());
    what.via(tus{}).file(file);
    const job_id id = uploads.enqueue(what);
    REQUIRE(uploads.waiting(id).status == status::waiting);
    std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    if (edited) {  // on both sides of what the server has, and of no sample
        std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
        for (const std::size_t at : {std::size_t{100'000}, content.size() - 100'000}) {
            content.replace(at, 6, "edited");
            out.seekp(static_cast<std::streamoff>(at));
            out << "edited";
        }
        out.close();
        std::filesystem::last_write_time(file, time);
    }
    uploads.up().async_retry(id, asio::use_future).get();
    const job_snapshot end = uploads.settled(id);
    INFO(describe(end));
    if (edited && scope == fingerprint_scope::whole) {
        CHECK(end.error.code == errc::file_changed);
        CHECK(server.uploads().at("/files/1").data.size() == 1'000'000);
        return;
    }
    CHECK(end.status == status::completed);
    const bool anew = scope == fingerprint_scope::sampled;
    CHECK(server.all("POST").size() == (anew ? 2 : 1));
    CHECK(server.uploads().at(anew ? "/files/2" : "/files/1").data == content);
}

TEST_CASE("a job whose file changes while it is sent fails with the file's name, by every protocol") {
    const bool form = GENERATE(false, true);
    const auto change = GENERATE(as<std::string>(), "grows", "shrinks", "is edited", "is deleted", "becomes a FIFO");
    CAPTURE(form, change);
    const temp_dir dir;
    http_server server(reads_little());
    delivery uploads(quick_options(dir));
    const std::string path = dir.write("x", random_bytes(beyond_buffers));
    std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    const valve go;
    server.next(script("held").read_body(100'000).hold(go));
    job what(server.url("/in/"));
    if (form) {
        what.via(multipart{});
    }
    what.file(path);
    const job_id id = uploads.enqueue(what);
    server.wait_for_body(1, 100'000);
    make_change(change, path);
    go.open();
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done));
    CHECK(done.status == status::failed);
    CHECK(done.error.code == errc::file_changed);
    CHECK(done.error.message().find(path) != std::string::npos);
    CHECK(done.error.item == 0);
    CHECK_FALSE(server.finished(1).complete);
    CHECK(server.requests().size() == 1);
}

}  // namespace waybill::test
