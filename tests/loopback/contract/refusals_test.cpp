// SPDX-License-Identifier: BSL-1.0
#include "loopback/contract/contract.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

// The contract of protocols: what they refuse, before a job is accepted and of what a server says.
namespace waybill::test {
namespace {

/// A protocol with settings that its own class would not make.
struct any_protocol {
    protocol_spec what;
    [[nodiscard]] protocol_spec spec() const { return what; }
};

}  // namespace

TEST_CASE("a setting that a protocol does not know or cannot use is refused by its name, before acceptance") {
    const auto p = GENERATE(from_range(protocols_under_contract()));
    CAPTURE(p.name);
    contract_scene s(p);
    delivery uploads(s.quick());
    REQUIRE_FALSE(s.can().refused_settings.empty());
    for (const auto& [name, value] : s.can().refused_settings) {
        CAPTURE(name, value);
        job one = s.job_of({"content"});
        any_protocol spoilt{one.protocol()};
        std::erase_if(spoilt.what.settings, [&name = name](const auto& known) { return known.first == name; });
        spoilt.what.settings.emplace_back(name, value);
        one.via(spoilt);
        try {
            uploads.enqueue(one);
            FAIL_CHECK("it was accepted");
        } catch (const error& e) {
            CHECK(e.code() == errc::invalid_setting);
            CHECK_THAT(e.what(), Catch::Contains(name));
        }
    }
    CHECK(s.server().http().log().connections() == 0);
}

TEST_CASE("no protocol follows a redirection to another origin") {
    const auto p = GENERATE(from_range(protocols_under_contract()));
    const int number = GENERATE(307, 308);
    CAPTURE(p.name, number);
    contract_scene s(p);
    contract_server& server = s.server();
    http_server stranger;
    script moved("moved");
    moved.only_if([&](const received_request& r) { return server.carries(r); })
        .read_all()
        .answer({number, {{"Location", stranger.url("/there")}}});
    server.http().next(std::vector<script>(20, moved));
    delivery uploads(s.quick());
    const job_snapshot end = uploads.settled(uploads.enqueue(s.job_of({"content"})));
    INFO(describe(end));
    INFO(describe(server.http().requests()));
    CHECK(end.status == status::failed);
    CHECK_FALSE(end.error.message().empty());
    CHECK(stranger.log().connections() == 0);
    s.require_arrived({});
}

TEST_CASE("an upload that its server places at another origin is not sent there, and other places are no matter") {
    const auto p = GENERATE(from_range(protocols_under_contract()));
    CAPTURE(p.name);
    contract_scene s(p);
    http_server stranger;
    s.server().name_place(stranger.url("/there"));
    delivery uploads(s.quick());
    const job_snapshot end = uploads.settled(uploads.enqueue(s.job_of({"content"})));
    INFO(describe(end));
    INFO(describe(s.server().http().requests()));
    CHECK(stranger.log().connections() == 0);
    if (s.can().is_told_where) {
        CHECK(end.status == status::failed);
        CHECK(end.error.code == errc::invalid_response);
        CHECK_THAT(end.error.message(), Catch::Contains(stranger.url("")));
        CHECK(s.bytes_taken() == 0);
    } else {
        CHECK(end.status == status::completed);
        s.require_arrived({"content"});
    }
}

}  // namespace waybill::test
