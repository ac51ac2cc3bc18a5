// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/show/snapshot_of.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>

namespace waybill::test {
namespace {

using detail::snapshot_of;

loaded_job loaded() {
    loaded_job whole;
    whole.job.seq = job_seq{7};
    job_spec& spec = whole.job.spec;
    spec.id = job_id("post-7");
    spec.lane = "family";
    spec.url = "https://h/up/?X-Signature=secret";
    spec.protocol.name = "put";
    spec.size = 1'000;
    spec.item_count = 3;
    spec.accepted = unix_millis(std::chrono::milliseconds(1'000));
    job_state& state = whole.job.state;
    state.status = status::waiting;
    state.reason = wait_reason::backoff;
    state.epoch = 2;
    state.attempt = 5;
    state.not_before = unix_millis(std::chrono::milliseconds(2'000));
    state.wait = std::chrono::milliseconds(500);
    state.error.code = make_http_error(503);
    state.error.item = 1;
    for (const auto& [name, size, now, confirmed] :
         {std::tuple("a.jpg", 600, item_status::completed, 600), std::tuple("b.jpg", 300, item_status::pending, 40),
          std::tuple("c.jpg", 100, item_status::pending, 0)}) {
        item_record item;
        item.spec.name = name;
        item.spec.path = std::string("/photos/") + name;
        item.spec.size = static_cast<std::uint64_t>(size);
        item.state.status = now;
        item.state.confirmed = static_cast<std::uint64_t>(confirmed);
        whole.items.push_back(item);
    }
    return whole;
}

TEST_CASE("a picture shows exactly what is committed", "[engine][picture]") {
    const job_snapshot shown = snapshot_of(loaded());
    CHECK(shown.seq == job_seq{7});
    CHECK(shown.id().str() == "post-7");
    CHECK(shown.about->lane == "family");
    CHECK(shown.about->protocol == "put");
    CHECK(shown.about->accepted == unix_millis(std::chrono::milliseconds(1'000)));
    CHECK(shown.size() == 1'000);
    CHECK(shown.status == status::waiting);
    CHECK(shown.reason == wait_reason::backoff);
    CHECK(shown.doing == activity::none);
    CHECK(shown.epoch == 2);
    CHECK(shown.attempt == 5);
    CHECK(shown.not_before == unix_millis(std::chrono::milliseconds(2'000)));
    CHECK(shown.until_next_attempt(unix_millis(std::chrono::milliseconds(1'700))) == std::chrono::milliseconds(300));
    CHECK(shown.until_next_attempt(unix_millis(std::chrono::milliseconds(3'000))) == std::chrono::milliseconds(0));
    // The clock was years ahead when the wait began, and has been put right since.
    CHECK(shown.until_next_attempt(unix_millis(std::chrono::hours(-10'000))) == std::chrono::milliseconds(500));
    CHECK(shown.error.code == make_http_error(503));
    CHECK(shown.speed == 0);
    CHECK(shown.sent == 640);
    CHECK(shown.confirmed == 640);
    REQUIRE(shown.item_count() == 3);
    CHECK(shown.item(0).status == item_status::completed);
    CHECK(shown.item(1).sent == 40);
    CHECK(shown.item(1).confirmed == 40);
    CHECK(shown.item(1).status == item_status::pending);
    CHECK(shown.item(1).error.code == make_http_error(503));
    CHECK(shown.item(2).sent == 0);
    CHECK(shown.item(2).path == "/photos/c.jpg");
}

TEST_CASE("a picture shows no query of a URL", "[engine][picture]") {
    CHECK(snapshot_of(loaded()).about->url == "https://h/up/?…");
    loaded_job plain = loaded();
    plain.job.spec.url = "https://h/up";
    CHECK(snapshot_of(plain).about->url == "https://h/up");
}

TEST_CASE("an item that is completed is wholly confirmed", "[engine][picture]") {
    loaded_job whole = loaded();
    whole.items[0].state.confirmed = 0;  // protocols that confirm at once never count
    CHECK(snapshot_of(whole).item(0).confirmed == 600);
    CHECK(snapshot_of(whole).confirmed == 640);
}

TEST_CASE("the item a job failed at is failed", "[engine][picture]") {
    loaded_job whole = loaded();
    whole.job.state.status = status::failed;
    whole.job.state.reason = wait_reason::none;
    whole.job.state.finished = unix_millis(std::chrono::milliseconds(9));
    job_snapshot shown = snapshot_of(whole);
    CHECK(shown.terminal());
    CHECK(shown.finished == unix_millis(std::chrono::milliseconds(9)));
    CHECK(shown.item(1).status == item_status::failed);
    CHECK(shown.item(0).status == item_status::completed);
    CHECK(shown.item(2).status == item_status::pending);

    whole.job.state.error.item = checkpoint::whole_job;
    shown = snapshot_of(whole);
    CHECK(shown.item(1).status == item_status::pending);
}

TEST_CASE("a damaged record is a failed job, whatever it says", "[engine][picture]") {
    loaded_job whole = loaded();
    whole.damaged = true;
    const job_snapshot shown = snapshot_of(whole);
    CHECK(shown.status == status::failed);
    CHECK(shown.error.code == errc::record_damaged);
    CHECK(shown.error.item == checkpoint::whole_job);
    CHECK(shown.id().str() == "post-7");
}

TEST_CASE("a job without items is shown as well", "[engine][picture]") {
    loaded_job whole = loaded();
    whole.items.clear();
    whole.damaged = true;
    const job_snapshot shown = snapshot_of(whole);
    CHECK(shown.item_count() == 0);
    CHECK(shown.sent == 0);
}

TEST_CASE("a picture shows where unfinished uploads are, and what the server said of finished items",
          "[engine][picture]") {
    loaded_job whole = loaded();
    whole.items[0].state.receipt = "\"etag\"";
    whole.checkpoints.push_back({1, "https://h/files/1", 40, "state", 0});
    whole.checkpoints.push_back({checkpoint::whole_job, "https://h/forms/1", 640, "", 0});
    whole.checkpoints.push_back({99, "of no item", 0, "", 0});
    job_snapshot shown = snapshot_of(whole);
    CHECK(shown.resource == "https://h/forms/1");
    CHECK(shown.item(0).receipt == "\"etag\"");
    CHECK(shown.item(0).resource.empty());
    CHECK(shown.item(1).resource == "https://h/files/1");
    CHECK(shown.item(1).receipt.empty());
    CHECK_FALSE(shown.progress_of_items[2].there);

    const job_snapshot before = shown;
    detail::server_side_builder there(shown);
    there.show_receipt(1, "done");
    there.drop_resources();
    CHECK(shown.resource.empty());
    CHECK(shown.item(0).receipt == "\"etag\"");
    CHECK(shown.item(1).resource.empty());
    CHECK(shown.item(1).receipt == "done");
    CHECK(before.item(1).resource == "https://h/files/1");  // copies share, and do not change
}

}  // namespace
}  // namespace waybill::test
