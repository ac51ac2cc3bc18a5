// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/digest.hpp>
#include <waybill/http/url.hpp>
#include <waybill/protocol/s3/sigv4.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <utility>
#include <vector>

namespace waybill::detail {

WAYBILL_DECL std::string canonical_path(std::string_view path) {
    std::string out;
    std::string decoded = url::unescape(path);
    std::string_view remaining = decoded;
    for (auto slash = remaining.find('/'); slash != std::string_view::npos; slash = remaining.find('/')) {
        out += url::escape_segment(remaining.substr(0, slash)) + "/";
        remaining.remove_prefix(slash + 1);
    }
    out += url::escape_segment(remaining);
    return out.empty() ? "/" : out;
}

WAYBILL_DECL std::string canonical_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> parameters;
    while (!query.empty()) {
        const std::string_view one = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), one.size() + 1));
        const std::string_view name = one.substr(0, one.find('='));
        const std::string_view value = one.substr(std::min(one.size(), name.size() + 1));
        if (!one.empty()) {
            parameters.emplace_back(url::escape_segment(url::unescape(name)),
                                    url::escape_segment(url::unescape(value)));
        }
    }
    std::sort(parameters.begin(), parameters.end());
    std::string out;
    for (const auto& [name, value] : parameters) {
        out += (out.empty() ? "" : "&") + name + "=" + value;
    }
    return out;
}

/// `Host` as libcurl sends it: without the scheme's own port.
[[nodiscard]] inline std::string host_header(const url& target) {
    std::string host = target.origin().substr(target.scheme().size() + 3);
    const std::string own = target.scheme() == "https" ? ":443" : ":80";
    return host.ends_with(own) ? host.substr(0, host.size() - own.size()) : host;
}

/// `YYYYMMDDTHHMMSSZ`.
[[nodiscard]] inline std::string amz_date(std::int64_t now_unix) {
    const auto seconds = static_cast<std::time_t>(now_unix);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    std::array<char, 32> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
    return {text.data(), length};
}

/// Runs of spaces as one, none at the ends.
[[nodiscard]] inline std::string folded(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c != ' ' || !(out.empty() || out.ends_with(' '))) {
            out.push_back(c);
        }
    }
    if (out.ends_with(' ')) {
        out.pop_back();
    }
    return out;
}

/// The lines and the list of the signed headers.
struct signed_headers {
    signed_headers(const header_list& headers, const std::string& host) {
        std::map<std::string, std::string> sorted{{"host", host}};
        for (const header_field& h : headers) {
            std::string name = h.name;
            std::transform(name.begin(), name.end(), name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
            const auto [place, fresh] = sorted.emplace(std::move(name), folded(h.value));
            if (!fresh) {
                place->second += "," + folded(h.value);
            }
        }
        for (const auto& [name, value] : sorted) {
            lines += name + ":" + value + "\n";
            names += (names.empty() ? "" : ";") + name;
        }
    }

    std::string lines;
    std::string names;
};

WAYBILL_DECL std::string sigv4::scope(std::string_view day) const {
    return std::string(day) + "/" + region_ + "/" + service_ + "/aws4_request";
}

WAYBILL_DECL std::string sigv4::signature(std::string_view time, std::string_view canonical) const {
    const std::string_view day = time.substr(0, 8);
    const std::string to_sign =
        "AWS4-HMAC-SHA256\n" + std::string(time) + "\n" + scope(day) + "\n" + to_hex(digest_of("sha-256", canonical));
    std::string key = hmac_sha256("AWS4" + who_.secret_key, day);
    for (const std::string_view part :
         {std::string_view(region_), std::string_view(service_), std::string_view("aws4_request")}) {
        key = hmac_sha256(key, part);
    }
    return to_hex(hmac_sha256(key, to_sign));
}

WAYBILL_DECL void sigv4::sign(request& what, std::string_view payload, std::int64_t now_unix) const {
    const url target(what.url);
    const std::string host = host_header(target);
    const std::string path = canonical_path(target.path());
    const std::string query = canonical_query(target.query());
    what.url = target.scheme() + "://" + host + path + (query.empty() ? "" : "?" + query);

    const std::string time = amz_date(now_unix);
    what.headers.push_back(header_field{"X-Amz-Date", time});
    if (service_ == "s3") {
        what.headers.push_back(header_field{"X-Amz-Content-Sha256", std::string(payload)});
    }
    if (!who_.session_token.empty()) {
        what.headers.push_back(header_field{"X-Amz-Security-Token", who_.session_token});
        what.secrets.push_back(who_.session_token);
    }
    const signed_headers headers(what.headers, host);
    const std::string canonical = what.method + "\n" + path + "\n" + query + "\n" + headers.lines + "\n" +
                                  headers.names + "\n" + std::string(payload);
    what.headers.push_back(header_field{
        "Authorization", "AWS4-HMAC-SHA256 Credential=" + who_.access_key + "/" + scope(time.substr(0, 8)) +
                             ", SignedHeaders=" + headers.names + ", Signature=" + signature(time, canonical)});
}

WAYBILL_DECL void sigv4::presign(request& what, std::int64_t now_unix, std::chrono::seconds valid) const {
    const url target(what.url);
    const std::string host = host_header(target);
    const std::string path = canonical_path(target.path());
    const std::string time = amz_date(now_unix);
    const signed_headers headers(what.headers, host);
    std::string query = target.query();
    query += (query.empty() ? "" : "&") + std::string("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=") +
             url::escape_segment(who_.access_key + "/" + scope(time.substr(0, 8))) + "&X-Amz-Date=" + time +
             "&X-Amz-Expires=" + std::to_string(valid.count()) +
             "&X-Amz-SignedHeaders=" + url::escape_segment(headers.names);
    if (!who_.session_token.empty()) {
        query += "&X-Amz-Security-Token=" + url::escape_segment(who_.session_token);
    }
    query = canonical_query(query);
    const std::string canonical = what.method + "\n" + path + "\n" + query + "\n" + headers.lines + "\n" +
                                  headers.names + "\n" + std::string(unsigned_payload);
    what.url = target.scheme() + "://" + host + path + "?" + query + "&X-Amz-Signature=" + signature(time, canonical);
}

}  // namespace waybill::detail
