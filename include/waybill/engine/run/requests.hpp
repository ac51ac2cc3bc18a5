// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/digest.hpp>
#include <waybill/error.hpp>
#include <waybill/http/url.hpp>
#include <waybill/model/checkpoint.hpp>
#include <waybill/model/record.hpp>
#include <waybill/options.hpp>
#include <waybill/protocol/failure.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What is added to every request of a job. Pure functions.
namespace waybill::detail {

inline void replace_header(header_list& headers, header_field with) {
    std::erase_if(headers, [&with](const header_field& h) { return same_header(h.name, with.name); });
    headers.push_back(std::move(with));
}

/// A value as it was sent, and as a server may write it when it echoes it: decoded, re-encoded in common ways, and with
/// the slashes of JSON escaped.
inline void add_spellings(std::vector<std::string>& secrets, const std::string& value) {
    std::string decoded = url::unescape(value);
    std::string spaced = value;
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    std::string by_form = url::unescape(spaced);
    std::string encoded = url::escape_segment(decoded);
    std::string lower = encoded;
    std::string in_json = decoded;
    for (auto at = lower.find('%'); at != std::string::npos; at = lower.find('%', at + 3)) {
        for (std::size_t i = at + 1; i < at + 3; ++i) {
            lower[i] = lower[i] >= 'A' && lower[i] <= 'F' ? static_cast<char>(lower[i] - 'A' + 'a') : lower[i];
        }
    }
    for (auto at = in_json.find('/'); at != std::string::npos; at = in_json.find('/', at + 2)) {
        in_json.insert(at, 1, '\\');
    }
    for (std::string* const one : {&decoded, &by_form, &encoded, &lower, &in_json}) {
        if (*one != value && std::find(secrets.begin(), secrets.end(), *one) == secrets.end()) {
            secrets.push_back(std::move(*one));
        }
    }
    secrets.push_back(value);
}

/// A query may be a signature, or contain one: it is not shown, and redacted from the server's responses.
inline void add_query_values(std::vector<std::string>& secrets, const std::string& query) {
    constexpr std::size_t least = 8;
    for (std::size_t at = 0; at < query.size();) {
        const std::size_t end = std::min(query.find('&', at), query.size());
        const std::string one = query.substr(at, end - at);
        const std::string value = one.substr(one.find('=') + 1);
        if (value.size() >= least) {
            add_spellings(secrets, value);
        }
        at = end + 1;
    }
}

/// A header's value, also without its scheme, and the contents of Basic credentials.
inline void add_secret_value(std::vector<std::string>& secrets, const std::string& value) {
    const std::string bare = value.substr(value.find_last_of(' ') + 1);
    add_spellings(secrets, value);
    add_spellings(secrets, bare);
    constexpr std::string_view scheme = "Basic ";
    if (value.size() > scheme.size() && same_header(value.substr(0, scheme.size()), scheme)) {
        const std::string inside = from_base64(bare).value_or("");
        const std::string password = inside.substr(std::min(inside.find(':') + 1, inside.size()));
        constexpr std::size_t least = 4;  // shorter ones would redact ordinary words
        if (password.size() >= least) {
            add_spellings(secrets, inside);
            add_spellings(secrets, password);
        }
    }
}

/// Most URLs of a job begin alike, and need not be parsed.
[[nodiscard]] inline bool have_one_origin(const std::string& a, const std::string& b) {
    const auto authority_end = [](const std::string& text) {
        const auto slashes = text.find("://");
        return slashes == std::string::npos ? 0 : std::min(text.find_first_of("/?\\", slashes + 3), text.size());
    };
    const std::size_t end = authority_end(a);
    if (end != 0 && end == authority_end(b) && a.compare(0, end, b, 0, end) == 0) {
        return true;
    }
    return url(a).origin() == url(b).origin();
}

/// The authentication headers. If a provider fails, or returns headers that cannot be sent, that is a temporary failure
/// of the credentials: throws such a `failure`, without the returned values.
[[nodiscard]] inline header_list credentials_for(const std::string& origin, const options& options) {
    const auto refuse = [](errc code, std::string why) {
        diagnostics details;
        details.detail = "the credentials provider " + std::move(why);
        throw failure(disposition::credentials, code, std::move(details));
    };
    header_list given;
    try {
        given = options.credentials(origin);
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& e) {
        refuse(errc::no_credentials, "failed: " + printable_excerpt(e.what(), 256));
    } catch (...) {
        refuse(errc::no_credentials, "failed with an exception of an unknown type");
    }
    for (const header_field& h : given) {
        if (!is_token(h.name)) {
            refuse(errc::invalid_header, "returned a header with an invalid name");
        }
        if (!is_field_value(h.value)) {
            refuse(errc::invalid_header, "returned a value of " + h.name + " with a line break or a control character");
        }
    }
    return given;
}

/// Adds the job's headers: instead of those of the same name that the protocol has set, and each as often as the app
/// did.
inline void add_headers(request& what, const string_pairs& added) {
    for (auto one = added.begin(); one != added.end(); ++one) {
        const auto& [name, value] = *one;
        if (!what.conditional && is_condition(name)) {
            continue;
        }
        const bool further =
            std::any_of(added.begin(), one, [&](const auto& before) { return same_header(before.first, name); });
        if (further) {
            what.headers.push_back(header_field{name, value});
        } else {
            replace_header(what.headers, header_field{name, value});
        }
    }
}

/// Adds the timeouts, and to requests the protocol has not signed the job's headers and the credentials of its origin.
/// Returns the secrets to redact from the response. Throws `errc::foreign_origin`, and whatever `credentials_for`
/// throws.
[[nodiscard]] inline std::vector<std::string> prepare(request& what, const job_spec& job, const options& options) {
    // A stored URL from a response must have the job's origin, too.
    const bool at_home = have_one_origin(what.url, job.url);
    if (!at_home && !what.any_origin) {
        throw error(errc::foreign_origin, url(what.url).redacted());
    }
    std::vector<std::string> secrets;
    if (const auto query = job.url.find('?'); query != std::string::npos) {
        add_query_values(secrets, job.url.substr(query + 1));
    }
    what.limits = options.limits;
    // A server may need minutes for every gigabyte: to scan, to move, to assemble.
    what.limits.response += std::chrono::milliseconds((what.body_size() + what.assembles) / 6000);
    if (what.sealed) {
        secrets.insert(secrets.end(), what.secrets.begin(), what.secrets.end());
        for (const header_field& h : what.headers) {
            if (same_header(h.name, "Authorization")) {
                secrets.push_back(h.value);
            }
        }
        return secrets;
    }
    add_headers(what, job.headers);
    // Credentials belong to one origin, and no setting of a job may replace them.
    if (options.credentials && at_home) {
        for (header_field& h : credentials_for(url(what.url).origin(), options)) {
            add_secret_value(secrets, h.value);
            replace_header(what.headers, std::move(h));
        }
    }
    return secrets;
}

/// Records in the response its redirect target, and whether it is a success. Over plain HTTP a captive portal's login
/// page is a 303 to another host; over TLS only the server can respond.
inline void take_redirect(const request& what, response& got, const std::vector<std::string>& secrets) {
    if (classify_status(got.status) != status_class::redirect) {
        return;
    }
    const auto location = got.header("Location");
    bool by_server = !location || what.url.starts_with("https:");
    try {
        const url from(what.url);
        const url to = from.resolve(std::string(location.value_or("")));
        by_server = by_server || to.host() == from.host();
        got.leads_to = location ? printable_excerpt(to.redacted(), 256) : "";
        hide_secrets(got.leads_to, secrets);
    } catch (const error&) {
        got.leads_to.clear();  // not a URL: it may be anything
    }
    got.see_other = what.see_other && got.status == 303 && got.has_left && by_server;
}

/// The key of a request that is not idempotent: the same for each retry of it, another one for each other request of
/// the job. A job's one POST to its own URL, such as a form, has the job's key unchanged. Without a purpose the path
/// distinguishes requests, not the query: that may contain a signature, which changes from one retry to the next.
[[nodiscard]] inline std::string key_of(const request& what, const job_record& job, std::size_t about) {
    const auto path_of = [](const std::string& url) { return std::string_view(url).substr(0, url.find('?')); };
    std::string key = job.state.key + (about == checkpoint::whole_job ? "" : "-" + std::to_string(about));
    std::string purpose = what.purpose;
    if (purpose.empty() && (what.method != "POST" || path_of(what.url) != path_of(job.spec.url))) {
        purpose.append(what.method).append(" ").append(path_of(what.url));
    }
    constexpr std::size_t digits = 16;
    return purpose.empty() ? key : key + "-" + to_hex(digest_of("sha-256", purpose)).substr(0, digits);
}

/// Points the request to the target of a 307 or 308; these keep method and body (RFC 9110 section 15.4). Only within
/// the origin: bytes and credentials are sent only to the host that the job names.
[[nodiscard]] inline bool redirected(request& what, const response& got, int redirects) {
    constexpr int most_redirects = 5;
    const auto location = got.header("Location");
    const bool asked = got.status == 307 || got.status == 308;
    if (!asked || !location || what.sealed || redirects >= most_redirects) {
        return false;
    }
    try {
        const url from(what.url);
        const url to = from.resolve(std::string(*location));
        if (to.origin() != from.origin()) {
            return false;
        }
        what.url = to.str();
        return true;
    } catch (const error&) {
        return false;
    }
}

}  // namespace waybill::detail
