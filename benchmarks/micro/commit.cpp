// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/accept/records.hpp>
#include <waybill/store/sqlite_store.hpp>

#include "micro/bare_database.hpp"
#include "micro/loop.hpp"
#include "support/catch.hpp"

#include <asio/strand.hpp>

namespace waybill {
namespace {

using namespace detail;

/// A store alone, with some jobs in it.
struct open_store {
    test::temp_dir dir;
    asio::io_context context{1};
    detail::strand home = asio::make_strand(context.get_executor());
    sqlite_store store{home, {dir / "jobs.db", damaged_store::refuse}};
    std::vector<added_job> jobs;

    explicit open_store(std::size_t count) {
        bench::finish(context, store.open());
        real_random random;
        std::vector<new_job> made;
        const job what = job("http://127.0.0.1:9/upload").bytes("name", "");
        for (std::size_t i = 0; i < count; ++i) {
            std::vector<pinned_file>::const_iterator none;
            made.push_back(detail::make_records(what, none, store_time(), random));
        }
        jobs = bench::finish(context, store.add(std::make_shared<const std::vector<new_job>>(std::move(made))));
    }
    open_store(const open_store&) = delete;
    open_store& operator=(const open_store&) = delete;
    ~open_store() { bench::finish(context, store.close()); }

    [[nodiscard]] job_change change_of(std::size_t index) const {
        job_change change;
        change.seq = jobs[index].seq;
        return change;
    }

    void commit_at_once(std::size_t count) {
        std::size_t left = count;
        for (std::size_t i = 0; i < count; ++i) {
            asio::co_spawn(home, store.commit(change_of(i)), [&left](const std::exception_ptr&) { --left; });
        }
        context.restart();
        while (left > 0) {
            context.run_one();
        }
    }
};

TEST_CASE("a change of a job's state is one synced commit", "[commit]") {
    open_store opened(32);
    bench::bare_database bare(opened.dir / "bare.db");

    BENCHMARK("a bare SQLite commit") {
        bare.update();
    };
    BENCHMARK("a change of one job") {
        opened.commit_at_once(1);
    };
    BENCHMARK("changes of 32 jobs at once") {
        opened.commit_at_once(32);
    };
}

}  // namespace
}  // namespace waybill
