// SPDX-License-Identifier: BSL-1.0
#include <waybill/source/file_source.hpp>

#include "support/catch.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace waybill::test {
namespace {

namespace fs = std::filesystem;

std::string all_of(body_source& source) {
    std::string out(static_cast<std::size_t>(source.size()), '?');
    source.read(0, out);
    return out;
}

std::unique_ptr<body_source> open_pinned(const pinned_file& p) {
    return std::make_unique<file_source>(p.path, p.identity, 0, p.identity.size);
}

std::error_code pin_error(const std::string& path) {
    return error_of([&] { static_cast<void>(file_opener::pin_one(path)); });
}

std::string read_some(body_source& source, std::uint64_t offset, std::size_t length) {
    std::string out(length, '?');
    source.read(offset, out);
    return out;
}

void append(const std::string& path, std::string_view more) {
    std::ofstream(path, std::ios::binary | std::ios::app) << more;
}

TEST_CASE("a file is read as it was pinned", "[source][file]") {
    const temp_dir dir;
    const std::string content = random_bytes(100'000, 7);
    const pinned_file pinned = file_opener::pin_one(dir.write("a.bin", content));
    CHECK(pinned.identity.size == content.size());
    const auto source = open_pinned(pinned);
    CHECK(source->size() == content.size());
    CHECK(all_of(*source) == content);
    CHECK(read_some(*source, 99'999, 1) == content.substr(99'999));
    CHECK(read_some(*source, 500, 1000) == content.substr(500, 1000));
    CHECK(all_of(*source) == content);
}

TEST_CASE("a range of a file is read from its offset", "[source][file]") {
    const temp_dir dir;
    const std::string content = random_bytes(1'000, 8);
    const pinned_file pinned = file_opener::pin_one(dir.write("a.bin", content));
    file_source source(pinned.path, pinned.identity, 300, 200);
    CHECK(source.size() == 200);
    CHECK(all_of(source) == content.substr(300, 200));
    CHECK(read_some(source, 150, 50) == content.substr(450, 50));
}

TEST_CASE("an empty file is a file", "[source][file]") {
    const temp_dir dir;
    const pinned_file pinned = file_opener::pin_one(dir.write("empty", ""));
    const auto source = open_pinned(pinned);
    CHECK(source->size() == 0);
    source->read(0, std::span<char>());
    append(pinned.path, "x");
    CHECK(error_of([&] { source->read(0, std::span<char>()); }) == errc::file_changed);
}

// Every way a file can stop being the one that was accepted.
const std::vector<std::pair<std::string, std::function<void(const std::string&)>>>& changes() {
    static const std::vector<std::pair<std::string, std::function<void(const std::string&)>>> all = {
        {"grown", [](const std::string& p) { append(p, "more"); }},
        {"shrunk", [](const std::string& p) { fs::resize_file(p, 10); }},
        {"emptied", [](const std::string& p) { std::ofstream(p, std::ios::trunc); }},
        {"overwritten in place",
         [](const std::string& p) {
             const int fd = ::open(p.c_str(), O_WRONLY | O_CLOEXEC);
             REQUIRE(fd >= 0);
             REQUIRE(::pwrite(fd, "X", 1, 0) == 1);
             ::close(fd);
         }},
        {"touched", [](const std::string& p) { REQUIRE(::utimensat(AT_FDCWD, p.c_str(), nullptr, 0) == 0); }},
        {"overwritten, with its time put back",
         [](const std::string& p) {
             struct stat before {};
             REQUIRE(::stat(p.c_str(), &before) == 0);
             const int fd = ::open(p.c_str(), O_WRONLY | O_CLOEXEC);
             REQUIRE(fd >= 0);
             REQUIRE(::pwrite(fd, "X", 1, 0) == 1);
             ::close(fd);
             const struct timespec times[2] = {before.st_atim, before.st_mtim};
             REQUIRE(::utimensat(AT_FDCWD, p.c_str(), times, 0) == 0);
         }},
    };
    return all;
}

// Times have a granularity: what is changed within one tick of it may look unchanged. Puts the
// file's times into the past first, as they are for a file that was not written just now.
pinned_file pin_settled(const std::string& path) {
    const struct timespec past[2] = {{1'600'000'000, 123}, {1'600'000'000, 456}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), past, 0) == 0);
    pinned_file first = file_opener::pin_one(path);
    // The change of times moved the ctime: wait until the clock of files has moved on, so that the
    // next change must show.
    const temp_dir probe;
    for (int i = 0;; ++i) {
        const std::string file = probe.write("tick-" + std::to_string(i), "");
        if (file_opener::pin_one(file).identity.ctime_ns != first.identity.ctime_ns) {
            return first;
        }
        fs::remove(file);
    }
}

TEST_CASE("a file that changed before it is opened is refused", "[source][file]") {
    for (const auto& [what, change] : changes()) {
        INFO(what);
        const temp_dir dir;
        const pinned_file pinned = pin_settled(dir.write("a.bin", random_bytes(1'000, 9)));
        change(pinned.path);
        CHECK(error_of([&] { open_pinned(pinned); }) == errc::file_changed);
    }
}

TEST_CASE("a file that changes while it is being read is refused at the next byte", "[source][file]") {
    for (const auto& [what, change] : changes()) {
        INFO(what);
        const temp_dir dir;
        const pinned_file pinned = pin_settled(dir.write("a.bin", random_bytes(1'000, 9)));
        const auto source = open_pinned(pinned);
        static_cast<void>(read_some(*source, 0, 500));
        change(pinned.path);
        CHECK(error_of([&] { static_cast<void>(read_some(*source, 500, 100)); }) == errc::file_changed);
        CHECK(error_of([&] { static_cast<void>(read_some(*source, 500, 500)); }) == errc::file_changed);
        CHECK(error_of([&] { open_pinned(pinned); }) == errc::file_changed);
    }
}

TEST_CASE("another file in the place of the accepted one is refused", "[source][file]") {
    const temp_dir dir;
    const pinned_file pinned = pin_settled(dir.write("a.bin", "same content"));
    // The same content, size and times: only the inode tells.
    const std::string other = dir.write("b.bin", "same content");
    struct stat before {};
    REQUIRE(::stat(pinned.path.c_str(), &before) == 0);
    const struct timespec times[2] = {before.st_atim, before.st_mtim};
    REQUIRE(::utimensat(AT_FDCWD, other.c_str(), times, 0) == 0);
    const auto source = open_pinned(pinned);
    fs::rename(other, pinned.path);
    CHECK(error_of([&] { open_pinned(pinned); }) == errc::file_changed);
    // The open one has lost its name, which its ctime tells.
    CHECK(error_of([&] { static_cast<void>(all_of(*source)); }) == errc::file_changed);
}

TEST_CASE("a file that is removed is missing", "[source][file]") {
    const temp_dir dir;
    const pinned_file pinned = file_opener::pin_one(dir.write("a.bin", "abc"));
    fs::remove(pinned.path);
    CHECK(error_of([&] { open_pinned(pinned); }) == errc::source_missing);
    CHECK(pin_error(pinned.path) == errc::source_missing);
    CHECK(pin_error(dir / "no/such/directory") == errc::source_missing);
    CHECK(pin_error("") == errc::source_missing);
    const std::string file = dir.write("file", "");
    CHECK(pin_error(file + "/below") == errc::source_missing);
}

TEST_CASE("only regular files are sources", "[source][file]") {
    const temp_dir dir;
    CHECK(pin_error(dir.path()) == errc::source_not_regular);
    CHECK(pin_error("/dev/null") == errc::source_not_regular);

    // Nobody writes to it: opening it must not wait for somebody who does.
    const std::string fifo = dir / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    CHECK(pin_error(fifo) == errc::source_not_regular);

    struct sockaddr_un address {};
    address.sun_family = AF_UNIX;
    const std::string path = dir / "socket";
    REQUIRE(path.size() < sizeof address.sun_path);
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const detail::unique_fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(socket.get(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address) == 0);
    CHECK(pin_error(path) == errc::source_not_regular);
}

TEST_CASE("links are followed when a job is accepted and never again", "[source][file]") {
    const temp_dir dir;
    const std::string target = dir.write("real/a.bin", "real content");
    fs::create_symlink(target, dir / "link");
    fs::create_directory_symlink(dir / "real", dir / "linked-directory");

    CHECK(file_opener::pin_one(dir / "link").path == target);
    CHECK(file_opener::pin_one(dir / "linked-directory/a.bin").path == target);
    const pinned_file pinned = file_opener::pin_one(dir / "link");
    CHECK(all_of(*open_pinned(pinned)) == "real content");

    // A link put in the place of the file is not followed, even to the very same file.
    fs::rename(target, dir / "real/moved.bin");
    fs::create_symlink(dir / "real/moved.bin", target);
    CHECK(error_of([&] { open_pinned(pinned); }) == errc::source_not_regular);

    fs::create_symlink(dir / "loop", dir / "loop");
    CHECK(pin_error(dir / "loop") == errc::source_not_regular);
    fs::create_symlink(dir / "nowhere", dir / "dangling");
    CHECK(pin_error(dir / "dangling") == errc::source_missing);
}

TEST_CASE("a pinned path is absolute", "[source][file]") {
    const temp_dir dir;
    const std::string path = dir.write("a.bin", "abc");
    const fs::path before = fs::current_path();
    fs::current_path(dir.path());
    const pinned_file pinned = file_opener::pin_one("a.bin");
    fs::current_path(before);
    CHECK(pinned.path == path);
}

// Permissions do not bind the superuser: look with the eyes of somebody else.
int as_nobody(const std::function<int()>& look) {
    if (::geteuid() != 0) {
        return look();
    }
    const pid_t child = ::fork();
    if (child == 0) {
        constexpr uid_t nobody = 65534;
        const bool changed = ::setresgid(nobody, nobody, nobody) == 0 && ::setresuid(nobody, nobody, nobody) == 0;
        ::_exit(changed ? look() : 99);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

TEST_CASE("a file one may not read is unreadable", "[source][file]") {
    const temp_dir dir;
    fs::permissions(dir.path(), fs::perms::all);
    const std::string secret = dir.write("secret", "abc");
    fs::permissions(secret, fs::perms::none);
    const std::string inside = dir.write("closed/inside", "abc");
    fs::permissions(dir / "closed", fs::perms::none);
    const auto looks = [](const std::string& path, errc expected) {
        return as_nobody([&] { return pin_error(path) == expected ? 0 : 1; });
    };
    CHECK(looks(secret, errc::source_unreadable) == 0);
    CHECK(looks(inside, errc::source_unreadable) == 0);
    fs::permissions(dir / "closed", fs::perms::owner_all);
}

TEST_CASE("what the system says about opening is sorted into what to do about it", "[source][file]") {
    using detail::open_error;
    CHECK(open_error(ENOENT) == errc::source_missing);
    CHECK(open_error(ENOTDIR) == errc::source_missing);
    CHECK(open_error(ELOOP) == errc::source_not_regular);
    CHECK(open_error(ENXIO) == errc::source_not_regular);
    CHECK(open_error(EACCES) == errc::source_unreadable);
    CHECK(open_error(EPERM) == errc::source_unreadable);
    // Not the file's fault, and over in a while.
    for (const int number : {EMFILE, ENFILE, ENOMEM, EIO, ESTALE, EINTR}) {
        CHECK(open_error(number) == errc::source_read_failed);
        CHECK(make_error_code(open_error(number)) == cause::retryable);
    }
}

TEST_CASE("errors of a file name it", "[source][file]") {
    const temp_dir dir;
    try {
        static_cast<void>(file_opener::pin_one(dir / "missing.jpg"));
        FAIL("a missing file was pinned");
    } catch (const error& e) {
        CHECK(e.details().detail == dir / "missing.jpg");
    }
    const pinned_file pinned = pin_settled(dir.write("a.bin", "abc"));
    append(pinned.path, "d");
    try {
        open_pinned(pinned);
        FAIL("a changed file was opened");
    } catch (const error& e) {
        CHECK(e.details().detail == pinned.path);
    }
}

TEST_CASE("an opener pins many files in order, or none", "[source][file]") {
    const temp_dir dir;
    asio::io_context context;
    const detail::strand home = asio::make_strand(asio::any_io_executor(context.get_executor()));
    file_opener opener(home);
    std::vector<std::string> paths;
    for (int i = 0; i < 20; ++i) {
        paths.push_back(dir.write("file-" + std::to_string(i), std::string(static_cast<std::size_t>(i), 'x')));
    }
    const auto pins = run<std::vector<pinned_file>>(context, [&] { return opener.pin(paths); });
    REQUIRE(pins.size() == 20);
    for (std::size_t i = 0; i < pins.size(); ++i) {
        CHECK(pins[i].path == paths[i]);
        CHECK(pins[i].identity.size == i);
    }
    paths[7] = dir / "missing";
    paths[9] = dir.path();
    CHECK(error_of([&] { run<std::vector<pinned_file>>(context, [&] { return opener.pin(paths); }); }) ==
          errc::source_missing);
    CHECK(run<std::vector<pinned_file>>(context, [&] { return opener.pin({}); }).empty());
}

TEST_CASE("links among many files are resolved, in their names and in their directories", "[source][file]") {
    const temp_dir dir;
    asio::io_context context;
    const detail::strand home = asio::make_strand(asio::any_io_executor(context.get_executor()));
    file_opener opener(home);
    const std::string real = dir.write("real/file", "content");
    const std::string other = dir.write("other", "x");
    std::filesystem::create_symlink(other, dir / "real/link");
    std::filesystem::create_directory_symlink(dir / "real", dir / "door");
    const std::vector<std::string> paths = {real, dir / "real/link", dir / "door/file", dir / "door/link",
                                            dir / "real/../real/file"};
    const auto pins = run<std::vector<pinned_file>>(context, [&] { return opener.pin(paths); });
    REQUIRE(pins.size() == 5);
    CHECK(pins[0].path == real);
    CHECK(pins[1].path == other);
    CHECK(pins[2].path == real);
    CHECK(pins[3].path == other);
    CHECK(pins[4].path == real);
    const auto error_for = [&](const std::string& path) {
        return error_of([&] { run<std::vector<pinned_file>>(context, [&] { return opener.pin({real, path}); }); });
    };
    // The file would be found if a directory that is not there were taken for the root.
    CHECK(error_for(dir / "missing/etc/passwd") == errc::source_missing);
    CHECK(error_for("missing/etc") == errc::source_missing);
    CHECK(error_for(dir / "real/..") == errc::source_not_regular);
}

TEST_CASE("an opener opens items of every kind", "[source][file]") {
    const temp_dir dir;
    asio::io_context context;
    file_opener opener(asio::make_strand(asio::any_io_executor(context.get_executor())));
    const pinned_file pinned = file_opener::pin_one(dir.write("a.bin", "0123456789"));
    item_spec spec;
    spec.path = pinned.path;
    spec.identity = pinned.identity;
    spec.kind = source_kind::file;
    spec.size = 10;
    CHECK(all_of(*opener.open(spec)) == "0123456789");
    spec.kind = source_kind::range;
    spec.offset = 2;
    spec.size = 3;
    CHECK(all_of(*opener.open(spec)) == "234");
    item_spec bytes;
    bytes.kind = source_kind::bytes;
    bytes.data = "from memory";
    CHECK(all_of(*opener.open(bytes)) == "from memory");
}

TEST_CASE("a descriptor is closed once", "[source][file]") {
    const int raw = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(raw >= 0);
    {
        detail::unique_fd first(raw);
        detail::unique_fd second(std::move(first));
        CHECK_FALSE(first);
        CHECK(second.get() == raw);
        detail::unique_fd third;
        CHECK_FALSE(third);
        third = std::move(second);
        CHECK(third.get() == raw);
        CHECK(::fcntl(raw, F_GETFD) >= 0);
    }
    CHECK(::fcntl(raw, F_GETFD) == -1);
}

}  // namespace
}  // namespace waybill::test
