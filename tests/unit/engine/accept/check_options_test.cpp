// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/accept/check_options.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

/// What an engine with these options is refused with; empty: nothing.
template <class Set>
std::string refusal(const Set& set) {
    options how;
    set(how);
    try {
        detail::check_engine_options(how);
    } catch (const error& e) {
        CHECK(e.code() == errc::invalid_option);
        return e.details().detail;
    }
    return {};
}

TEST_CASE("the options as they come are fine", "[engine][options]") {
    CHECK(refusal([](options&) {}).empty());
    CHECK_NOTHROW(detail::check_options(curl_options()));
    store_options named;
    named.path = "uploads.db";
    CHECK_NOTHROW(detail::check_options(named));
}

TEST_CASE("a store has a path that can be opened", "[engine][options]") {
    store_options how;
    how.path = GENERATE(std::string(), std::string("a\0b", 3), std::string(longest_store_path + 1, 'd'));
    CHECK_THROWS_WITH(detail::check_options(how), Catch::StartsWith("store.path "));
    how.path.assign(longest_store_path, 'd');
    CHECK_NOTHROW(detail::check_options(how));
}

TEST_CASE("limits of bandwidth are rates or timetables", "[engine][options]") {
    CHECK(refusal([](options& o) {
              o.bandwidth.total = "08:00,512K 18:00,off";
              o.bandwidth.hosts["api.example.com"] = "1.5M";
              o.bandwidth.lanes[""] = "stop";
          }).empty());
    CHECK_THAT(refusal([](options& o) { o.bandwidth.total = "0"; }),
               Catch::StartsWith("bandwidth.total '0' at character 1 is zero"));
    CHECK_THAT(refusal([](options& o) { o.bandwidth.hosts["a.example"] = "08:00,1X"; }),
               Catch::StartsWith("bandwidth.hosts['a.example'] '1X' at character 7 is not a rate"));
    CHECK_THAT(refusal([](options& o) { o.bandwidth.lanes["logs"] = ""; }),
               Catch::StartsWith("bandwidth.lanes['logs'] is empty"));
    CHECK_THAT(refusal([](options& o) { o.bandwidth.hosts["https://a.example"] = "1M"; }),
               Catch::Contains("is not the name of a host"));
}

TEST_CASE("at least one job runs at a time", "[engine][options]") {
    CHECK(refusal([](options& o) { o.max_concurrent_jobs = 0; }) ==
          "max_concurrent_jobs is 0: nothing would ever be sent");
}

TEST_CASE("a time that is waited is longer than zero, and shorter than for ever", "[engine][options]") {
    using place = std::function<milliseconds&(options&)>;
    const std::vector<std::pair<std::string, place>> places = {
        {"retry.base", [](options& o) -> milliseconds& { return o.retry.base; }},
        {"retry.cap", [](options& o) -> milliseconds& { return o.retry.cap; }},
        {"retry.floor", [](options& o) -> milliseconds& { return o.retry.floor; }},
        {"retry.retry_after_cap", [](options& o) -> milliseconds& { return o.retry.retry_after_cap; }},
        {"retry.offline_poll", [](options& o) -> milliseconds& { return o.retry.offline_poll; }},
        {"retry.host_pause", [](options& o) -> milliseconds& { return o.retry.host_pause; }},
        {"retry.host_pause_cap", [](options& o) -> milliseconds& { return o.retry.host_pause_cap; }},
        {"limits.connect", [](options& o) -> milliseconds& { return o.limits.connect; }},
        {"limits.stall", [](options& o) -> milliseconds& { return o.limits.stall; }},
        {"limits.response", [](options& o) -> milliseconds& { return o.limits.response; }},
        {"progress_interval", [](options& o) -> milliseconds& { return o.progress_interval; }}};
    for (const auto& [name, of] : places) {
        for (const milliseconds wrong : {milliseconds(0), milliseconds(-1), milliseconds::max()}) {
            CHECK(refusal([&](options& o) { of(o) = wrong; }).starts_with(name + " "));
        }
    }
}

TEST_CASE("what is made durable together is at most a second old", "[engine][options]") {
    for (const milliseconds wrong : {milliseconds(-1), milliseconds(0), milliseconds(19), milliseconds(1001)}) {
        CHECK(refusal([&](options& o) { o.flush_interval = wrong; }).starts_with("flush_interval "));
    }
    for (const milliseconds right : {milliseconds(20), milliseconds(1000)}) {
        CHECK(refusal([&](options& o) { o.flush_interval = right; }).empty());
    }
}

TEST_CASE("an age may be zero, and not negative", "[engine][options]") {
    CHECK(refusal([](options& o) { o.retry.max_age = o.keep_finished = hours(0); }).empty());
    CHECK(refusal([](options& o) { o.retry.max_age = hours(-1); }).starts_with("retry.max_age "));
    CHECK(refusal([](options& o) { o.keep_finished = hours(-1); }).starts_with("keep_finished "));
    CHECK(refusal([](options& o) { o.keep_finished = hours::max(); }).starts_with("keep_finished "));
}

TEST_CASE("what counts, counts from one", "[engine][options]") {
    CHECK(refusal([](options& o) { o.retry.attempts = 0; }).starts_with("retry.attempts "));
    CHECK(refusal([](options& o) { o.retry.attempts = -3; }).starts_with("retry.attempts "));
    CHECK(refusal([](options& o) { o.retry.host_failures = 0; }).starts_with("retry.host_failures "));
    CHECK(refusal([](options& o) { o.snapshot_jobs = 0; }).starts_with("snapshot_jobs "));
    CHECK(refusal([](options& o) { o.limits.response_body = 0; }).starts_with("limits.response_body "));
    CHECK(refusal([](options& o) { o.retry.attempts = 1; }).empty());
}

TEST_CASE("a cap lies above its floor", "[engine][options]") {
    CHECK(refusal([](options& o) { o.retry.cap = o.retry.floor - milliseconds(1); }).starts_with("retry.cap "));
    CHECK(refusal([](options& o) { o.retry.cap = o.retry.floor; }).empty());
    CHECK(refusal([](options& o) {
              o.retry.host_pause_cap = o.retry.host_pause - milliseconds(1);
          }).starts_with("retry.host_pause_cap "));
}

TEST_CASE("the header of the key is a name that nothing else has", "[engine][options]") {
    for (const char* const good : {"", "Idempotency-Key", "X-Request-Id", "Idempotency-Token"}) {
        CHECK(refusal([&](options& o) { o.key_header = good; }).empty());
    }
    for (const char* const bad : {"a b", "a:", "X\r\nY", "Content-Length", "host", "Transfer-Encoding"}) {
        CHECK(refusal([&](options& o) { o.key_header = bad; }).starts_with("key_header "));
    }
}

TEST_CASE("what is to be called can be called", "[engine][options]") {
    CHECK(refusal([](options& o) { o.verifiers["mine"] = nullptr; }).starts_with("verifiers "));
    const protocol_set none = protocol_set().add("mine", nullptr);
    CHECK_THROWS_AS(detail::check_options(none), error);
    curl_options how;
    how.user_agent = "a\r\nHost: b";
    CHECK_THROWS_AS(detail::check_options(how), error);
}

}  // namespace
}  // namespace waybill::test
