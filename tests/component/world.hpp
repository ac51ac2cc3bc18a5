// SPDX-License-Identifier: BSL-1.0
#pragma once

// A whole engine in memory: files, disk, network, server and time are ours.

#include <waybill/testing/fake_transport.hpp>
#include <waybill/testing/manual_clock.hpp>
#include <waybill/testing/memory_sources.hpp>
#include <waybill/testing/memory_store.hpp>
#include <waybill/testing/seeded_random.hpp>
#include <waybill/waybill.hpp>

#include "support/catch.hpp"
#include "support/run.hpp"

#include <asio/io_context.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace waybill::test {

using testing::fake_transport;
using testing::fault;
using testing::received_request;

/// What outlives a crash: the disk, the files, and the server with what it has.
struct surroundings {
    std::shared_ptr<testing::memory_disk> disk = std::make_shared<testing::memory_disk>();
    std::shared_ptr<testing::memory_files> files = std::make_shared<testing::memory_files>();
    std::shared_ptr<testing::manual_clock> clock = std::make_shared<testing::manual_clock>();

    std::vector<received_request> requests;      ///< in order, broken ones included
    std::map<std::string, std::string> objects;  ///< what was PUT whole, by URL
    std::deque<response> answers;                ///< the next answers; empty: 200
    std::deque<fault> faults;                    ///< what goes wrong with the next requests

    response serve(const received_request& r) {
        requests.push_back(r);
        if (!r.whole) {
            return {};
        }
        if (!answers.empty()) {
            response next = answers.front();
            answers.pop_front();
            if (classify_status(next.status) != status_class::success) {
                return next;
            }
        }
        objects[r.url] = r.body;
        return fake_transport::answer(200);
    }

    /// The URLs of the whole requests, in order.
    [[nodiscard]] std::vector<std::string> urls() const {
        std::vector<std::string> all;
        for (const received_request& r : requests) {
            if (r.whole) {
                all.push_back(r.url);
            }
        }
        return all;
    }
};

/// One process: an uploader and its loop, over surroundings that go on when it dies.
class world {
public:
    explicit world(surroundings& around, std::function<void(options&)> adjust = {}) : around_(around) {
        store_ = std::make_shared<testing::memory_store>(context_.get_executor(), around.disk);
        transport_ = std::make_shared<fake_transport>(context_.get_executor(),
                                                      [&around](const received_request& r) { return around.serve(r); });
        transport_->next_fault = [&around](const request&) {
            if (around.faults.empty()) {
                return fault();
            }
            const fault next = around.faults.front();
            around.faults.pop_front();
            return next;
        };
        options how;
        how.replace.store = store_;
        how.replace.transport = transport_;
        how.replace.sources = std::make_shared<testing::memory_sources>(around.files);
        how.replace.clock = around.clock;
        how.replace.random = std::make_shared<testing::seeded_random>(++seed());
        if (adjust) {
            adjust(how);
        }
        up_.emplace(context_.get_executor(), std::move(how));
    }

    uploader& up() { return *up_; }
    surroundings& around() { return around_; }
    testing::memory_store& store() { return *store_; }
    fake_transport& transport() { return *transport_; }
    asio::io_context& context() { return context_; }
    [[nodiscard]] std::shared_ptr<const snapshot> now() const { return up_->latest(); }
    [[nodiscard]] const job_snapshot& at(const std::string& id) { return (kept_ = now())->at(job_id(id)); }

    /// Begins to deliver.
    void start() {
        up().async_run([this](std::error_code ec) { ended_ = ec; });
    }
    [[nodiscard]] const std::optional<std::error_code>& ended() const noexcept { return ended_; }

    /// Lets everything happen that can happen now; time stands still.
    void settle() {
        while (turn()) {
        }
    }

    /// Lets things happen, and time pass, until `done` holds: a millisecond with every turn, and
    /// to the next alarm when there is nothing else. A failing test when it never does.
    void until(const std::function<bool()>& done) {
        for (int turns = 0; turns < 2'000'000; ++turns) {
            if (done()) {
                return;
            }
            if (turn()) {
                around_.clock->advance(std::chrono::milliseconds(1));
            } else if (!around_.clock->advance_to_next()) {
                break;
            }
        }
        FAIL("nothing left to happen, and what was waited for has not");
    }
    void until_idle() {
        until([this] { return now()->version() > 0 && now()->idle(); });
        settle();
    }

    /// Runs one operation to its end, without letting time pass.
    template <class Result>
    Result run(asio::awaitable<Result> work) {
        return test::run<Result>(
            context_, [kept = std::make_shared<asio::awaitable<Result>>(std::move(work))]() -> asio::awaitable<Result> {
                return std::move(*kept);
            });
    }
    std::string add(job j) { return run(up().async_enqueue(std::move(j))).str(); }

    /// Called after every turn of the loop.
    void watch(std::function<void()> each_turn) { watch_ = std::move(each_turn); }
    /// The next turn of the loop; false when there is none now.
    bool turn() {
        context_.restart();
        const bool something = context_.poll_one() != 0;
        if (something && watch_) {
            watch_();
        }
        return something;
    }

private:
    static std::uint64_t& seed() {
        static std::uint64_t last = 0;
        return last;
    }

    surroundings& around_;
    std::shared_ptr<testing::memory_store> store_;
    std::shared_ptr<fake_transport> transport_;
    std::shared_ptr<const snapshot> kept_;
    std::optional<std::error_code> ended_;
    std::function<void()> watch_;
    asio::io_context context_{1};
    std::optional<uploader> up_;
};

inline job put_job(const std::string& id, const std::vector<std::string>& files) {
    job j("http://server.test/files/");
    j.id(job_id(id));
    for (const std::string& file : files) {
        j.file(file);
    }
    return j;
}

inline job form_job(const std::string& id, const std::vector<std::string>& files) {
    job j("http://server.test/posts");
    j.id(job_id(id)).via(multipart{});
    for (const std::string& file : files) {
        j.file(file);
    }
    return j;
}

}  // namespace waybill::test
