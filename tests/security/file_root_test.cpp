// SPDX-License-Identifier: BSL-1.0
#include <waybill/source/file_source.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_server.hpp"
#include "support/pinned.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <cerrno>
#include <filesystem>
#include <functional>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>

// Uploads confined to a folder.
namespace waybill::test {
namespace {

namespace fs = std::filesystem;

/// A root with a file, next to things it must not lead to.
struct confined {
    temp_dir dir;
    std::string root = dir / "root";
    std::string inside = dir.write("root/sub/a.bin", "inside");
    std::string outside = dir.write("outside/b.bin", "outside");
    std::string sibling = dir.write("root-too/c.bin", "a name that begins alike");
    file_root confines{root};

    std::error_code pin_error(const std::string& path) const {
        return error_of([&] { static_cast<void>(file_opener::pin_one(path, confines)); });
    }
};

int beneath(int folder, const std::string& path, bool stepwise) {
    constexpr int flags = detail::source_flags | O_NOFOLLOW;
    const int fd =
        stepwise ? detail::open_beneath_stepwise(folder, path, flags) : detail::open_beneath(folder, path, flags);
    if (fd >= 0) {
        ::close(fd);
        return 0;
    }
    return errno;
}

}  // namespace

TEST_CASE("a file below the root is sent, also when it is named in other ways") {
    const confined at;
    fs::create_directory_symlink(at.root, at.dir / "link-to-root");
    fs::create_symlink(at.inside, at.dir / "root/link");
    for (const std::string& path : {at.inside, at.dir / "root/sub/../sub/./a.bin", at.dir / "link-to-root/sub/a.bin",
                                    at.dir / "root/link", at.dir / "outside/../root/sub/a.bin"}) {
        CAPTURE(path);
        CHECK(file_opener::pin_one(path, at.confines).path == at.inside);
    }
}

TEST_CASE("a file outside the root is refused, whichever way leads there") {
    const confined at;
    fs::create_symlink(at.outside, at.dir / "root/link");
    fs::create_directory_symlink(at.dir / "outside", at.dir / "root/folder");
    for (const std::string& path :
         {at.outside, at.sibling, at.dir / "root/../outside/b.bin", at.dir / "root/link", at.dir / "root/folder/b.bin",
          std::string("/etc/passwd"), std::string("/proc/self/cmdline"), std::string("/proc/self/root/etc/passwd")}) {
        CAPTURE(path);
        CHECK(at.pin_error(path) == errc::source_outside);
    }
    REQUIRE(::mkfifo((at.root + "/fifo").c_str(), 0600) == 0);
    CHECK(at.pin_error(at.root + "/fifo") == errc::source_not_regular);
    CHECK(at.pin_error(at.root) == errc::source_outside);
    CHECK(at.pin_error(at.root + "/sub") == errc::source_not_regular);
    CHECK(at.pin_error(at.root + "/none") == errc::source_missing);
}

TEST_CASE("a folder swapped for a link after the job was accepted leads nowhere") {
    const confined at;
    const pinned_file pinned = file_opener::pin_one(at.inside, at.confines);
    fs::rename(at.root + "/sub", at.root + "/moved");
    fs::create_directory_symlink(at.root + "/moved", at.root + "/sub");
    // The very same file is there, by way of a link.
    const auto open = [&](const file_root& root) {
        return error_of([&] { const file_source source(item_of(pinned), root); });
    };
    CHECK(open(at.confines) == errc::source_not_regular);
    CHECK(open(file_root()) == std::error_code());
}

TEST_CASE("another folder that takes the root's name is not the root") {
    const confined at;
    fs::rename(at.root, at.dir / "was-root");
    at.dir.write("root/sub/a.bin", "another");
    pinned_file elsewhere = file_opener::pin_one(at.dir / "was-root/sub/a.bin");
    elsewhere.path = at.inside;
    CHECK(error_of([&] { const file_source source(item_of(elsewhere), at.confines); }) ==
          std::error_code());  // it is the folder that counts, and it was held open
    const pinned_file impostor = file_opener::pin_one(at.inside);
    CHECK(error_of([&] { const file_source source(item_of(impostor), at.confines); }) == errc::file_changed);
}

TEST_CASE("with or without openat2 a path cannot leave its folder") {
    const bool stepwise = GENERATE(false, true);
    CAPTURE(stepwise);
    const confined at;
    fs::create_symlink(at.outside, at.dir / "root/link");
    fs::create_directory_symlink(at.dir / "outside", at.dir / "root/folder");
    fs::create_directory_symlink("/proc/self/root", at.dir / "root/magic");
    const detail::unique_fd folder(::open(at.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    CHECK(beneath(folder.get(), "sub/a.bin", stepwise) == 0);
    CHECK(beneath(folder.get(), "none", stepwise) == ENOENT);
    CHECK(beneath(folder.get(), "link", stepwise) == ELOOP);
    CHECK(beneath(folder.get(), "../outside/b.bin", stepwise) == EXDEV);
    CHECK(beneath(folder.get(), "sub/../../outside/b.bin", stepwise) == EXDEV);
    CHECK(beneath(folder.get(), "/etc/passwd", stepwise) == EXDEV);
    for (const char* through : {"folder/b.bin", "magic/etc/passwd"}) {
        const int why = beneath(folder.get(), through, stepwise);
        CHECK((why == ELOOP || why == ENOTDIR));
    }
}

TEST_CASE("a root that does not exist lets no file through") {
    const confined at;
    const file_root nowhere(at.dir / "no such folder");
    CHECK(error_of([&] { static_cast<void>(file_opener::pin_one(at.inside, nowhere)); }) == errc::source_outside);
}

TEST_CASE("a root whose disk is mounted later is waited for") {
    const confined at;
    fs::rename(at.root, at.dir / "not mounted");
    const file_root later(at.root);
    CHECK(error_of([&] { static_cast<void>(file_opener::pin_one(at.outside, later)); }) == errc::source_outside);
    pinned_file pinned = file_opener::pin_one(at.dir / "not mounted/sub/a.bin");
    pinned.path = at.inside;
    CHECK(error_of([&] { const file_source source(item_of(pinned), later); }) == errc::source_unavailable);
    fs::rename(at.dir / "not mounted", at.root);
    CHECK(error_of([&] { const file_source source(item_of(pinned), later); }) == std::error_code());
    CHECK(error_of([&] { static_cast<void>(file_opener::pin_one(at.outside, later)); }) == errc::source_outside);
}

TEST_CASE("an uploader that is confined sends what the store has from before only if it is inside") {
    const confined at;
    http_server server;
    options how = quick_options(at.dir);
    const auto job_for = [&](const std::string& file) {
        job one(server.url("/"));
        one.file(file);
        return one;
    };
    server.next(script("not yet").read_all().answer({503, {{"Retry-After", "3600"}}}).linger());
    job_id outside;
    {
        delivery anywhere(how);
        outside = anywhere.enqueue(job_for(at.outside));
        REQUIRE(anywhere.waiting(outside).status == status::waiting);
    }
    how.file_root = at.root;
    delivery uploads(how);
    uploads.up().async_retry(outside, asio::use_future).get();
    const job_snapshot refused = uploads.settled(outside);
    CHECK(refused.error.code == errc::source_outside);
    CHECK_THAT(refused.error.message(), Catch::Contains("b.bin"));
    CHECK(uploads.settled(uploads.enqueue(job_for(at.inside))).status == status::completed);
    CHECK(error_of([&] { uploads.enqueue(job_for(at.outside)); }) == errc::source_outside);
}

}  // namespace waybill::test
