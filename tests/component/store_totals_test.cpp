// SPDX-License-Identifier: BSL-1.0
//
// The totals are kept, not counted: whatever is committed, refused, rolled back or damaged, they are those of the rows.

#include "support/sample_store.hpp"
#include "support/temp_dir.hpp"

#include <SQLiteCpp/Database.h>
#include <asio/co_spawn.hpp>

#include <filesystem>

using namespace waybill;
using namespace waybill::test;

namespace {

constexpr job_seq first = static_cast<job_seq>(1);
constexpr job_seq second = static_cast<job_seq>(2);

/// As they would be read at the next start; and what the rows come to.
void require_totals_of_the_rows(sample_store& store, const std::string& path) {
    store.close();
    {
        SQLite::Database db(path, SQLite::OPEN_READONLY);
        SQLite::Statement kept(db, "SELECT jobs,bytes FROM total ORDER BY status");
        for (int i = 0; kept.executeStep(); ++i) {
            SQLite::Statement rows(db, "SELECT count(*),coalesce(sum(size),0) FROM job WHERE status=?");
            rows.bind(1, i);
            rows.executeStep();
            CAPTURE(to_string(static_cast<status>(i)));
            REQUIRE(kept.getColumn(0).getInt64() == rows.getColumn(0).getInt64());
            REQUIRE(kept.getColumn(1).getInt64() == rows.getColumn(1).getInt64());
        }
    }
    store.open();
}

void edit(const std::string& path, const std::string& sql) {
    SQLite::Database(path, SQLite::OPEN_READWRITE).exec(sql);
}

/// Hands several changes to the store at once, so that they share a transaction.
void together(sample_store& store, std::vector<std::function<asio::awaitable<void>()>> all) {
    std::size_t ended = 0;
    const std::size_t count = all.size();
    for (auto& work : all) {
        asio::co_spawn(store.context(), std::move(work), [&ended](const std::exception_ptr&) { ++ended; });
    }
    store.context().restart();
    while (ended < count && store.context().run_one() != 0) {
    }
    REQUIRE(ended == count);
}

std::function<asio::awaitable<void>()> adding(sample_store& store, std::vector<new_job> jobs) {
    auto shared = std::make_shared<const std::vector<new_job>>(std::move(jobs));
    return [&store, shared]() -> asio::awaitable<void> { co_await store->add(shared); };
}

}  // namespace

TEST_CASE("a change that is refused leaves the totals as they were, and those it was committed with are counted") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    sample_store store(path);
    store.open();
    store.add({sample_job("one")});
    new_job other = sample_job("one");
    other.job.spec.content += 1;
    SECTION("jobs") {
        CHECK(error_of([&] { store.add({sample_job("two"), other}); }) == errc::duplicate_id);
    }
    SECTION("jobs, among others") {
        together(store, {adding(store, {sample_job("a")}), adding(store, {sample_job("two"), other}),
                         adding(store, {sample_job("b")}), adding(store, {sample_job("c"), other})});
    }
    SECTION("a step that may not be") {
        job_change wrong = step(store, first, status::completed);
        CHECK(error_of([&] { store.commit(wrong); }) == errc::not_allowed);
        wrong.from = status::failed;
        CHECK(error_of([&] { store.commit(wrong); }) == errc::not_allowed);
    }
    SECTION("a retry with other files, whose step may not be") {
        job_change wrong = step(store, first, status::completed);
        const std::optional<loaded_job> whole = store.load(first);
        for (const item_record& i : whole->items) {
            wrong.repinned.push_back(i.spec);
            wrong.repinned.back().size += 1000;
        }
        CHECK(error_of([&] { store.commit(wrong); }) == errc::not_allowed);
    }
    SECTION("the removal of a job that is not finished") {
        CHECK(error_of([&] { store.run<void>([&] { return store->remove(first, {}); }); }) == errc::not_allowed);
    }
    require_totals_of_the_rows(store, path);
    store.add({sample_job("later")});  // writes the totals that changed
    require_totals_of_the_rows(store, path);
}

TEST_CASE("a damaged record is failed and removed again without spoiling the totals") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    {
        sample_store store(path);
        store.open();
        store.add({sample_job("one"), sample_job("two"), sample_job("three")});
        store.commit(step(store, second, status::uploading));
        store.close();
    }
    const std::string sql = GENERATE(as<std::string>(), "size=size+1048576", "size=-7", "size=9223372036854775807",
                                     "status=99", "status=-1", "status=6", "status=5", "status=1", "key='00'",
                                     "url='http://other.test/'", "retired=1,status=6", "error=x'00'");
    CAPTURE(sql);
    edit(path, "UPDATE job SET " + sql + " WHERE seq=1");
    sample_store store(path);
    const totals opened = store.open().totals;
    totals shown = opened;
    const totals by = store.run<totals>([&] { return store->quarantine(first); });
    for (std::size_t i = 0; i < status_count; ++i) {
        shown.by_status[i].jobs += by.by_status[i].jobs;
        shown.by_status[i].bytes += by.by_status[i].bytes;
    }
    require_totals_of_the_rows(store, path);
    const totals now = store.open().totals;
    for (std::size_t i = 0; i < status_count; ++i) {
        CAPTURE(to_string(static_cast<status>(i)));
        CHECK(now.by_status[i].jobs == shown.by_status[i].jobs);
        CHECK(now.by_status[i].bytes == shown.by_status[i].bytes);
    }
    CHECK(now[status::failed].jobs == 1);
    CHECK(now.jobs() == 3);
    // It is never old enough to be forgotten; that is the app's to do.
    const std::chrono::milliseconds late = std::chrono::hours(24 * 365 * 100);
    const auto gone =
        store.run<std::vector<removed_job>>([&] { return store->remove_finished(late, unix_millis(late)); });
    CHECK(gone.empty());
    CHECK(store.load(first)->job.state.error.code == errc::record_damaged);
    store.run<void>([&] { return store->remove(first, {}); });
    require_totals_of_the_rows(store, path);
}

TEST_CASE("a record that is damaged when it is old is told, and stays") {
    const temp_dir dir;
    const std::string path = dir / "s.db";
    {
        sample_store store(path);
        store.open();
        store.add({sample_job("one"), sample_job("two")});
        for (const job_seq seq : {first, second}) {
            store.commit(step(store, seq, status::uploading));
            job_change end = step(store, seq, status::completed);
            end.to.retired = std::chrono::hours(1);
            store.commit(end);
        }
        store.close();
    }
    edit(path, "UPDATE job SET size=size+1 WHERE seq=1");
    sample_store store(path);
    store.open();
    const std::chrono::milliseconds late = std::chrono::hours(24 * 365 * 100);
    const auto gone =
        store.run<std::vector<removed_job>>([&] { return store->remove_finished(late, unix_millis(late)); });
    REQUIRE(gone.size() == 2);
    CHECK(gone[0].damaged != gone[1].damaged);
    REQUIRE(store.load(first));
    CHECK_FALSE(store.load(second));
}
