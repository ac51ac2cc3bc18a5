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

    surroundings();
    surroundings(const surroundings&) = delete;
    surroundings& operator=(const surroundings&) = delete;
    ~surroundings();

    response serve(const received_request& r);

    /// The URLs of the whole requests, in order.
    [[nodiscard]] std::vector<std::string> urls() const;
};

/// One process: an uploader and its loop, over surroundings that go on when it dies.
class world {
public:
    explicit world(surroundings& around, const std::function<void(options&)>& adjust = {});
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world();

    uploader& up() { return *up_; }
    surroundings& around() { return around_; }
    testing::memory_store& store() { return *store_; }
    fake_transport& transport() { return *transport_; }
    asio::io_context& context() { return context_; }
    [[nodiscard]] std::shared_ptr<const snapshot> now() const { return up_->latest(); }
    [[nodiscard]] const job_snapshot& at(const std::string& id);

    /// Begins to deliver.
    void start();
    [[nodiscard]] const std::optional<std::error_code>& ended() const noexcept { return ended_; }

    /// Lets everything happen that can happen now; time stands still.
    void settle();

    /// Lets things happen, and time pass, until `done` holds: a millisecond with every turn, and
    /// to the next alarm when there is nothing else. A failing test when it never does.
    void until(const std::function<bool()>& done);
    void until_idle();

    /// Runs one operation to its end, without letting time pass.
    template <class Result>
    Result run(asio::awaitable<Result> work) {
        return test::run(context_, std::move(work));
    }
    std::string add(job j);

    /// Called after every turn of the loop.
    void watch(std::function<void()> each_turn) { watch_ = std::move(each_turn); }
    /// The next turn of the loop; false when there is none now.
    bool turn();

private:
    surroundings& around_;
    std::shared_ptr<testing::memory_store> store_;
    std::shared_ptr<fake_transport> transport_;
    std::shared_ptr<const snapshot> kept_;
    std::optional<std::error_code> ended_;
    std::function<void()> watch_;
    asio::io_context context_{1};
    std::optional<uploader> up_;
};

job put_job(const std::string& id, const std::vector<std::string>& files);
job form_job(const std::string& id, const std::vector<std::string>& files);

}  // namespace waybill::test
