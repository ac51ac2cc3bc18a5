// SPDX-License-Identifier: BSL-1.0
//
// A program may lack a protocol that another one had which used the same store.

#include <waybill/protocol/components.hpp>
#include <waybill/protocol/put/protocol.hpp>

#include "component/world.hpp"

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

namespace {

/// Takes any header, and counts what it cleans up.
class signing final : public protocol {
public:
    explicit signing(int& cleaned) : cleaned_(cleaned) {}

    void check(const waybill::job& /*job*/) const override {}
    [[nodiscard]] bool takes_header(const std::string& /*url*/, std::string_view /*name*/) const override {
        return true;
    }
    asio::awaitable<void> upload(session& job) override { return put_.upload(job); }
    asio::awaitable<void> discard(exchange& /*server*/, const leftover& /*what*/) override {
        ++cleaned_;
        co_return;
    }

private:
    detail::put_protocol put_{protocol_spec{"put", {}}};
    int& cleaned_;
};

std::function<void(options&)> with_signing(int& cleaned) {
    return [&cleaned](options& o) {
        o.protocols.add("signing", [&cleaned](const protocol_spec&) { return std::make_unique<signing>(cleaned); });
    };
}

struct by_signing {
    [[nodiscard]] protocol_spec spec() const { return {"signing", {}}; }
};

}  // namespace

TEST_CASE("a job with a header that only its absent protocol takes is sound, and can be retried") {
    surroundings around;
    around.files->write("/a", "x");
    int cleaned = 0;
    {
        world w(around, with_signing(cleaned));
        job j = put_job("one", {"/a"});
        j.via(by_signing{}).header("X-Amz-Acl", "private");
        w.add(std::move(j));
    }
    {
        world w(around);
        w.start();
        w.until_idle();
        CHECK(w.at("one").status == status::failed);
        CHECK(w.at("one").error.code == errc::unknown_protocol);
        CHECK(w.at("one").error.message().find("signing") != std::string::npos);
    }
    world w(around, with_signing(cleaned));
    w.run(w.up().async_retry(job_id("one")));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    REQUIRE(around.requests.size() == 1);
    CHECK(around.requests.front().header("X-Amz-Acl") == "private");
}

TEST_CASE("what an absent protocol has left at a server is kept for a program that has it") {
    surroundings around;
    leftover left;
    left.id = 1;
    left.job.url = "http://server.test/files";
    left.job.protocol = by_signing{}.spec();
    left.reached.resource = "http://server.test/files/1";
    left.since = std::chrono::time_point_cast<std::chrono::milliseconds>(around.clock->system_now());
    left.not_before = left.since;
    around.disk->leftovers[1] = left;
    around.disk->last_leftover = 1;
    int cleaned = 0;
    {
        world w(around);
        w.start();
        const auto begun = around.clock->steady_now();
        w.until([&] { return around.clock->steady_now() - begun > 3h; });
        REQUIRE(around.disk->leftovers.size() == 1);
        CHECK(around.disk->leftovers.at(1).attempts > 0);
    }
    world w(around, with_signing(cleaned));
    w.start();
    w.until([&] { return around.disk->leftovers.empty(); });
    CHECK(cleaned == 1);
}

TEST_CASE("a component is known to every uploader that is made after it was added") {
    surroundings around;
    around.files->write("/a", "x");
    static int cleaned = 0;
    const detail::component added("added", [](const protocol_spec&) { return std::make_unique<signing>(cleaned); });
    struct by_added {
        [[nodiscard]] protocol_spec spec() const { return {"added", {}}; }
    };
    world w(around);
    job j = put_job("one", {"/a"});
    j.via(by_added{});
    w.add(std::move(j));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}
