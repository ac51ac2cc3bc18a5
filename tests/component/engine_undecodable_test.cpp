// SPDX-License-Identifier: BSL-1.0
//
// A checkpoint that cannot be decoded, because a newer version wrote it or because it is damaged: its outcome is in
// doubt. Never was "nothing begun".

#include <waybill/protocol/s3/protocol.hpp>

#include "component/world.hpp"

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

namespace {

struct kind {
    std::string name;
    protocol_spec spec;
    bool whole = false;  ///< one upload of all items
    std::string negotiated = {};
};

std::vector<kind> kinds() {
    return {
        {"a put that is a POST", {"put", {{"method", "POST"}}}},
        {"a form", multipart{}.spec(), true},
        {"tus", tus{}.spec()},
        {"resumable", resumable{}.spec()},
        {"a resumable form", resumable{}.as_form().spec(), true},
        {"s3", {"s3", {}}},
        {"automatic, as tus", automatic{}.spec(), false, "tus"},
        {"automatic, as a form", automatic{}.spec(), true, "multipart"},
    };
}

struct spoken {
    protocol_spec chosen;
    [[nodiscard]] protocol_spec spec() const { return chosen; }
};

void with_s3(options& o) {
    o.protocols.add("s3", [](const protocol_spec& spec) {
        return std::make_unique<detail::s3_protocol>(detail::parse_s3_settings(spec),
                                                     [](const std::string& /*origin*/, const std::string& /*profile*/) {
                                                         return s3_credentials{"access", "secret", ""};
                                                     });
    });
}

loaded_job& stored(surroundings& around) {
    return around.disk->jobs.begin()->second;
}

/// Accepts a job of one file, and leaves what a newer version may have left of it.
void leave_undecodable(surroundings& around, const kind& of, on_unknown policy = on_unknown::park) {
    around.files->write("/a", "xyz");
    {
        world w(around, with_s3);
        job j(of.name == "s3" ? "https://server.test/bucket/a" : "http://server.test/in");
        j.id(job_id("one")).via(spoken{of.spec}).file("/a").if_unknown(policy);
        w.add(std::move(j));
    }
    loaded_job& whole = stored(around);
    whole.job.state.negotiated_protocol = of.negotiated;
    checkpoint newer;
    newer.item = of.whole ? checkpoint::whole_job : 0;
    newer.resource = GENERATE(as<std::string>(), "http://server.test/uploads/1", "");
    newer.state = GENERATE(as<std::string>(), "", "\x63 of a newer version");
    newer.offset = newer.resource.empty() ? 0 : 3;
    whole.checkpoints.push_back(newer);
}

}  // namespace

TEST_CASE("a checkpoint that cannot be decoded parks its job, and nothing is sent before the app has decided") {
    const kind of = GENERATE(from_range(kinds()));
    CAPTURE(of.name);
    surroundings around;
    leave_undecodable(around, of);
    if (GENERATE(false, true)) {
        stored(around).job.state.intent = intent(1, of.whole ? checkpoint::whole_job : 0);
        stored(around).job.state.attempt = 1;
    }
    if (GENERATE(false, true)) {
        around.files->write("/a", "another one");  // must not end what may have arrived
    }
    world w(around, with_s3);
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::unknown_outcome);
    CHECK(w.at("one").error.code == errc::outcome_unknown);
    CHECK(around.requests.empty());
    CHECK(stored(around).job.state.intent.stands());
    CHECK(stored(around).checkpoints.size() == 1);
    SECTION("it has arrived") {
        w.run(w.up().async_resolve(job_id("one"), resolution::completed));
        CHECK(w.at("one").status == status::completed);
        CHECK(around.requests.empty());
    }
    SECTION("a restart asks no more than that") {
        w.run(w.up().async_stop());
        world next(around, with_s3);
        next.start();
        next.until_idle();
        CHECK(next.at("one").status == status::unknown_outcome);
        CHECK(around.requests.empty());
    }
}

TEST_CASE("a checkpoint that cannot be decoded is forgotten when the app has its job sent again") {
    const kind of = GENERATE(from_range(kinds()));
    CAPTURE(of.name);
    surroundings around;
    leave_undecodable(around, of);
    world w(around, with_s3);
    w.start();
    w.until_idle();
    REQUIRE(w.at("one").status == status::unknown_outcome);
    w.run(w.up().async_resolve(job_id("one"), resolution::retry));
    w.until([&] { return !around.requests.empty(); });
    CHECK(around.requests.front().url.find("uploads/1") == std::string::npos);
    for (const checkpoint& c : stored(around).checkpoints) {
        CHECK_FALSE(c.doubted);
    }
}

TEST_CASE("a job that may arrive twice is begun anew by itself when its checkpoint cannot be decoded") {
    const kind of = GENERATE(from_range(kinds()));
    CAPTURE(of.name);
    surroundings around;
    leave_undecodable(around, of, on_unknown::retry);
    world w(around, with_s3);
    w.start();
    w.until([&] { return !around.requests.empty(); });
    CHECK(around.requests.front().url.find("uploads/1") == std::string::npos);
}

TEST_CASE("what replaces itself is sent again without a question") {
    surroundings around;
    leave_undecodable(around, {"put", put{}.spec()});
    world w(around);
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("of two items, the one in doubt is asked about first, then the one whose checkpoint cannot be decoded") {
    surroundings around;
    around.files->write("/a", "xyz");
    around.files->write("/b", "uvw");
    {
        world w(around);
        job j("http://server.test/in");
        j.id(job_id("one")).via(tus{}).file("/a").file("/b");
        w.add(std::move(j));
    }
    stored(around).job.state.intent = intent(1, 1);
    stored(around).job.state.attempt = 1;
    stored(around).checkpoints.push_back({0, "http://server.test/uploads/1", 3, "newer", 0});
    world w(around);
    w.start();
    w.until_idle();
    CHECK(stored(around).job.state.intent.about(1));
    w.run(w.up().async_resolve(job_id("one"), resolution::completed));
    w.until_idle();
    CHECK(stored(around).job.state.intent.about(0));
    CHECK(stored(around).items[1].state.status == item_status::completed);
    CHECK(around.requests.empty());
}
