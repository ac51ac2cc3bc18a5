// SPDX-License-Identifier: BSL-1.0
#include <waybill/source/file_source.hpp>

#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/pinned.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include <sys/stat.h>

// Files that change while they are being sent. Whatever happens to them, what arrives is one
// version of the file or nothing.
namespace waybill::test {
namespace {

constexpr std::size_t size = beyond_buffers;

/// The file's times lie in the past, so that every change shows in them: the kernel's file clock
/// ticks only every few milliseconds.
void make_old(const std::string& path) {
    std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    const auto status_changed = [](const std::string& of) {
        struct stat s {};
        ::stat(of.c_str(), &s);
        return std::pair(s.st_ctim.tv_sec, s.st_ctim.tv_nsec);
    };
    const std::string probe = path + ".probe";
    do {
        std::ofstream(probe) << "x";
    } while (status_changed(probe) <= status_changed(path));
    std::filesystem::remove(probe);
}

std::shared_ptr<file_source> pinned(const std::string& path) {
    const pinned_file pin = file_opener::pin_one(path);
    return std::make_shared<file_source>(item_of(pin));
}

struct change {
    std::string name;
    std::function<void(const std::string& path)> make;
};

const std::vector<change>& all_changes() {
    static const std::vector<change> all{
        {"grows", [](const std::string& p) { std::ofstream(p, std::ios::app | std::ios::binary) << "more"; }},
        {"shrinks by a byte", [](const std::string& p) { std::filesystem::resize_file(p, size - 1); }},
        {"shrinks to what was sent", [](const std::string& p) { std::filesystem::resize_file(p, 1 << 20); }},
        {"is emptied", [](const std::string& p) { std::filesystem::resize_file(p, 0); }},
        {"is edited in place",
         [](const std::string& p) {
             std::fstream file(p, std::ios::in | std::ios::out | std::ios::binary);
             file.seekp(size - 10);
             file << "edited";
         }},
        {"is replaced by rename",
         [](const std::string& p) {
             std::ofstream(p + ".new", std::ios::binary) << random_bytes(size, 2);
             std::filesystem::rename(p + ".new", p);
         }},
        {"is deleted", [](const std::string& p) { std::filesystem::remove(p); }},
    };
    return all;
}

}  // namespace

TEST_CASE("a file that changes while it is being sent ends the upload and mixes no versions") {
    const temp_dir dir;
    const std::string path = dir.write("file", random_bytes(size));
    make_old(path);
    http_server server(reads_little());
    transport_loop loop;
    const change what = GENERATE(from_range(all_changes()));
    CAPTURE(what.name);

    const valve go;
    server.next(script("stalls").read_body(100'000).hold(go));
    sending put = loop.start(put_to(server.url()), pinned(path));
    server.wait_for_body(1, 100'000);
    what.make(path);
    go.open();
    const response answer = put.get();
    CHECK(answer.failure == errc::file_changed);
    CHECK(answer.failure_detail.find(path) != std::string::npos);
    CHECK(answer.status == 0);
    CHECK_FALSE(answer.may_have_left);
    const received_request got = server.finished(1);
    CHECK(got.body_length == size);
    CHECK(got.body_bytes < size);
    CHECK_FALSE(got.complete);
    // A byte beyond the announced length would be the beginning of another request.
    CHECK(server.requests().size() == 1);
}

TEST_CASE("a file that changed before it is opened is not sent") {
    const temp_dir dir;
    const std::string path = dir.write("file", random_bytes(size));
    make_old(path);
    const pinned_file pin = file_opener::pin_one(path);
    const change what = GENERATE(from_range(all_changes()));
    CAPTURE(what.name);
    what.make(path);
    const auto open = [&] { const file_source source(item_of(pin)); };
    try {
        open();
        FAIL("it was opened");
    } catch (const error& e) {
        CHECK(e.code() == (what.name == "is deleted" ? errc::source_missing : errc::file_changed));
        CHECK(std::string(e.what()).find(path) != std::string::npos);
    }
}

TEST_CASE("what took a file's place and is no file is refused at once") {
    const temp_dir dir;
    const std::string path = dir.write("file", "content");
    const pinned_file pin = file_opener::pin_one(path);
    std::filesystem::remove(path);
    SECTION("a FIFO, whose opening could wait for ever") {
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    }
    SECTION("a directory") {
        std::filesystem::create_directory(path);
    }
    SECTION("a symbolic link") {
        std::filesystem::create_symlink("/etc/hostname", path);
    }
    try {
        const file_source source(item_of(pin));
        FAIL("it was opened");
    } catch (const error& e) {
        CHECK(e.code() == errc::source_not_regular);
    }
}

TEST_CASE("a small file that changed is noticed before a connection is made") {
    const temp_dir dir;
    const std::string path = dir.write("file", "content");
    make_old(path);
    http_server server;
    transport_loop loop;
    const auto source = pinned(path);
    dir.write("file", "CONTENT");
    const response answer = loop.start(put_to(server.url()), source).get();
    CHECK(answer.failure == errc::file_changed);
    CHECK_FALSE(answer.may_have_left);
    CHECK(server.log().connections() == 0);
}

TEST_CASE("a file is sent to its last byte and ranges of it from their first") {
    const temp_dir dir;
    const std::string content = random_bytes(1'000'000);
    const std::string path = dir.write("file", content);
    http_server server;
    transport_loop loop;
    const pinned_file pin = file_opener::pin_one(path);
    CHECK(loop.start(put_to(server.url()), pinned(path)).get().status == 201);
    CHECK(server.finished(1).body == content);
    const auto range = std::make_shared<file_source>(range_of(pin, 999'000, 1'000));
    CHECK(loop.start(put_to(server.url()), range).get().status == 201);
    CHECK(server.finished(2).body == content.substr(999'000));
}

}  // namespace waybill::test
