// SPDX-License-Identifier: BSL-1.0
//
// Ctrl-C while a command other than `run` is at work.

#include <waybill/uploader.hpp>

#include "cli/command.hpp"
#include "support/catch.hpp"
#include "support/run.hpp"

#include <array>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace waybill::test;

namespace {

/// A pipe with a name. Who writes into it more than a pipe holds is stopped there until it is emptied.
class named_pipe {
public:
    explicit named_pipe(std::string path) : path_(std::move(path)) {
        REQUIRE(::mkfifo(path_.c_str(), 0600) == 0);
        end_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
        REQUIRE(end_ >= 0);
    }
    named_pipe(const named_pipe&) = delete;
    named_pipe& operator=(const named_pipe&) = delete;
    ~named_pipe() { ::close(end_); }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    void wait_for_bytes() const {
        pollfd what{end_, POLLIN, 0};
        REQUIRE(::poll(&what, 1, 60'000) == 1);
    }
    void empty_until_end_of(process& writer) const {
        std::array<char, 65536> piece;
        while (!writer.wait(std::chrono::milliseconds(5))) {
            while (::read(end_, piece.data(), piece.size()) > 0) {
            }
        }
    }

private:
    std::string path_;
    int end_ = -1;
};

void add_many(const command& to, int count) {
    asio::io_context context(1);
    waybill::options how;
    how.store.path = to.store();
    waybill::uploader up(context.get_executor(), how);
    std::vector<waybill::job> jobs;
    for (int i = 0; i < count; ++i) {
        jobs.push_back(waybill::job("http://example.com/").bytes("a.bin", "content"));
    }
    const std::function<asio::awaitable<void>()> work = [&]() -> asio::awaitable<void> {
        co_await up.async_enqueue(std::move(jobs));
        co_await up.async_stop();
    };
    run<void>(context, work);
}

/// The command, interrupted when it locks its store, on a disk so slow that this is long before it
/// has opened it.
finished_process run_interrupted_at_its_begin(const command& waybill, const std::vector<std::string>& arguments) {
    command_line what = waybill.line(arguments);
    what.argv.insert(what.argv.begin(),
                     {"strace", "-qq", "-f", "-o", waybill.dir() / "trace", "-e", "trace=flock,fsync,fdatasync", "-e",
                      "inject=flock:signal=SIGINT:when=1", "-e", "inject=fsync,fdatasync:delay_enter=100000"});
    return run_process(what);
}

bool may_trace() {
    command_line what;
    what.argv = {"strace", "-qq", "-o", "/dev/null", "true"};
    return !find_program("strace").empty() && run_process(what).status.code == 0;
}

}  // namespace

TEST_CASE("Ctrl-C ends a list that is being read slowly") {
    const command waybill;
    add_many(waybill, 2000);
    const named_pipe reader(waybill.dir() / "reader");
    process listing = waybill.start({"list", "--json"}, reader.path());
    reader.wait_for_bytes();
    listing.kill(SIGINT);
    reader.empty_until_end_of(listing);
    CHECK(listing.wait(std::chrono::seconds(0)) == exit_status{130, 0});
    CHECK(read_file(waybill.dir() / "err") == "waybill: interrupted; not all jobs are listed\n");
}

TEST_CASE("Ctrl-C before a job is accepted says that it is not") {
    if (!may_trace()) {
        WARN("not checked: strace is not installed, or may not trace here");
        return;
    }
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    const finished_process done = run_interrupted_at_its_begin(waybill, {"add", "--to", "http://example.com/", file});
    CHECK(done.status == exit_status{130, 0});
    CHECK(done.out.empty());
    CHECK(done.err == "waybill: interrupted; the job was not accepted\n");
    CHECK(waybill.list().empty());
}

TEST_CASE("Ctrl-C before a job is changed says that nothing was") {
    if (!may_trace()) {
        WARN("not checked: strace is not installed, or may not trace here");
        return;
    }
    const command waybill;
    waybill.add({"--to", "http://example.com/", "--id", "trip", waybill.dir().write("a.bin", "content")});
    const finished_process done = run_interrupted_at_its_begin(waybill, {"cancel", "trip"});
    CHECK(done.status == exit_status{130, 0});
    CHECK(done.err == "waybill: interrupted; nothing was changed\n");
    CHECK(waybill.list().at(0)["state"] == "pending");
}
