// SPDX-License-Identifier: BSL-1.0
//
// The whole library over a disk that fails under the store, without a restart: real store, real
// transport, real server.

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_server.hpp"
#include "support/recording_vfs.hpp"
#include "support/run.hpp"

#include <atomic>
#include <fstream>
#include <string>
#include <vector>

#include <sys/mount.h>
#include <unistd.h>

using namespace waybill;
using namespace waybill::test;

namespace {

using kind = disk_operation::kind;

job form_of(const http_server& server, const std::string& id, const std::string& file) {
    job one(server.url("/posts"));
    one.id(job_id(id)).via(multipart{}).if_unknown(on_unknown::retry_same_key).file(file);
    return one;
}

}  // namespace

TEST_CASE("whichever sync or write fails, the store is opened anew and everything arrives without a restart") {
    const kind what = GENERATE(kind::sync, kind::write);
    for (int nth = 1;; nth += what == kind::sync ? 1 : 4) {
        const temp_dir dir;
        const std::string file = dir.write("a.bin", random_bytes(50'000));
        recording_vfs disk;
        std::atomic<int> left{0};
        http_server server;
        std::atomic<bool> failed{false};
        disk.fault = [&](const disk_operation& one) {
            if (one.what != what || left == 0 || --left > 0) {
                return SQLITE_OK;
            }
            failed = true;
            return what == kind::sync ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
        };
        delivery up(quick_options(dir));
        CAPTURE(nth, static_cast<int>(what));
        left = nth;
        for (int i = 0; i < 3; ++i) {
            const std::string id = "job" + std::to_string(i);
            // Refused when the failure hits it; asking again with the same id is always safe.
            const std::error_code got = error_of([&] { up.enqueue(form_of(server, id, file)); });
            REQUIRE((!got || got == errc::store_failed));
            if (got) {
                up.enqueue(form_of(server, id, file));
            }
        }
        for (int i = 0; i < 3; ++i) {
            REQUIRE(up.settled(job_id("job" + std::to_string(i))).status == status::completed);
        }
        if (!failed) {
            REQUIRE(nth > 6);
            break;
        }
    }
}

namespace {

/// A small file system of its own; only root can have one.
class small_disk {
public:
    explicit small_disk(const temp_dir& dir) : path_(dir / "disk") {
        std::filesystem::create_directory(path_);
        std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
        mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=2m,mode=700") == 0;
    }
    small_disk(const small_disk&) = delete;
    small_disk& operator=(const small_disk&) = delete;
    ~small_disk() {
        if (mounted_) {
            ::umount2(path_.c_str(), MNT_DETACH);
        }
    }
    [[nodiscard]] bool mounted() const noexcept { return mounted_; }
    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    void fill() const {
        std::ofstream out(*this / "filler", std::ios::binary);
        const std::string piece(1024, 'x');
        while (out.write(piece.data(), static_cast<std::streamsize>(piece.size())).flush()) {
        }
    }
    void make_space() const { std::filesystem::remove(*this / "filler"); }

private:
    std::string path_;
    bool mounted_ = false;
};

}  // namespace

TEST_CASE("on a full disk what was accepted is delivered and kept, and everything goes on once there is space") {
    const temp_dir dir;
    const small_disk disk(dir);
    if (!disk.mounted()) {
        WARN("not checked: only root can mount a small disk");
        return;
    }
    const std::string file = dir.write("a.bin", random_bytes(50'000));
    constexpr int jobs = 12;
    http_server server;
    options how = quick_options(dir);
    how.store.path = disk / "store.db";
    how.retry.attempts = 1000;
    {
        std::vector<job_id> ids;
        delivery up(how);
        // The first is refused for a while, so that nothing is delivered before the disk is full.
        std::vector<script> busy(8, script("busy").read_all().answer({503, {}, ""}));
        server.next(busy);
        for (int i = 0; i < jobs; ++i) {
            ids.push_back(up.enqueue(form_of(server, "job" + std::to_string(i), file)));
        }
        disk.fill();
        // More than the store has room for: sooner or later one is refused.
        std::error_code got;
        for (int i = 0; i < 1000 && !got; ++i) {
            job large(server.url("/posts"));
            large.via(multipart{}).if_unknown(on_unknown::retry_same_key).bytes("a.bin", random_bytes(20'000));
            got = error_of([&] { ids.push_back(up.enqueue(large)); });
        }
        CHECK(got == errc::store_full);
        for (const job_id& id : ids) {
            REQUIRE(up.settled(id).status == status::completed);
        }
        disk.make_space();
        up.enqueue(form_of(server, "later", file));
        CHECK(up.settled(job_id("later")).status == status::completed);
    }
    const std::size_t requests = server.requests().size();
    delivery again(how);
    for (int i = 0; i < jobs; ++i) {
        CHECK(again.settled(job_id("job" + std::to_string(i))).status == status::completed);
    }
    CHECK(server.requests().size() == requests);
}
