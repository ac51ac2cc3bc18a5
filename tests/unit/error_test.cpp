// SPDX-License-Identifier: BSL-1.0
#include <waybill/error.hpp>

#include "support/catch.hpp"

#include <asio/error.hpp>

#include <map>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace waybill::test {
namespace {

constexpr cause every_cause[] = {cause::retryable, cause::permanent, cause::canceled, cause::storage, cause::ambiguous};

// The intended meaning of every code: r(etryable) p(ermanent) c(anceled) s(torage) a(mbiguous).
const std::map<errc, std::string> intended = {
    {errc::invalid_url, "p"},
    {errc::unsupported_scheme, "p"},
    {errc::invalid_header, "p"},
    {errc::forbidden_header, "p"},
    {errc::invalid_field, "p"},
    {errc::invalid_name, "p"},
    {errc::invalid_id, "p"},
    {errc::invalid_lane, "p"},
    {errc::invalid_range, "p"},
    {errc::invalid_setting, "p"},
    {errc::empty_job, "p"},
    {errc::duplicate_id, "p"},
    {errc::duplicate_name, "p"},
    {errc::unknown_protocol, "p"},
    {errc::job_too_large, "p"},
    {errc::source_missing, "p"},
    {errc::source_unreadable, "p"},
    {errc::source_not_regular, "p"},
    {errc::source_outside, "p"},
    {errc::file_changed, "p"},
    {errc::source_read_failed, "r"},
    {errc::source_unavailable, "r"},
    {errc::source_size_wrong, "p"},
    {errc::file_touched, "r"},
    {errc::store_locked, "rs"},
    {errc::store_damaged, "ps"},
    {errc::store_too_new, "ps"},
    {errc::store_unwritable, "ps"},
    {errc::store_unsafe, "ps"},
    {errc::store_full, "rs"},
    {errc::store_failed, "rs"},
    {errc::record_damaged, "ps"},
    {errc::unknown_job, "p"},
    {errc::not_allowed, "p"},
    {errc::stopped, "p"},
    {errc::canceled, "c"},
    {errc::outcome_unknown, "a"},
    {errc::expired, "p"},
    {errc::invalid_option, "p"},
    {errc::forked, "p"},
    {errc::host_not_found, "r"},
    {errc::connect_failed, "r"},
    {errc::connect_timed_out, "r"},
    {errc::connection_lost, "r"},
    {errc::stale_connection, "r"},
    {errc::send_stalled, "r"},
    {errc::response_timed_out, "ra"},
    {errc::tls_untrusted, "r"},
    {errc::tls_failed, "r"},
    {errc::proxy_failed, "r"},
    {errc::invalid_response, "r"},
    {errc::response_too_large, "p"},
    {errc::early_response, "r"},
    {errc::redirect_refused, "p"},
    {errc::network_unreachable, "r"},
    {errc::transport_failed, "r"},
    {errc::foreign_origin, "p"},
    {errc::proxy_unauthorized, "r"},
    {errc::wrong_offset, "p"},
    {errc::not_offered, "p"},
    {errc::no_credentials, "r"},
    {errc::not_completed, "r"},
};

std::string causes_of(std::error_code code) {
    constexpr char letters[] = {'r', 'p', 'c', 's', 'a'};
    std::string found;
    for (std::size_t i = 0; i < std::size(every_cause); ++i) {
        if (code == every_cause[i]) {
            found.push_back(letters[i]);
        }
    }
    return found;
}

std::string sorted(std::string letters, const std::string& order = "rpcsa") {
    std::string out;
    for (const char c : order) {
        if (letters.find(c) != std::string::npos) {
            out.push_back(c);
        }
    }
    return out;
}

TEST_CASE("every code has exactly the causes it is meant to have", "[error]") {
    for (const auto& [code, letters] : intended) {
        INFO(make_error_code(code).message());
        CHECK(causes_of(code) == sorted(letters));
    }
}

TEST_CASE("no code is missing from the table above", "[error]") {
    // Whatever has a text is a code; enumerators are spread over 1 to 199.
    for (int value = 0; value < 1000; ++value) {
        INFO("code " << value);
        const bool known = make_error_code(static_cast<errc>(value)).message() != "unknown error";
        CHECK(known == intended.contains(static_cast<errc>(value)));
    }
}

TEST_CASE("every message names the cause and, after a semicolon, the remedy", "[error]") {
    std::set<std::string> texts;
    for (const auto& [code, letters] : intended) {
        const std::string text = make_error_code(code).message();
        INFO(text);
        const auto semicolon = text.find("; ");
        REQUIRE(semicolon != std::string::npos);
        CHECK(semicolon > 0);
        CHECK(text.size() > semicolon + 2);
        CHECK(text.back() != '.');
        CHECK(texts.insert(text).second);
        // That is the job's to say: its last attempt fails with the same code as its first.
        CHECK(text.find("tried again") == std::string::npos);
    }
}

TEST_CASE("codes convert by themselves and belong to one category", "[error]") {
    const std::error_code code = errc::file_changed;
    CHECK(code.category() == error_category());
    CHECK(code.category() != http_category());
    CHECK(code == errc::file_changed);
    CHECK(code != errc::source_missing);
    CHECK(std::string(error_category().name()) == "waybill");
    CHECK(std::string(http_category().name()) == "waybill.http");
    CHECK(std::string(cause_category().name()) == "waybill.cause");
    CHECK(&error_category() == &error_category());
}

TEST_CASE("an HTTP status means for an upload what RFC 9110 and practice say", "[error][http]") {
    const std::set<int> not_applied = {408, 417, 421, 423, 425, 429, 503, 508, 509, 511, 529, 530};
    const std::set<int> maybe_applied = {500, 502, 504, 507};
    for (int status = 100; status < 1000; ++status) {
        INFO("HTTP " << status);
        std::string expected = "p";
        status_class class_of = status_class::permanent;
        if (status < 200) {
            expected = "";
            class_of = status_class::informational;
        } else if (status < 300 && status != 206 && status != 207) {
            expected = "";
            class_of = status_class::success;
        } else if (status >= 300 && status < 400) {
            class_of = status_class::redirect;
        } else if (not_applied.contains(status)) {
            expected = "r";
            class_of = status_class::not_applied;
        } else if (maybe_applied.contains(status) || (status >= 512 && status < 600)) {
            expected = "ra";
            class_of = status_class::ambiguous;
        }
        CHECK(causes_of(make_http_error(status)) == expected);
        CHECK(classify_status(status) == class_of);
    }
}

TEST_CASE("an HTTP error's text has the number, and the phrase where there is one", "[error][http]") {
    CHECK(make_http_error(503).message() == "HTTP 503 Service Unavailable");
    CHECK(make_http_error(413).message() == "HTTP 413 Content Too Large");
    CHECK(make_http_error(499).message() == "HTTP 499");
    for (const int status : {400, 401, 403, 404, 405, 408, 409, 410, 411, 412, 413,
                             415, 417, 422, 423, 429, 500, 501, 502, 503, 504, 507}) {
        const std::string text = make_http_error(status).message();
        CHECK(text.size() > 9);
        CHECK(text.rfind("HTTP " + std::to_string(status) + " ", 0) == 0);
    }
}

TEST_CASE("a canceled operation of Asio or of the system counts as canceled", "[error]") {
    CHECK(std::error_code(asio::error::operation_aborted) == cause::canceled);
    CHECK(std::make_error_code(std::errc::operation_canceled) == cause::canceled);
    CHECK(causes_of(asio::error::operation_aborted) == "c");
    CHECK(causes_of(asio::error::connection_reset).empty());
    CHECK(causes_of(std::make_error_code(std::errc::no_space_on_device)).empty());
    CHECK(causes_of({}).empty());
}

TEST_CASE("causes are conditions with a name", "[error]") {
    for (const cause c : every_cause) {
        CHECK(make_error_condition(c).category() == cause_category());
        CHECK(make_error_condition(c).message() != "unknown cause");
    }
    CHECK(make_error_condition(static_cast<cause>(99)).message() == "unknown cause");
}

TEST_CASE("an error's text has the thing, the cause and the remedy", "[error]") {
    const error e(errc::source_missing, "/photos/a.jpg");
    const std::string text = e.what();
    CHECK(text.find("/photos/a.jpg") != std::string::npos);
    CHECK(text.find(make_error_code(errc::source_missing).message()) != std::string::npos);
    CHECK(e.code() == errc::source_missing);
    CHECK(e.details().detail == "/photos/a.jpg");

    diagnostics d;
    d.http_status = 503;
    d.transport_code = 7;
    d.transport_text = "words";
    d.excerpt = "body";
    d.detail = "item 3";
    const error rich(make_http_error(503), d);
    CHECK(rich.details() == d);
    CHECK(std::string(rich.what()).find("item 3") != std::string::npos);
    CHECK(std::string(rich.what()).find("HTTP 503") != std::string::npos);
    CHECK(std::string(error(errc::stopped).what()) == make_error_code(errc::stopped).message());
}

}  // namespace
}  // namespace waybill::test
