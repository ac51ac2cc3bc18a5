// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/requests.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>

namespace waybill::test {

TEST_CASE("a server is given longer to answer for what it has to put together, sent now or before",
          "[engine][requests]") {
    const engine_options how;
    job_spec job;
    job.url = "https://host.test/in";
    const auto answer_limit = [&](std::size_t sent, std::uint64_t assembled) {
        bytes_source body(std::string(sent, 'x'));
        request what;
        what.url = job.url;
        what.body = &body;
        what.assembles = assembled;
        static_cast<void>(detail::prepare(what, job, how));
        return what.limits.answer - how.limits.answer;
    };
    CHECK(answer_limit(0, 0) == std::chrono::milliseconds(0));
    CHECK(answer_limit(60'000, 0) == std::chrono::milliseconds(10));
    CHECK(answer_limit(60'000, 600'000) == std::chrono::milliseconds(110));
    CHECK(answer_limit(100, 60'000'000'000) > std::chrono::hours(2));
}

}  // namespace waybill::test
