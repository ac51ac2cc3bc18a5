// SPDX-License-Identifier: BSL-1.0
//
// A URL of the app, a reference of the server, a file name for a URL, a query to be signed: what is
// accepted holds no secret and no second line, and means the same when it is read again.

#include <waybill/http/url.hpp>
#include <waybill/protocol/s3/sigv4.hpp>
#include <waybill/protocol/shared/target.hpp>

#include "fuzz/property.hpp"

#include <curl/curl.h>

#include <string>

namespace waybill::fuzz {
namespace {

void sound(const url& u) {
    const std::string text = u.str();
    require(!has_control(text) && text.find(' ') == std::string::npos, "a URL is one word");
    require(u.scheme() == "http" || u.scheme() == "https", "a URL is of HTTP");
    require(!u.host().empty(), "a URL has a host");
    const std::string shown = u.redacted();
    require(u.query().empty() || shown.find('?') + std::string_view("?…").size() == shown.size(),
            "a redacted URL does not show its query");
    const url again(text);
    require(again.str() == text && again.origin() == u.origin(), "a URL means the same when it is read again");
}

void refused(const error& e) {
    require(!has_control(e.details().detail), "what is said of a refused URL is printable");
}

void canonical(const std::string& text) {
    const std::string path = detail::canonical_path(text);
    require(detail::canonical_path(path) == path, "a canonical path is its own");
    const std::string query = detail::canonical_query(text);
    require(detail::canonical_query(query) == query, "a canonical query is its own");
    require(!has_control(path + query), "what is signed is one line");
}

void named(const std::string& target, const std::string& name) {
    const std::string escaped = url::escape_segment(name);
    int length = 0;
    char* const back = curl_easy_unescape(nullptr, escaped.c_str(), static_cast<int>(escaped.size()), &length);
    require(back != nullptr && std::string(back, static_cast<std::size_t>(length)) == name,
            "a name in a URL keeps every byte");
    curl_free(back);
    require(escaped.find_first_of("/?#\\ ") == std::string::npos, "a name stays one segment");
    try {
        const url before(target);
        const url after(detail::put_target(target, true, name));
        require(after.origin() == before.origin(), "a name does not change where a URL leads");
        sound(after);
    } catch (const error& e) {
        refused(e);
    }
}

}  // namespace

void check(std::string_view input) {
    lines text(input);
    const std::string base(text.next());
    const std::string reference(text.next());
    try {
        const url from(base);
        sound(from);
        sound(from.resolve(reference));
    } catch (const error& e) {
        refused(e);
    }
    named(base, reference);
    canonical(reference);
}

}  // namespace waybill::fuzz
