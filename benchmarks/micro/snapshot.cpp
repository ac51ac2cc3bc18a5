// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/show/board.hpp>
#include <waybill/engine/show/observer_hub.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>

#include <string>

namespace waybill {
namespace {

using namespace detail;

job_snapshot picture(std::size_t number) {
    auto about = std::make_shared<job_snapshot::fixed>();
    about->id = job_id("job-" + std::to_string(number));
    about->size = 1000;
    about->items.push_back({"name", "/path/to/name", 1000});
    job_snapshot shown;
    shown.seq = static_cast<job_seq>(number);
    shown.about = std::move(about);
    shown.progress_of_items.resize(1);
    return shown;
}

/// What is shown of a number of jobs, and the place it is published at.
struct shown_jobs {
    asio::io_context context{1};
    observer_hub hub{asio::make_strand(context.get_executor())};
    board jobs;
    job_snapshot changing;

    explicit shown_jobs(std::size_t count) : jobs(count), changing(picture(count / 2)) {
        for (std::size_t i = 1; i <= count; ++i) {
            jobs.show(picture(i));
        }
        hub.publish(jobs.take());
    }

    void change_and_publish() {
        changing.sent = (changing.sent + 1) % 1000;
        jobs.show(changing);
        hub.publish(jobs.take());
    }
};

TEST_CASE("publishing one change does not depend on the number of jobs", "[snapshot]") {
    shown_jobs few(100);
    shown_jobs many(100'000);

    BENCHMARK("100 jobs visible") {
        few.change_and_publish();
    };
    BENCHMARK("100,000 jobs visible") {
        many.change_and_publish();
    };
}

TEST_CASE("latest() takes no lock", "[snapshot]") {
    shown_jobs few(100);
    shown_jobs many(100'000);

    BENCHMARK("latest() of 100 jobs") {
        return few.hub.latest();
    };
    BENCHMARK("latest() of 100,000 jobs") {
        return many.hub.latest();
    };
}

}  // namespace
}  // namespace waybill
