// SPDX-License-Identifier: BSL-1.0
#include "cli/response_text.hpp"
#include "cli/words.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <memory>
#include <string>

using namespace cli;

TEST_CASE("a plain answer is the server's sentence, on one line", "[answer]") {
    CHECK(sentence_of("").empty());
    CHECK(sentence_of(" \r\n ").empty());
    CHECK(sentence_of("not you\n") == "not you");
    CHECK(sentence_of("  quota exceeded:\r\n\t10 GB  ") == "quota exceeded: 10 GB");
}

TEST_CASE("of JSON the member that speaks to people is taken", "[answer]") {
    CHECK(sentence_of(R"({"type":"about:blank","title":"Too large","status":413,"detail":"At most 5 MB."})") ==
          "At most 5 MB.");
    CHECK(sentence_of(R"({"title":"Too large"})") == "Too large");
    CHECK(sentence_of(R"({"message":"Bad\ncredentials"})") == "Bad credentials");
    CHECK(sentence_of(R"({"error":"invalid_grant","error_description":"It expired."})") == "It expired.");
    CHECK(sentence_of(R"({"error":{"code":403,"message":"No access to 日本"}})") == "No access to 日本");
    CHECK(sentence_of(R"([{"errors":[{"reason":"late"}]}])") == "late");
    CHECK(sentence_of(R"({"error":"no space"})") == "no space");
    CHECK(sentence_of(R"({"id":"x","ok":false})").empty());
    CHECK(sentence_of("[]").empty());
}

TEST_CASE("JSON that was cut off says what was said before", "[answer]") {
    CHECK(sentence_of(R"({"message":"no space","trace":"at a.b.c)") == "no space");
    CHECK(sentence_of(R"({"message":"no sp)").empty());
    CHECK(sentence_of(std::string(1024, '[')).empty());
    CHECK(sentence_of("{\"message\":\"caf\xE9\"}").empty());
}

TEST_CASE("of a page the words that are not the status are taken", "[answer]") {
    // nginx, Apache, a WebDAV server, a proxy.
    CHECK(sentence_of("<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n"
                      "<center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx</center>")
              .empty());
    CHECK(
        sentence_of("<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>403 Forbidden</title>"
                    "\n</head><body>\n<h1>Forbidden</h1>\n<p>You don't have permission to access this resource.</p>") ==
        "You don't have permission to access this resource.");
    CHECK(
        sentence_of("<?xml version=\"1.0\"?><d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\">"
                    "<s:exception>X</s:exception><s:message>The file is &quot;locked&quot; &amp; yours</s:message>") ==
        "The file is \"locked\" & yours");
    CHECK(sentence_of("<HTML><TITLE>Access\n denied by  policy</TITLE>") == "Access denied by policy");
    CHECK(sentence_of("<Error><Code>AccessDenied</Code><Message>No.</Message></Error>") == "No.");
    CHECK(sentence_of("<b>Only</b> words") == "Only words");
}

TEST_CASE("an answer that is cut off or broken is no trouble", "[answer]") {
    CHECK(sentence_of("<html><head><style>body { color: red").empty());
    CHECK(sentence_of("<title>cut in the mid") == "cut in the mid");
    CHECK(sentence_of("<").empty());
    CHECK(sentence_of("<p").empty());
    CHECK(sentence_of("< >x") == "x");
    CHECK(sentence_of("&amp;&unknown;&") == "&amp;&unknown;&");
    const std::string page = R"(<html><title>A &lt;b&gt;</title>{"message":"x","detail":"y"}</html>)";
    for (std::size_t end = 0; end <= page.size(); ++end) {
        for (std::size_t begin = 0; begin <= end; ++begin) {
            CHECK(sentence_of(page.substr(begin, end - begin)).size() <= longest_sentence + 3);
        }
    }
}

TEST_CASE("a long answer is shortened", "[answer]") {
    const std::string said = sentence_of(std::string(1000, 'x'));
    CHECK(said == std::string(longest_sentence, 'x') + "…");
}

namespace {

waybill::job_snapshot trip(waybill::status now, const std::error_code& why = {}) {
    auto about = std::make_shared<waybill::job_snapshot::fixed>();
    about->id = waybill::job_id("trip");
    waybill::job_snapshot job;
    job.about = about;
    job.status = now;
    job.error.code = why;
    return job;
}

const std::chrono::system_clock::time_point noon{std::chrono::hours(12)};

}  // namespace

TEST_CASE("a failed job is told with the server's words and what can be done", "[words]") {
    waybill::job_snapshot job = trip(waybill::status::failed, waybill::make_http_error(403));
    job.error.details.http_status = 403;
    job.error.details.excerpt = "<p>not you</p>";
    CHECK(situation(job, noon) ==
          "HTTP 403 Forbidden: it does not allow this; check the credentials and their permissions; the server "
          "says: "
          "\"not you\"; to send it after all: waybill retry trip");

    CHECK_THAT(situation(trip(waybill::status::failed, waybill::errc::file_changed), noon),
               Catch::EndsWith("retry the job to send the new content; that is: waybill retry trip"));

    job.error.details.detail = "the server: not you";  // the protocol has said it
    CHECK(situation(job, noon).find("the server says") == std::string::npos);
}

TEST_CASE("the transport's own words are told when there was no answer", "[words]") {
    waybill::job_snapshot job = trip(waybill::status::failed, waybill::errc::connect_failed);
    job.error.details.transport_text = "Connection refused";
    CHECK_THAT(situation(job, noon), Catch::Contains("(Connection refused)"));
    job.error.details.http_status = 500;
    CHECK_THAT(situation(job, noon), !Catch::Contains("(Connection refused)"));
}

TEST_CASE("a waiting job says for what and for how long", "[words]") {
    waybill::job_snapshot job = trip(waybill::status::waiting, waybill::errc::connect_failed);
    job.reason = waybill::wait_reason::network;
    job.not_before = std::chrono::time_point_cast<std::chrono::milliseconds>(noon + std::chrono::milliseconds(89'500));
    job.wait = std::chrono::milliseconds(89'500);
    CHECK_THAT(situation(job, noon),
               Catch::StartsWith("its host, or the way to it, is out of order; tried again in 1 min 30 s: ") &&
                   Catch::Contains("no connection to the server"));
    job.not_before = std::chrono::time_point_cast<std::chrono::milliseconds>(noon);
    CHECK_THAT(situation(job, noon), Catch::Contains("due now: "));
    CHECK(reason_in_words("something_new") == "something_new");
}

TEST_CASE("an undecided job says how to decide it, and what went well says nothing", "[words]") {
    CHECK_THAT(situation(trip(waybill::status::unknown_outcome, waybill::errc::outcome_unknown), noon),
               Catch::EndsWith("waybill resolve trip completed, retry or canceled"));
    CHECK(situation(trip(waybill::status::completed), noon).empty());
    CHECK(situation(trip(waybill::status::canceled, waybill::errc::canceled), noon).empty());
    CHECK(situation(trip(waybill::status::pending), noon).empty());
    CHECK_THAT(situation(trip(waybill::status::uploading, waybill::errc::connection_lost), noon),
               Catch::StartsWith("last error: "));
}
