// SPDX-License-Identifier: BSL-1.0
//
// A process that has run out of file descriptors: jobs wait, and arrive once there are some, without
// a restart.

#include <waybill/uploader.hpp>

#include "cli/command.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_record.hpp"
#include "support/run.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <string>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

using namespace waybill;
using namespace waybill::test;

namespace {

/// Leaves this process so many more descriptors, while it lives.
class starvation {
public:
    explicit starvation(rlim_t left) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int lowest = ::dup(STDIN_FILENO);
        ::close(lowest);
        const rlimit now{static_cast<rlim_t>(lowest) + left, before_.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
    }
    starvation(const starvation&) = delete;
    starvation& operator=(const starvation&) = delete;
    ~starvation() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

/// An uploader that delivers only when it is told to.
class held_uploader {
public:
    explicit held_uploader(options how)
        : uploader_(context_.get_executor(), std::move(how)), thread_([this] { context_.run(); }) {}
    held_uploader(const held_uploader&) = delete;
    held_uploader& operator=(const held_uploader&) = delete;
    ~held_uploader() {
        uploader_.async_stop(asio::use_future).wait();
        work_.reset();
        thread_.join();
    }
    uploader* operator->() { return &uploader_; }

    /// Waits until `enough` holds of the job.
    template <class Enough>
    job_snapshot wait_until(const job_id& id, Enough enough) {
        feed news = uploader_.snapshots();
        for (;;) {
            auto next = news.async_next(asio::use_future);
            REQUIRE(next.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
            const auto shown = next.get();
            const auto job = shown ? shown->find(id) : nullptr;
            if (job && enough(*job)) {
                return *job;
            }
        }
    }

private:
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context_);
    uploader uploader_;
    std::thread thread_;
};

}  // namespace

// A transfer needs one for the file, one for the socket, and one to watch it: each is the one that is
// missing in turn.
TEST_CASE("a process out of file descriptors waits, and goes on when there are some, without a restart") {
    const rlim_t left = GENERATE(range(rlim_t{0}, rlim_t{6}));
    CAPTURE(left);
    const receiver server;
    const temp_dir dir;
    const std::string file = dir.write("a.bin", random_bytes(700'001));
    options how = quick_options(dir);
    how.retry.attempts = 1'000'000;
    held_uploader up(how);
    job by_file(server.url("/files/"));
    by_file.file(file);
    const job_id first = up->async_enqueue(std::move(by_file), asio::use_future).get();
    job_id second;
    {
        const starvation hunger(left);
        job by_memory(server.url("/posts"));
        by_memory.via(multipart{}).if_unknown(on_unknown::retry_same_key).bytes("b.bin", "from memory");
        second = up->async_enqueue(std::move(by_memory), asio::use_future).get();  // costs no descriptor
        up->async_run([](std::error_code) {});
        const job_snapshot met =
            up.wait_until(first, [](const job_snapshot& j) { return j.terminal() || j.attempt >= 3; });
        CHECK((met.status != status::failed && met.status != status::canceled));
        CHECK((left >= 3 || met.status != status::completed));
        if (left == 0) {
            job refused(server.url("/files/"));
            refused.file(file);
            CHECK(error_of([&] { up->async_enqueue(std::move(refused), asio::use_future).get(); }) ==
                  errc::source_unavailable);
        }
    }
    for (const job_id& id : {first, second}) {
        const job_snapshot done = up.wait_until(id, [](const job_snapshot& j) { return j.terminal(); });
        CHECK(done.status == status::completed);
    }
    CHECK(sha256_of_file(server.received("a.bin")) == sha256_of_file(file));
    CHECK(read_file(server.received("b.bin")) == "from memory");
}
