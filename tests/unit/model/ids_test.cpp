// SPDX-License-Identifier: BSL-1.0
#include <waybill/model/ids.hpp>

#include "support/catch.hpp"

#include <set>
#include <string>
#include <unordered_set>

namespace waybill::test {
namespace {

TEST_CASE("a job id has only letters, digits, dots, underscores, colons and hyphens", "[model][ids]") {
    for (int c = 0; c < 256; ++c) {
        const bool allowed = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                             c == '_' || c == ':' || c == '-';
        INFO("character " << c);
        const char character = static_cast<char>(c);
        CHECK(job_id(std::string(1, character)).valid() == allowed);
        CHECK(job_id(std::string("post-") + character + "1").valid() == allowed);
    }
}

TEST_CASE("a job id has 1 to 128 characters", "[model][ids]") {
    CHECK_FALSE(job_id().valid());
    CHECK_FALSE(job_id("").valid());
    CHECK(job_id("").empty());
    CHECK(job_id("a").valid());
    CHECK_FALSE(job_id("a").empty());
    CHECK(job_id(std::string(128, 'x')).valid());
    CHECK_FALSE(job_id(std::string(129, 'x')).valid());
}

TEST_CASE("job ids compare, order and hash by their text", "[model][ids]") {
    const job_id a("a");
    const job_id b("b");
    CHECK(a == job_id("a"));
    CHECK(a != b);
    CHECK(a < b);
    CHECK(job_id("B") < a);  // case counts
    CHECK(std::hash<job_id>{}(a) == std::hash<job_id>{}(job_id("a")));

    std::set<job_id> ordered{b, a, job_id("a")};
    CHECK(ordered.size() == 2);
    CHECK(ordered.begin()->str() == "a");
    std::unordered_set<job_id> hashed{b, a, job_id("b")};
    CHECK(hashed.size() == 2);
}

}  // namespace
}  // namespace waybill::test
