// SPDX-License-Identifier: BSL-1.0
//
// Waybill as an app would use it: jobs are accepted on disk, delivered, and their ends committed.
//   compare_waybill VIA STORE URL LIST IN_FLIGHT [CA]
// VIA: put, multipart, s3 (one job of all files), jobs (one PUT job for each file), tus (the same by tus).
#include <waybill/waybill.hpp>

#include "compare/order.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

namespace {

using waybill::bench::give_up;
using waybill::bench::upload_order;

std::vector<waybill::job> jobs_for(const std::string& via, const upload_order& order) {
    std::vector<waybill::job> jobs;
    if (via == "put" || via == "multipart" || via == "s3") {
        waybill::job& all = jobs.emplace_back(order.url);
        if (via == "put") {
            all.via(waybill::put().parallel(order.in_flight));
        } else if (via == "s3") {
            all.via(waybill::s3().part_size(8 << 20).parallel(order.in_flight));
        } else {
            all.via(waybill::multipart());
        }
        for (const std::string& file : order.files) {
            all.file(file);
        }
        return jobs;
    }
    for (const std::string& file : order.files) {
        waybill::job& one = jobs.emplace_back(via == "tus" ? order.url : order.target(file));
        one.lane(std::to_string(jobs.size() % order.in_flight)).file(file);
        if (via == "tus") {
            one.via(waybill::tus());
        }
    }
    return jobs;
}

asio::awaitable<void> deliver(waybill::uploader& up, std::vector<waybill::job> jobs) {
    const std::size_t count = jobs.size();
    co_await up.async_enqueue(std::move(jobs));
    waybill::feed feed = up.snapshots();
    for (;;) {
        const std::shared_ptr<const waybill::snapshot> now = co_await feed.async_next();
        if (now && now->idle()) {
            if (now->overall()[waybill::status::completed].jobs != count) {
                give_up("not all jobs are completed: " + (*now->jobs().begin())->error.message());
            }
            break;
        }
    }
    co_await up.async_stop();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        give_up("usage: compare_waybill VIA STORE URL LIST IN_FLIGHT [CA]");
    }
    const upload_order order(argc - 2, argv + 2);
    asio::io_context context{1};
    waybill::options how;
    how.store.path = argv[2];
    how.http.ca_file = order.ca;
    how.max_concurrent_jobs = order.in_flight;
    waybill::uploader up(context.get_executor(), std::move(how));
    up.async_run(asio::detached);
    asio::co_spawn(context, deliver(up, jobs_for(argv[1], order)), [](const std::exception_ptr& thrown) {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    });
    context.run();
}
