// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/run/requests.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace waybill::test {

TEST_CASE("a server is given longer to answer for what it has to put together, sent now or before",
          "[engine][requests]") {
    const options how;
    job_spec job;
    job.url = "https://host.test/in";
    const auto answer_limit = [&](std::size_t sent, std::uint64_t assembled) {
        bytes_source body(std::string(sent, 'x'));
        request what;
        what.url = job.url;
        what.body = &body;
        what.assembles = assembled;
        static_cast<void>(detail::prepare(what, job, how));
        return what.limits.response - how.limits.response;
    };
    CHECK(answer_limit(0, 0) == std::chrono::milliseconds(0));
    CHECK(answer_limit(60'000, 0) == std::chrono::milliseconds(10));
    CHECK(answer_limit(60'000, 600'000) == std::chrono::milliseconds(110));
    CHECK(answer_limit(100, 60'000'000'000) > std::chrono::hours(2));
}

TEST_CASE("a job's conditions go with what is about its target, and with nothing else", "[engine][requests]") {
    const options how;
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

TEST_CASE("a job's headers replace the protocol's, and each is sent as often as the app added it",
          "[engine][requests]") {
    job_spec job;
    job.url = "https://host.test/a";
    job.headers = {{"X-Tag", "a"}, {"content-type", "text/plain"}, {"x-tag", "b"}};
    request what;
    what.url = job.url;
    what.headers = {{"Content-Type", "application/octet-stream"}, {"X-Tag", "the protocol's"}};
    const options how;
    (void)detail::prepare(what, job, how);
    std::string sent;
    for (const header_field& h : what.headers) {
        sent += h.name + "=" + h.value + ";";
    }
    CHECK(sent == "X-Tag=a;content-type=text/plain;x-tag=b;");
}

TEST_CASE("the values of a query are hidden however a server writes them", "[engine][requests]") {
    const std::string value = "CANARY%2Bsecret%2fvalue%3D";
    options how;
    job_spec job;
    job.url = "https://host.test/x?sv=2024&sig=" + value;
    request what;
    what.url = job.url;
    const std::vector<std::string> secrets = detail::prepare(what, job, how);
    for (const char* const shown : {"CANARY%2Bsecret%2fvalue%3D", "CANARY%2Bsecret%2Fvalue%3D",
                                    "CANARY%2bsecret%2fvalue%3d", "CANARY+secret/value=", "CANARY+secret\\/value="}) {
        std::string text = std::string("you sent sig=") + shown + " to me";
        hide_secrets(text, secrets);
        CAPTURE(shown, text);
        CHECK(text.find("CANARY") == std::string::npos);
        CHECK(text.find("value") == std::string::npos);
    }
}

TEST_CASE("credentials are hidden however a server writes them", "[engine][requests]") {
    options how;
    how.credentials = [](const std::string&) {
        return header_list{{"Authorization", "Basic YWxpY2U6Q0FOQVJZL3NlY3JldCs="}};  // alice:CANARY/secret+
    };
    job_spec job;
    job.url = "https://host.test/x";
    request what;
    what.url = job.url;
    const std::vector<std::string> secrets = detail::prepare(what, job, how);
    for (const char* const shown : {"YWxpY2U6Q0FOQVJZL3NlY3JldCs=", "YWxpY2U6Q0FOQVJZL3NlY3JldCs%3D",
                                    "alice:CANARY/secret+", "CANARY\\/secret+", "CANARY%2Fsecret%2B"}) {
        std::string text = std::string("you are ") + shown + " to me";
        hide_secrets(text, secrets);
        CAPTURE(shown, text);
        CHECK(text.find("CANARY") == std::string::npos);
        CHECK(text.find("YWxp") == std::string::npos);
    }
}

TEST_CASE("percent signs that encode nothing stay", "[engine][requests]") {
    CHECK(url::unescape("a%2Fb%2fc") == "a/b/c");
    CHECK(url::unescape("100%") == "100%");
    CHECK(url::unescape("%2") == "%2");
    CHECK(url::unescape("%zz%00") == std::string("%zz") + '\0');
}

namespace {

/// What a request is refused with when the credentials are these.
failure refused_by(const credentials_provider& given) {
    options how;
    how.credentials = given;
    job_spec job;
    job.url = "https://host.test/in";
    request what;
    what.url = job.url;
    try {
        static_cast<void>(detail::prepare(what, job, how));
    } catch (const failure& f) {
        return f;
    }
    FAIL("it was sent");
    return {disposition::permanent, errc::canceled, {}};
}

}  // namespace

TEST_CASE("credentials that cannot be had, or cannot be sent, are waited for, and not shown", "[engine][requests]") {
    const failure down =
        refused_by([](const std::string&) -> header_list { throw std::runtime_error("token server down"); });
    CHECK(down.what_to_do() == disposition::credentials);
    CHECK(down.code() == errc::no_credentials);
    CHECK(down.details().detail == "the credentials provider failed: token server down");
    CHECK(refused_by([](const std::string&) -> header_list { throw 7; }).code() == errc::no_credentials);

    for (const char* const value : {"Bearer canary\r", "Bearer canary\r\nX: y", "canary\n"}) {
        const failure bad = refused_by([value](const std::string&) { return header_list{{"Authorization", value}}; });
        CHECK(bad.what_to_do() == disposition::credentials);
        CHECK(bad.code() == errc::invalid_header);
        CHECK(bad.details().detail.find("Authorization") != std::string::npos);
        CHECK(std::string(bad.what()).find("canary") == std::string::npos);
    }
    const failure name = refused_by([](const std::string&) { return header_list{{"canary: x", "y"}}; });
    CHECK(name.code() == errc::invalid_header);
    CHECK(std::string(name.what()).find("canary") == std::string::npos);
}

}  // namespace waybill::test
