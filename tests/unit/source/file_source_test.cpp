// SPDX-License-Identifier: BSL-1.0
#include <waybill/source/file_source.hpp>

#include "support/catch.hpp"
#include "support/pinned.hpp"
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
#include <sys/inotify.h>
#include <sys/mount.h>
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
    return std::make_unique<file_source>(item_of(p));
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
    wanted_file wanted(dir.write("a.bin", content));
    wanted.offset = 300;
    wanted.length = 200;
    file_source source(range_of(file_opener::pin_one(wanted), 300, 200));
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
pinned_file pin_settled(const std::string& path, fingerprint_scope scope = fingerprint_scope::sampled) {
    const struct timespec past[2] = {{1'600'000'000, 123}, {1'600'000'000, 456}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), past, 0) == 0);
    wanted_file wanted(path);
    wanted.scope = scope;
    pinned_file first = file_opener::pin_one(wanted);
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

void put_time_back(const std::string& path, const pinned_file& as) {
    constexpr std::int64_t second = 1'000'000'000;
    const struct timespec time = {as.identity.mtime_ns / second, as.identity.mtime_ns % second};
    const struct timespec times[2] = {time, time};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
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

TEST_CASE("another file in the place of the accepted one is it when it has its size, time and bytes",
          "[source][file]") {
    const bool same = GENERATE(true, false);
    const temp_dir dir;
    const pinned_file pinned = pin_settled(dir.write("a.bin", "some content"));
    const std::string other = dir.write("b.bin", same ? "some content" : "SOME CONTENT");
    put_time_back(other, pinned);
    const auto source = open_pinned(pinned);
    fs::rename(other, pinned.path);
    if (same) {
        CHECK(all_of(*open_pinned(pinned)) == "some content");
    } else {
        CHECK(error_of([&] { open_pinned(pinned); }) == errc::file_changed);
    }
    // The open one has lost its name.
    CHECK(error_of([&] { static_cast<void>(all_of(*source)); }) == errc::file_changed);
}

// What says nothing of a file's content.
const std::vector<std::pair<std::string, std::function<void(const std::string&)>>>& touches() {
    static const std::vector<std::pair<std::string, std::function<void(const std::string&)>>> all = {
        {"permissions", [](const std::string& p) { fs::permissions(p, fs::perms::owner_read); }},
        {"a hard link", [](const std::string& p) { fs::create_hard_link(p, p + ".link"); }},
        {"a link less",
         [](const std::string& p) {
             fs::create_hard_link(p, p + ".link");
             fs::remove(p + ".link");
         }},
        {"another name, and back",
         [](const std::string& p) {
             fs::rename(p, p + ".other");
             fs::rename(p + ".other", p);
         }},
        {"another inode",
         [](const std::string& p) {
             const pinned_file before = file_opener::pin_one(p);
             fs::copy_file(p, p + ".copy");
             put_time_back(p + ".copy", before);
             fs::rename(p + ".copy", p);
         }},
        {"a time that was cut off at whole seconds",
         [](const std::string& p) {
             struct stat now {};
             REQUIRE(::stat(p.c_str(), &now) == 0);
             const struct timespec times[2] = {now.st_atim, {now.st_mtim.tv_sec, 0}};
             REQUIRE(::utimensat(AT_FDCWD, p.c_str(), times, 0) == 0);
         }},
    };
    return all;
}

TEST_CASE("a file of which no byte has changed is the accepted one", "[source][file][identity]") {
    for (const auto& [what, touch] : touches()) {
        INFO(what);
        const temp_dir dir;
        const std::string content = random_bytes(32'768, 9);
        const pinned_file pinned = pin_settled(dir.write("a.bin", content));
        CHECK(pinned.content.scope == fingerprint_scope::whole);  // a sample of so few bytes is of all
        touch(pinned.path);
        CHECK(all_of(*open_pinned(pinned)) == content);
    }
}

TEST_CASE("a small file is read on when no byte of it changes meanwhile", "[source][file][identity]") {
    const temp_dir dir;
    const std::string content = random_bytes(1'000, 9);
    const pinned_file pinned = pin_settled(dir.write("a.bin", content));
    const auto source = open_pinned(pinned);
    CHECK(read_some(*source, 0, 500) == content.substr(0, 500));
    fs::create_hard_link(pinned.path, dir / "link");
    CHECK(read_some(*source, 500, 500) == content.substr(500));
}

TEST_CASE("of a large file that was touched the content is asked, on another thread", "[source][file][identity]") {
    const auto scope = GENERATE(fingerprint_scope::none, fingerprint_scope::sampled, fingerprint_scope::whole);
    const bool begun = GENERATE(false, true);
    CAPTURE(static_cast<int>(scope), begun);
    for (const auto& [what, touch] : touches()) {
        if (scope == fingerprint_scope::none && what == "a time that was cut off at whole seconds") {
            continue;
        }
        INFO(what);
        const temp_dir dir;
        asio::io_context context;
        file_opener opener(asio::make_strand(asio::any_io_executor(context.get_executor())));
        const std::string content = random_bytes(5'000'000, 9);
        item_spec spec = item_of(pin_settled(dir.write("a.bin", content), scope));
        CHECK(spec.content.scope == scope);
        touch(spec.path);
        CHECK(error_of([&] { static_cast<void>(opener.open(spec)); }) == errc::file_touched);
        const auto found = run<std::vector<recognition>>(context, [&] { return opener.recognize({spec}, {begun}); });
        REQUIRE(found.size() == 1);
        CHECK_FALSE(found.front().error);
        CHECK(found.front().certain == (scope == fingerprint_scope::whole));
        // What goes up anew is known for certain from then on.
        CHECK(found.front().content.scope == (begun ? fingerprint_scope::whole : scope));
        spec.identity = found.front().identity;
        spec.content = found.front().content;
        CHECK(all_of(*opener.open(spec)) == content);
    }
}

TEST_CASE("an edit whose time was put back is found where a fingerprint looks", "[source][file][identity]") {
    const temp_dir dir;
    asio::io_context context;
    file_opener opener(asio::make_strand(asio::any_io_executor(context.get_executor())));
    const auto scope = GENERATE(fingerprint_scope::sampled, fingerprint_scope::whole);
    const bool at_the_end = GENERATE(true, false);
    const item_spec spec = item_of(pin_settled(dir.write("a.bin", random_bytes(5'000'000, 9)), scope));
    const int fd = ::open(spec.path.c_str(), O_WRONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    REQUIRE(::pwrite(fd, "edited", 6, at_the_end ? 4'999'990 : 70'000) == 6);
    ::close(fd);
    put_time_back(spec.path, {spec.path, spec.identity, {}});
    const auto found = run<std::vector<recognition>>(context, [&] { return opener.recognize({spec}, {true}); });
    if (at_the_end || scope == fingerprint_scope::whole) {
        CHECK(found.front().error == errc::file_changed);
    } else {
        CHECK_FALSE(found.front().certain);  // nothing that is at the server already may be continued
    }
}

TEST_CASE("files that are what they were need no look at their content", "[source][file][identity]") {
    const temp_dir dir;
    asio::io_context context;
    file_opener opener(asio::make_strand(asio::any_io_executor(context.get_executor())));
    const item_spec same = item_of(pin_settled(dir.write("a.bin", random_bytes(100'000, 9))));
    item_spec gone = same;
    gone.path = dir / "gone";
    const item_spec grown = item_of(pin_settled(dir.write("b.bin", random_bytes(100'000, 9))));
    append(grown.path, "more");
    const std::vector<item_spec> all = {same, gone, grown};
    const auto found = run<std::vector<recognition>>(context, [&] {
        return opener.recognize(all, {true, true, true});
    });
    REQUIRE(found.size() == 3);
    for (std::size_t i = 0; i < all.size(); ++i) {
        CHECK_FALSE(found[i].error);
        CHECK(found[i].identity == all[i].identity);
        CHECK(found[i].certain);
    }
}

TEST_CASE("a log that grew is the same log, and one that was written over is not", "[source][file][append]") {
    const temp_dir dir;
    const std::string content = random_bytes(100'000, 9);
    wanted_file wanted(dir.write("a.log", content));
    wanted.append_only = true;
    wanted.offset = 1'000;
    wanted.length = 90'000;
    item_spec spec = range_of(file_opener::pin_one(wanted), 1'000, 90'000);
    spec.append_only = true;
    CHECK(spec.content.scope == fingerprint_scope::sampled);
    SECTION("it grows before it is opened, while it is read, and moves to another disk") {
        append(spec.path, "more");
        file_source source(spec);
        CHECK(read_some(source, 0, 45'000) == content.substr(1'000, 45'000));
        append(spec.path, "and more");
        CHECK(read_some(source, 45'000, 45'000) == content.substr(46'000, 45'000));
        fs::copy_file(spec.path, dir / "copy");
        fs::rename(dir / "copy", spec.path);
        CHECK(all_of(*std::make_unique<file_source>(spec)) == content.substr(1'000, 90'000));
    }
    SECTION("it is cut off") {
        fs::resize_file(spec.path, 99'999);
        CHECK(error_of([&] { const file_source source(spec); }) == errc::file_changed);
    }
    SECTION("it is begun anew, and has grown beyond where it was") {
        std::ofstream(spec.path, std::ios::trunc | std::ios::binary) << random_bytes(200'000, 10);
        CHECK(error_of([&] { const file_source source(spec); }) == errc::file_changed);
    }
    SECTION("it is cut off while it is read") {
        file_source source(spec);
        static_cast<void>(read_some(source, 0, 100));
        fs::resize_file(spec.path, 50'000);
        CHECK(error_of([&] { static_cast<void>(read_some(source, 100, 100)); }) == errc::file_changed);
    }
    SECTION("it is begun anew while it is read") {
        file_source source(spec);
        static_cast<void>(read_some(source, 0, 100));
        std::ofstream(spec.path, std::ios::trunc | std::ios::binary) << random_bytes(200'000, 10);
        static_cast<void>(read_some(source, 100, 100));
        CHECK(error_of([&] { static_cast<void>(read_some(source, 200, 89'800)); }) == errc::file_changed);
    }
}

TEST_CASE("a file whose size is not what it gives is refused", "[source][file]") {
    CHECK(pin_error("/proc/version") == errc::source_size_wrong);  // says 0 and gives more
    if (fs::exists("/sys/kernel/mm/transparent_hugepage/enabled")) {
        CHECK(pin_error("/sys/kernel/mm/transparent_hugepage/enabled") == errc::source_size_wrong);  // 4096, and less
    } else {
        WARN("not checked: no file of sysfs here");
    }
    // As a store from before may have it.
    item_spec spec;
    spec.path = "/proc/version";
    spec.identity = detail::open_regular(spec.path, file_root()).identity;
    CHECK(error_of([&] { const file_source source(spec); }) == errc::source_size_wrong);
}

TEST_CASE("a FIFO is not opened for reading", "[source][file]") {
    const temp_dir dir;
    const std::string path = dir.write("a", "content");
    const pinned_file pinned = file_opener::pin_one(path);
    fs::remove(path);
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    // Somebody who writes to it would go on once it is read: he would be told so by no error.
    const auto writer_goes_on = [&] {
        const int fd = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0) {
            ::close(fd);
        }
        return fd >= 0;
    };
    struct watcher {
        explicit watcher(const std::string& path) : fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
            REQUIRE(::inotify_add_watch(fd.get(), path.c_str(), IN_OPEN) >= 0);
        }
        [[nodiscard]] bool saw_opening() const {
            char event[sizeof(struct inotify_event) + 256];
            return ::read(fd.get(), event, sizeof event) > 0;
        }
        detail::unique_fd fd;
    };
    const watcher watches(path);
    CHECK(pin_error(path) == errc::source_not_regular);
    CHECK(error_of([&] { open_pinned(pinned); }) == errc::source_not_regular);
    CHECK_FALSE(watches.saw_opening());
    CHECK_FALSE(writer_goes_on());
}

TEST_CASE("a file whose disk is not mounted is out of reach, not missing", "[source][file]") {
    const temp_dir dir;
    const pinned_file pinned = file_opener::pin_one(dir.write("disk/a.bin", "abc"));
    SECTION("its directory is not there") {
        fs::rename(dir / "disk", dir / "elsewhere");
        CHECK(error_of([&] { open_pinned(pinned); }) == errc::source_unavailable);
        fs::rename(dir / "elsewhere", dir / "disk");
        CHECK(all_of(*open_pinned(pinned)) == "abc");
    }
    SECTION("its directory is there and empty") {
        fs::remove(pinned.path);
        CHECK(error_of([&] { open_pinned(pinned); }) == errc::source_missing);
        pinned_file mounted = pinned;
        mounted.identity.device += 1;  // accepted while something was mounted there
        CHECK(error_of([&] { open_pinned(mounted); }) == errc::source_unavailable);
        dir.write("disk/other", "");
        CHECK(error_of([&] { open_pinned(mounted); }) == errc::source_missing);
    }
}

// A mount that is gone at the end of the test.
class tmpfs {
public:
    explicit tmpfs(std::string where) : where_(std::move(where)) { mount(); }
    tmpfs(const tmpfs&) = delete;
    tmpfs& operator=(const tmpfs&) = delete;
    ~tmpfs() { unmount(); }
    void mount() { mounted_ = ::mount("none", where_.c_str(), "tmpfs", 0, "size=8m") == 0; }
    void unmount() {
        if (std::exchange(mounted_, false)) {
            ::umount2(where_.c_str(), MNT_DETACH);
        }
    }
    [[nodiscard]] bool mounted() const noexcept { return mounted_; }

private:
    std::string where_;
    bool mounted_ = false;
};

TEST_CASE("files of a disk that is mounted later are found again, under other numbers", "[source][file][mount]") {
    const temp_dir dir;
    fs::create_directory(dir / "disk");
    tmpfs disk(dir / "disk");
    if (!disk.mounted()) {
        WARN("not checked: this user may not mount");
        return;
    }
    const std::string content = random_bytes(20'000, 9);
    const pinned_file pinned = pin_settled(dir.write("disk/a.bin", content));
    disk.unmount();
    CHECK(error_of([&] { open_pinned(pinned); }) == errc::source_unavailable);
    disk.mount();
    REQUIRE(disk.mounted());
    dir.write("disk/first", "takes the number of the inode");
    dir.write("disk/a.bin", content);
    put_time_back(pinned.path, pinned);
    REQUIRE(file_opener::pin_one(pinned.path).identity.inode != pinned.identity.inode);
    CHECK(all_of(*open_pinned(pinned)) == content);
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
    const pinned_file pinned = file_opener::pin_one(std::string("a.bin"));
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
    CHECK(open_error(EACCES) == errc::source_unreadable);
    CHECK(open_error(EPERM) == errc::source_unreadable);
    // Of its disk or share, or of this process: not the file's fault, and over in a while.
    for (const int number : {EIO, ENXIO, ENODEV, ENOMEDIUM, ENOTCONN, ESTALE, EREMOTEIO, EHOSTDOWN, EHOSTUNREACH,
                             ETIMEDOUT, ECONNREFUSED, ENOKEY, EMFILE, ENFILE, ENOMEM}) {
        CAPTURE(number);
        CHECK(open_error(number) == errc::source_unavailable);
        CHECK(detail::read_error(number) == errc::source_unavailable);
    }
    for (const int number : {EINTR, EAGAIN, EBUSY, EUCLEAN}) {
        CHECK(open_error(number) == errc::source_read_failed);
        CHECK(detail::read_error(number) == errc::source_read_failed);
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
    std::vector<wanted_file> paths;
    for (int i = 0; i < 20; ++i) {
        paths.emplace_back(dir.write("file-" + std::to_string(i), std::string(static_cast<std::size_t>(i), 'x')));
    }
    const auto pins = run<std::vector<pinned_file>>(context, [&] { return opener.pin(paths); });
    REQUIRE(pins.size() == 20);
    for (std::size_t i = 0; i < pins.size(); ++i) {
        CHECK(pins[i].path == paths[i].path);
        CHECK(pins[i].identity.size == i);
    }
    paths[7] = dir / "missing";
    paths[9] = dir.path().string();
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
    const std::vector<wanted_file> paths = {real, dir / "real/link", dir / "door/file", dir / "door/link",
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
    CHECK(all_of(*opener.open(item_of(pinned))) == "0123456789");
    CHECK(all_of(*opener.open(range_of(pinned, 2, 3))) == "234");
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
