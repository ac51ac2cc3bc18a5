// SPDX-License-Identifier: BSL-1.0
#include "loopback/contract/contract.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <vector>

// The contract of protocols: what a snapshot says of progress.
namespace waybill::test {
namespace {

/// Looks at each picture of a job, one after the other.
class progress_check {
public:
    explicit progress_check(const capabilities& can) : can_(can) {}

    void see(const job_snapshot& now) {
        INFO(describe(now));
        CHECK(now.sent >= now.confirmed);
        CHECK(now.sent <= now.size());
        if (now.status == status::waiting) {
            CHECK(now.sent == now.confirmed);  // nothing is on its way
        }
        if (last_.about) {
            see_next(now);
        }
        last_ = now;
    }
    [[nodiscard]] const job_snapshot& last() const noexcept { return last_; }

private:
    void see_next(const job_snapshot& now) const {
        CHECK(now.confirmed >= last_.confirmed);
        const bool goes_on = now.status == last_.status && now.attempt == last_.attempt;
        if (goes_on && !can_.repeats_within_attempt) {
            CHECK(now.sent >= last_.sent);
        }
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < now.item_count(); ++i) {
            CHECK(now.item(i).sent <= now.item(i).size);
            CHECK(now.item(i).confirmed >= last_.item(i).confirmed);
            sum += now.item(i).sent;
        }
        CHECK(sum == now.sent);
    }

    const capabilities& can_;
    job_snapshot last_;
};

/// Shows each picture of a job until it has settled. `meanwhile` is called after each, and while none comes.
void watch(feed& news, const job_id& id, progress_check& check, const std::function<void()>& meanwhile) {
    const auto until = std::chrono::steady_clock::now() + delivery::patience;
    bool settled = false;
    while (!settled) {
        auto next = news.async_next(asio::use_future);
        while (next.wait_for(std::chrono::milliseconds(10)) != std::future_status::ready) {
            REQUIRE(std::chrono::steady_clock::now() < until);
            meanwhile();
        }
        if (const auto one = next.get()->find(id)) {
            check.see(*one);
            settled = one->terminal() || is_parked(one->status);
            meanwhile();
        }
    }
}

}  // namespace

TEST_CASE("progress never falls, and after a break goes on from what the server has confirmed") {
    const auto p = GENERATE(from_range(protocols_under_contract()));
    CAPTURE(p.name);
    contract_scene s(p);
    contract_server& server = s.server();
    const std::uint64_t first = 100'000;
    const std::uint64_t sent = 6'000'000;  // of the second item, when the connection breaks
    server.cut(1, sent, first);
    // The request after the break is held, so that a picture of it is seen.
    const valve go;
    script held("held");
    held.only_if(
            [&](const received_request& r) { return server.carries(r) && has_met(server.http().requests(), "cut"); })
        .read_head()
        .hold(go)
        .then([&](exchange& x) { server.serve(x); });
    server.http().next(held);

    delivery uploads(s.quick());
    feed news = uploads.up().snapshots();
    const job_id id = uploads.enqueue(s.job_of({random_bytes(first, 1), random_bytes(beyond_buffers, 2)}));
    progress_check check(s.can());
    bool shown = false;
    watch(news, id, check, [&] {
        const job_snapshot& now = check.last();
        CHECK(now.confirmed <= s.bytes_taken());
        if (!shown && has_met(server.http().requests(), "held") && now.sent > now.confirmed) {
            shown = true;
            const resumption from = s.can().resumes;
            const std::uint64_t most = from == resumption::in_item   ? first + sent
                                       : from == resumption::at_item ? first
                                                                     : 0;
            CHECK(now.confirmed <= most);
            CHECK(now.confirmed + s.can().sends_again + s.overhead() >= most);
            go.open();
        }
    });
    CHECK(shown);
    CHECK(check.last().status == status::completed);
    CHECK(check.last().confirmed == check.last().size());
    CHECK(check.last().sent == check.last().size());
    CHECK(check.last().progress() == 1.0);
}

}  // namespace waybill::test
