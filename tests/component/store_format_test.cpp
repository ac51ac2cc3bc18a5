// SPDX-License-Identifier: BSL-1.0
//
// What a version does with stores of other versions. The golden stores are files that earlier versions wrote.

#include <waybill/testing/fake_server.hpp>
#include <waybill/testing/manual_clock.hpp>
#include <waybill/testing/memory_sources.hpp>
#include <waybill/testing/seeded_random.hpp>
#include <waybill/waybill.hpp>

#include "support/golden_store.hpp"
#include "support/planted_format.hpp"
#include "support/temp_dir.hpp"

#include <filesystem>

using namespace waybill;
using namespace waybill::test;

namespace {

std::string golden(const temp_dir& dir) {
    return dir.write("s.db", read_file(std::string(WAYBILL_GOLDEN) + "/format_1_0.db"));
}

int user_version(const std::string& path) {
    return SQLite::Database(path, SQLite::OPEN_READONLY).execAndGet("PRAGMA user_version").getInt();
}

/// An uploader over a real store of the formats that are given; all else is in memory.
class delivery {
public:
    delivery(const std::string& path, std::span<const detail::store_format> formats) {
        files_->write(golden_file, golden_content);
        options how;
        how.replace.store =
            std::make_shared<sqlite_store>(asio::make_strand(asio::any_io_executor(context_.get_executor())),
                                           store_options{path, damaged_store::refuse}, formats);
        how.replace.transport = server.connect(context_.get_executor());
        how.replace.sources = std::make_shared<testing::memory_sources>(files_);
        how.replace.clock = clock_;
        how.replace.random = std::make_shared<testing::seeded_random>(1);
        up_.emplace(context_.get_executor(), std::move(how));
        up_->async_run([](std::error_code) {});
    }

    [[nodiscard]] status now(const std::string& id) { return up_->latest()->at(job_id(id)).status; }
    uploader& up() { return *up_; }
    void until_idle() {
        for (int turns = 0; turns < 100'000; ++turns) {
            if (run_one()) {
                clock_->advance(std::chrono::milliseconds(1));
            } else if (up_->latest()->version() > 0 && up_->latest()->idle()) {
                return;
            } else {
                clock_->advance(std::chrono::seconds(1));
            }
        }
        FAIL("the jobs never come to rest");
    }
    template <class Result>
    Result run(asio::awaitable<Result> work) {
        return test::run<Result>(
            context_, [kept = std::make_shared<asio::awaitable<Result>>(std::move(work))]() -> asio::awaitable<Result> {
                return std::move(*kept);
            });
    }

    testing::fake_server server;

private:
    // The store works on a thread of its own: what it answers may still be on its way.
    bool run_one() {
        context_.restart();
        return context_.run_one_for(std::chrono::milliseconds(2)) != 0;
    }

    std::shared_ptr<testing::memory_files> files_ = std::make_shared<testing::memory_files>();
    std::shared_ptr<testing::manual_clock> clock_ = std::make_shared<testing::manual_clock>();
    asio::io_context context_{1};
    std::optional<uploader> up_;
};

/// Delivers what the golden store holds, and looks whether everything arrived, and once.
void continue_all(const std::string& path, std::span<const detail::store_format> formats) {
    delivery all(path, formats);
    all.until_idle();
    for (const char* id : {"pending", "uploading", "finalizing", "waiting", "tus", "completed"}) {
        CAPTURE(id);
        CHECK(all.now(id) == status::completed);
    }
    CHECK(all.now("paused") == status::paused);
    CHECK(all.now("unknown_outcome") == status::unknown_outcome);
    CHECK(all.now("failed") == status::failed);
    CHECK(all.now("canceled") == status::canceled);
    CHECK(all.server.posts().empty());
    all.run(all.up().async_resolve(job_id("unknown_outcome"), resolution::retry));
    all.run(all.up().async_retry(job_id("failed")));
    all.run(all.up().async_retry(job_id("canceled")));
    all.until_idle();
    for (const char* id : {"unknown_outcome", "failed", "canceled"}) {
        CAPTURE(id);
        CHECK(all.now(id) == status::completed);
    }
    CHECK(all.server.posts().size() == 1);
    const std::map<std::string, std::string> expected = {
        {"http://server.test/files/pending", "the bytes of pending"},
        {"http://server.test/files/a%20file", golden_content},
        {"http://server.test/files/uploading", "the bytes of uploading"},
        {"http://server.test/files/waiting", "the bytes of waiting"},
        {"http://server.test/files/failed", "the bytes of failed"},
        {"http://server.test/files/canceled", "the bytes of canceled"}};
    CHECK(all.server.objects() == expected);
    long puts = 0;
    for (const testing::received_request& r : all.server.requests()) {
        puts += r.method == "PUT" ? 1 : 0;
        CHECK((r.method == "PUT" || r.method == "POST" || r.method == "DELETE"));  // tus has arrived: no question
    }
    CHECK(puts == static_cast<long>(expected.size()));
    all.run(all.up().async_stop());
}

/// The jobs of a store, opened as these formats.
std::vector<loaded_job> jobs_of(sample_store& store) {
    std::vector<loaded_job> all;
    for (const loaded_job& one :
         store.run<std::vector<loaded_job>>([&] { return store->list(listing::all, std::nullopt, 1000); })) {
        all.push_back(store.load(one.job.seq).value());
    }
    return all;
}

}  // namespace

TEST_CASE("a golden store of format 1.0 holds what was put into it") {
    const temp_dir dir;
    const std::string path = golden(dir);
    CHECK(user_version(path) == 1000);
    sample_store old(path);
    const store_contents found = old.open();
    sample_store fresh(dir / "fresh.db");
    fresh.open();
    fill_golden_store(fresh);
    CHECK(old.dump() == fresh.dump());
    CHECK(found.totals.jobs() == 10);
    REQUIRE(found.holds.size() == 1);
    CHECK(found.holds[0] == hold{selection::lane("nobody's"), {{}, {}, "golden"}});
    REQUIRE(found.limits.size() == 1);
    CHECK(found.limits[0] == bandwidth_limit{limit_scope::host("nobody.test"), "08:00,512K 18:00,off"});
    for (const loaded_job& one : jobs_of(old)) {
        CAPTURE(one.job.spec.id.str());
        CHECK_FALSE(one.damaged);
    }
}

TEST_CASE("a golden store of format 1.0 is continued, every job of it") {
    const temp_dir dir;
    const std::string path = golden(dir);
    continue_all(path, detail::store_formats);
    CHECK(user_version(path) == detail::store_formats.back().user_version());
}

TEST_CASE("a planted format 2 migrates a golden store, and continues every job of it") {
    const temp_dir dir;
    const std::string path = golden(dir);
    continue_all(path, format_2);
    CHECK(user_version(path) == 2000);
    {
        sample_store store(path, damaged_store::refuse, format_2);
        store.open();
        const std::vector<loaded_job> all = jobs_of(store);
        CHECK(all.size() == 10);
        for (const loaded_job& one : all) {
            CAPTURE(one.job.spec.id.str());
            CHECK_FALSE(one.damaged);
            CHECK(one.job.spec.unknown == planted_field(one.job.spec.id.str()));
            CHECK(one.job.state.unknown == planted_field(one.job.spec.id.str()));
        }
        store.close();
    }
    SQLite::Database db(path, SQLite::OPEN_READONLY);
    CHECK(db.execAndGet("SELECT count(*) FROM step").getInt() == 10);
}

TEST_CASE("a store of the planted format 2 is refused by this version, untouched") {
    const temp_dir dir;
    const std::string path = golden(dir);
    {
        sample_store store(path, damaged_store::refuse, format_2);
        store.open();
        store.close();
    }
    const std::string before = read_file(path);
    const damaged_store policy = GENERATE(damaged_store::refuse, damaged_store::move_aside);
    CHECK(error_of([&] { sample_store(path, policy).open(); }) == errc::store_too_new);
    CHECK((read_file(path) == before));
}

TEST_CASE("a store of a newer minor version is read and written, and its unknown fields stay") {
    const temp_dir dir;
    const std::string path = golden(dir);
    const std::string field = planted_field("newer");
    {
        sample_store newer(path, damaged_store::refuse, format_1_1);
        newer.open();
        new_job made = golden_job("newer", status::waiting);
        made.job.spec.unknown = made.job.state.unknown = field;
        made.items[0].spec.unknown = made.items[0].state.unknown = field;
        const job_seq seq = newer.add({made}).at(0).seq;
        job_change change = step(newer, seq, status::waiting);
        change.checkpoints.push_back({0, "http://server.test/uploads/3", 0, "a state", 0});
        change.checkpoints[0].unknown = field;
        leftover left;
        left.job = made.job.spec;
        left.reached = change.checkpoints[0];
        change.leftovers.push_back(left);
        newer.commit(change);
        newer.close();
    }
    CHECK(user_version(path) == 1001);
    {
        sample_store ours(path);
        ours.open();
        const job_seq seq = jobs_of(ours).back().job.seq;
        job_change change = step(ours, seq, status::uploading);
        const loaded_job whole = ours.load(seq).value();
        change.to.attempt = 1;
        change.items.emplace_back(0, whole.items[0].state);
        change.items[0].second.confirmed = 1;
        change.repinned.push_back(whole.items[0].spec);
        change.repinned[0].identity.inode = 77;
        change.checkpoints = whole.checkpoints;
        change.checkpoints[0].offset = 1;
        ours.commit(change);
        ours.close();
    }
    CHECK(user_version(path) == 1001);  // some of its records are what only 1.1 knows
    sample_store again(path, damaged_store::refuse, format_1_1);
    again.open();
    const loaded_job whole = jobs_of(again).back();
    CHECK_FALSE(whole.damaged);
    CHECK(whole.job.spec.unknown == field);
    CHECK(whole.job.state.unknown == field);
    CHECK(whole.items[0].spec.unknown == field);
    CHECK(whole.items[0].spec.identity.inode == 77);
    CHECK(whole.items[0].state.unknown == field);
    REQUIRE(whole.checkpoints.size() == 1);
    CHECK(whole.checkpoints[0].unknown == field);
    CHECK(whole.checkpoints[0].offset == 1);
    again.close();
    SQLite::Database db(path, SQLite::OPEN_READONLY);
    CHECK(db.execAndGet("SELECT count(*) FROM leftover WHERE length(extra)>0").getInt() == 1);
}

TEST_CASE("a store of an older minor version is one of the newer from then on") {
    const temp_dir dir;
    const std::string path = golden(dir);
    {
        sample_store store(path, damaged_store::refuse, format_1_1);
        store.open();
        store.close();
    }
    CHECK(user_version(path) == 1001);
    CHECK(error_of([&] { sample_store(path).open(); }) == std::error_code());
}
