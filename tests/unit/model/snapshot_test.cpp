// SPDX-License-Identifier: BSL-1.0
#include <waybill/model/snapshot.hpp>

#include "support/catch.hpp"
#include "support/run.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace waybill::test {
namespace {

using std::chrono::seconds;

job_snapshot two_items(status now = status::uploading) {
    auto about = std::make_shared<job_snapshot::fixed>();
    about->id = job_id("two");
    about->size = 1000;
    about->items = {{"a.jpg", "/photos/a.jpg", 600}, {"note.txt", "", 400}};
    job_snapshot shown;
    shown.seq = job_seq{7};
    shown.about = about;
    shown.status = now;
    shown.attempt = 3;
    shown.progress_of_items = {{item_status::completed, 600, 600, 0}, {item_status::uploading, 100, 50, 50.0}};
    shown.sent = 700;
    shown.confirmed = 650;
    shown.speed = 100;
    return shown;
}

TEST_CASE("progress is the share of bytes, and whole when done", "[model][snapshot]") {
    CHECK(progress_of(0, 100, false) == 0.0);
    CHECK(progress_of(25, 100, false) == 0.25);
    CHECK(progress_of(100, 100, false) == 1.0);
    CHECK(progress_of(25, 100, true) == 1.0);
    // A job of empty files has nothing to count: it is at 0 until it is done.
    CHECK(progress_of(0, 0, false) == 0.0);
    CHECK(progress_of(0, 0, true) == 1.0);
    const std::uint64_t huge = 1ULL << 62;
    CHECK(progress_of(huge / 2, huge, false) == 0.5);
}

TEST_CASE("a job's progress is weighted by bytes", "[model][snapshot]") {
    CHECK(two_items().progress() == 0.7);
    CHECK(two_items(status::completed).progress() == 1.0);
    CHECK(two_items(status::failed).progress() == 0.7);
    CHECK(two_items().size() == 1000);
    CHECK(two_items().item_count() == 2);
    CHECK(two_items().id().str() == "two");
}

TEST_CASE("a job is terminal in its snapshot when its status is", "[model][snapshot]") {
    for (std::size_t i = 0; i < status_count; ++i) {
        const auto s = static_cast<status>(i);
        INFO(to_string(s));
        CHECK(two_items(s).terminal() == is_terminal(s));
    }
}

TEST_CASE("time left is what remains at the present speed, and unknown while nothing moves", "[model][snapshot]") {
    job_snapshot shown = two_items();
    CHECK(shown.time_left() == seconds(3));
    shown.speed = 200;
    CHECK(shown.time_left() == seconds(2));  // 1.5, rounded
    shown.speed = 0;
    CHECK_FALSE(shown.time_left().has_value());
    shown.speed = 0.99;
    CHECK_FALSE(shown.time_left().has_value());
    shown.speed = 1;
    CHECK(shown.time_left() == seconds(300));
    shown.sent = 1000;
    CHECK(shown.time_left() == seconds(0));
}

TEST_CASE("an item is shown with what it is and how far it is", "[model][snapshot]") {
    const job_snapshot shown = two_items();
    const item_snapshot first = shown.item(0);
    CHECK(first.name == "a.jpg");
    CHECK(first.path == "/photos/a.jpg");
    CHECK(first.status == item_status::completed);
    CHECK(first.size == 600);
    CHECK(first.sent == 600);
    CHECK(first.confirmed == 600);
    CHECK(first.attempt == 3);
    CHECK(first.progress() == 1.0);
    CHECK_FALSE(first.time_left.has_value());

    const item_snapshot second = shown.item(1);
    CHECK(second.path.empty());
    CHECK(second.sent == 100);
    CHECK(second.confirmed == 50);
    CHECK(second.speed == 50.0);
    CHECK(second.progress() == 0.25);
    CHECK(second.time_left == seconds(6));
    CHECK_THROWS_AS(shown.item(2), std::out_of_range);
}

TEST_CASE("the items' counts add up to the job's", "[model][snapshot]") {
    const job_snapshot shown = two_items();
    std::uint64_t size = 0;
    std::uint64_t sent = 0;
    std::uint64_t confirmed = 0;
    for (std::size_t i = 0; i < shown.item_count(); ++i) {
        size += shown.item(i).size;
        sent += shown.item(i).sent;
        confirmed += shown.item(i).confirmed;
    }
    CHECK(size == shown.size());
    CHECK(sent == shown.sent);
    CHECK(confirmed == shown.confirmed);
}

TEST_CASE("an empty item is whole only once it is completed", "[model][snapshot]") {
    item_snapshot empty;
    CHECK(empty.progress() == 0.0);
    empty.status = item_status::completed;
    CHECK(empty.progress() == 1.0);
}

TEST_CASE("an error is shown at the item it happened to, and at no other", "[model][snapshot]") {
    job_snapshot shown = two_items(status::failed);
    shown.error.code = errc::file_changed;
    shown.error.item = 1;
    CHECK_FALSE(shown.item(0).error);
    CHECK(shown.item(1).error.code == errc::file_changed);

    shown.error.item = checkpoint::whole_job;
    CHECK_FALSE(shown.item(0).error);
    CHECK_FALSE(shown.item(1).error);
}

TEST_CASE("an error's message has the detail and the remedy, in one line", "[model][snapshot]") {
    stored_error e;
    CHECK_FALSE(e);
    CHECK(e.message().empty());
    e.code = errc::file_changed;
    CHECK(e.message() == make_error_code(errc::file_changed).message());
    e.details.detail = "/photos/a.jpg";
    CHECK(e.message() == "/photos/a.jpg: " + make_error_code(errc::file_changed).message());
}

TEST_CASE("a job's message says whether it is tried again, by its status and not by its error", "[model][snapshot]") {
    job_snapshot shown = two_items(status::waiting);
    CHECK(shown.message().empty());

    shown.error.code = errc::connection_lost;
    const std::string lost = shown.error.message();
    CHECK(shown.message() == lost + "; retried automatically");
    for (const status now : {status::pending, status::uploading, status::finalizing}) {
        shown.status = now;
        CHECK(shown.message() == lost + "; retried automatically");
    }
    shown.status = status::failed;
    CHECK(shown.message() == lost + "; retry the job once that is fixed");
    for (const status now : {status::paused, status::unknown_outcome, status::canceled}) {
        shown.status = now;
        CHECK(shown.message() == lost);
    }

    // A remedy is not said twice.
    shown.status = status::failed;
    shown.error.code = errc::file_changed;
    CHECK(shown.message() == shown.error.message());
}

TEST_CASE("totals count jobs and bytes by status", "[model][snapshot]") {
    totals all;
    CHECK(all.jobs() == 0);
    CHECK(all.open() == 0);
    std::uint64_t weight = 1;
    for (std::size_t i = 0; i < status_count; ++i) {
        all[static_cast<status>(i)] = {weight, weight * 1000};
        weight *= 2;
    }
    CHECK(all.jobs() == 511);
    CHECK(all.bytes() == 511'000);
    CHECK(all.started() == 510);         // all but the pending one
    CHECK(all.open() == 1 + 2 + 4 + 8);  // pending, uploading, finalizing, waiting
    const totals& same = all;
    CHECK(same[status::paused].jobs == 16);
}

TEST_CASE("a snapshot finds its jobs by their ids", "[model][snapshot]") {
    const auto shown = std::make_shared<const job_snapshot>(two_items());
    snapshot::job_map::builder jobs;
    detail::id_index::builder ids;
    jobs.set(shown->seq, shown);
    detail::add_id(ids, shown->id(), shown->seq);
    totals all;
    all[status::uploading] = {1, 1000};
    const snapshot s(42, jobs.share(), ids.share(), all, 700);

    CHECK(s.version() == 42);
    CHECK(s.find(job_id("two")) == shown);
    CHECK(&s.at(job_id("two")) == shown.get());
    CHECK(s.find(job_id("three")) == nullptr);
    try {
        static_cast<void>(s.at(job_id("three")));
        FAIL("a job that is not listed was found");
    } catch (const error& e) {
        CHECK(e.code() == errc::unknown_job);
        CHECK(std::string(e.what()).find("three") != std::string::npos);
    }
    CHECK(s.jobs().size() == 1);
    CHECK((*s.jobs().begin())->id().str() == "two");
    CHECK(s.overall()[status::uploading].jobs == 1);
    CHECK(s.size() == 1000);
    CHECK(s.sent() == 700);
    CHECK_FALSE(s.idle());
}

TEST_CASE("a snapshot does not take another id of the same hash for the one it is asked for", "[model][snapshot]") {
    const auto shown = std::make_shared<const job_snapshot>(two_items());
    snapshot::job_map::builder jobs;
    detail::id_index::builder ids;
    jobs.set(shown->seq, shown);
    detail::add_id(ids, job_id("another"), shown->seq);  // as if its hash were that of "two"
    const snapshot s(1, jobs.share(), ids.share(), totals(), 0);
    CHECK(s.find(job_id("another")) == nullptr);
    CHECK_THROWS_AS(s.at(job_id("another")), error);
}

TEST_CASE("the first snapshot is empty and idle", "[model][snapshot]") {
    const snapshot s;
    CHECK(s.version() == 0);
    CHECK(s.jobs().size() == 0);
    CHECK(s.jobs().begin() == s.jobs().end());
    CHECK(s.find(job_id("any")) == nullptr);
    CHECK(s.idle());
    CHECK(s.size() == 0);
}

TEST_CASE("a store with only final and parked jobs is idle", "[model][snapshot]") {
    totals all;
    all[status::completed] = {3, 300};
    all[status::paused] = {1, 100};
    all[status::unknown_outcome] = {1, 100};
    CHECK(snapshot(1, {}, {}, all, 300).idle());
    all[status::waiting] = {1, 1};
    CHECK_FALSE(snapshot(2, {}, {}, all, 300).idle());
}

}  // namespace
}  // namespace waybill::test
