// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/automatic/protocol.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace waybill::test {
namespace {

using detail::endpoint_memory;
using detail::offered_by;
using std::chrono::hours;
using std::chrono::minutes;

constexpr endpoint_memory::time noon{hours(12)};

response answer(std::string name, std::string value) {
    response r;
    r.status = 204;
    r.headers.push_back({std::move(name), std::move(value)});
    return r;
}

TEST_CASE("what an endpoint has said is remembered for an hour, and for that endpoint", "[protocol][auto]") {
    endpoint_memory memory;
    CHECK(memory.find("https://h/a", noon).protocol.empty());
    memory.remember("https://h/a", {"tus"}, noon);
    CHECK(memory.find("https://h/a", noon).protocol == "tus");
    CHECK(memory.find("https://h/a", noon + minutes(59)).protocol == "tus");
    CHECK(memory.find("https://h/b", noon).protocol.empty());
    CHECK(memory.find("https://h/a", noon + minutes(60)).protocol.empty());
    memory.remember("https://h/a", {"plain"}, noon + minutes(60));
    CHECK(memory.find("https://h/a", noon + minutes(61)).protocol == "plain");
}

TEST_CASE("a clock that was set back makes what is remembered too old, not everlasting", "[protocol][auto]") {
    endpoint_memory memory;
    memory.remember("https://h/a", {"tus"}, noon);
    CHECK(memory.find("https://h/a", noon - minutes(1)).protocol.empty());
}

TEST_CASE("the memory for endpoints has an end", "[protocol][auto]") {
    endpoint_memory memory;
    for (int i = 0; i < 2500; ++i) {
        memory.remember("https://h/" + std::to_string(i), {"tus"}, noon);
    }
    CHECK(memory.find("https://h/2499", noon).protocol == "tus");
    CHECK(memory.find("https://h/0", noon).protocol.empty());
}

TEST_CASE("an endpoint that breaks over three questions in a row does so by itself", "[protocol][auto]") {
    endpoint_memory memory;
    CHECK_FALSE(memory.note_disrupted("https://host.test/in"));
    CHECK_FALSE(memory.note_disrupted("https://host.test/in"));
    CHECK_FALSE(memory.note_disrupted("https://host.test/other"));
    CHECK(memory.note_disrupted("https://host.test/in"));
    CHECK(memory.note_disrupted("https://host.test/in"));  // until it answers
    memory.remember("https://host.test/in", {"tus"}, noon);
    CHECK_FALSE(memory.note_disrupted("https://host.test/in"));
}

TEST_CASE("an answer to OPTIONS says which protocols the server supports", "[protocol][auto]") {
    CHECK(offered_by(answer("Tus-Resumable", "1.0.0")).protocol == "tus");
    CHECK(offered_by(answer("tus-version", "1.0.0,0.2.2")).protocol == "tus");
    CHECK(offered_by(answer("Upload-Limit", "max-size=1000")).protocol == "resumable");
    CHECK(offered_by(answer("Upload-Limit", "min-size=0")).protocol == "resumable");
    CHECK(offered_by(answer("Upload-Limit", "min-size=1000")).least == 1000);
    CHECK(offered_by(answer("Upload-Limit", "max-size=?1")).protocol == "plain");
    CHECK(offered_by(answer("Upload-Limit", "\x01")).protocol == "plain");
    CHECK(offered_by(answer("Allow", "PUT, POST")).protocol == "plain");
}

}  // namespace
}  // namespace waybill::test
