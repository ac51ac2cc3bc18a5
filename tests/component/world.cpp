// SPDX-License-Identifier: BSL-1.0
#include "component/world.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

namespace waybill::test {
namespace {

std::uint64_t next_seed() {
    static std::uint64_t last = 0;
    return ++last;
}

}  // namespace

surroundings::surroundings() = default;
surroundings::~surroundings() = default;

response surroundings::serve(const received_request& r) {
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
    return fake_transport::respond(200);
}

std::vector<std::string> surroundings::urls() const {
    std::vector<std::string> all;
    for (const received_request& r : requests) {
        if (r.whole) {
            all.push_back(r.url);
        }
    }
    return all;
}

world::world(surroundings& around, const std::function<void(options&)>& adjust) : around_(around) {
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
    how.replace.random = std::make_shared<testing::seeded_random>(next_seed());
    if (adjust) {
        adjust(how);
    }
    up_.emplace(context_.get_executor(), std::move(how));
}

world::~world() = default;

const job_snapshot& world::at(const std::string& id) {
    return (kept_ = now())->at(job_id(id));
}

void world::start() {
    up().async_run([this](std::error_code ec) { ended_ = ec; });
}

void world::settle() {
    while (turn()) {
    }
}

void world::until(const std::function<bool()>& done) {
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

void world::until_idle() {
    until([this] { return now()->version() > 0 && now()->idle(); });
    settle();
}

std::string world::add(job j) {
    return run(up().async_enqueue(std::move(j))).str();
}

bool world::turn() {
    context_.restart();
    const bool something = context_.poll_one() != 0;
    if (something && watch_) {
        watch_();
    }
    return something;
}

job put_job(const std::string& id, const std::vector<std::string>& files) {
    job j("http://server.test/files/");
    j.id(job_id(id));
    for (const std::string& file : files) {
        j.file(file);
    }
    return j;
}

job form_job(const std::string& id, const std::vector<std::string>& files) {
    job j("http://server.test/posts");
    j.id(job_id(id)).via(multipart{});
    for (const std::string& file : files) {
        j.file(file);
    }
    return j;
}

}  // namespace waybill::test
