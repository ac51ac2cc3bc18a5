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

TEST_CASE("a job's conditions go with what is about its target, and with nothing else", "[engine][requests]") {
    const engine_options how;
    job_spec job;
    job.url = "https://host.test/in";
    job.headers = {{"If-None-Match", "*"}, {"if", "(<urn:1>)"}, {"If-Match", "x"}, {"Iffy", "y"}, {"X-If-Any", "z"}};
    request what;
    what.url = job.url;
    SECTION("about its target") {
        static_cast<void>(detail::prepare(what, job, how));
        CHECK(what.headers.size() == 5);
    }
    SECTION("about something else") {
        what.conditional = false;
        static_cast<void>(detail::prepare(what, job, how));
        CHECK(what.headers == header_list{{"Iffy", "y"}, {"X-If-Any", "z"}});
    }
}

TEST_CASE("each request of a job has a key of its own, and each retry of it the same", "[engine][requests]") {
    job_record job;
    job.spec.url = "https://host.test/posts?sig=1";
    job.state.key = "0123456789abcdef0123456789abcdef";
    const auto key = [&](const std::string& url, const std::string& purpose = "", const std::string& method = "POST",
                         std::size_t about = checkpoint::whole_job) {
        request what;
        what.method = method;
        what.url = url;
        what.purpose = purpose;
        return detail::key_of(what, job, about);
    };
    CHECK(key("https://host.test/posts?sig=1") == job.state.key);
    CHECK(key("https://host.test/posts?sig=2") == job.state.key);  // a new signature makes no other request of it
    CHECK(key("https://host.test/posts", "", "POST", 3) == job.state.key + "-3");
    const std::string cancel = key("https://host.test/posts/7/cancel");
    CHECK(cancel.starts_with(job.state.key + "-"));
    CHECK(cancel.size() == job.state.key.size() + 17);
    CHECK(cancel == key("https://host.test/posts/7/cancel?sig=2"));
    CHECK(cancel != key("https://host.test/posts/8/cancel"));
    CHECK(cancel != key("https://host.test/posts/7/cancel", "", "PATCH"));
    CHECK(key("https://host.test/posts", "", "PATCH") != job.state.key);
    // Of the same path and method, by what they are for.
    CHECK(key("https://host.test/posts", "create") != key("https://host.test/posts", "cancel"));
    CHECK(key("https://host.test/posts", "create") == key("https://elsewhere.test/other", "create"));
}

}  // namespace waybill::test
