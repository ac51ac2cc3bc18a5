// SPDX-License-Identifier: BSL-1.0
#include "support/s3_signature.hpp"

#include <waybill/detail/digest.hpp>
#include <waybill/protocol/http_rules.hpp>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <map>
#include <sstream>
#include <vector>

namespace waybill::test {
namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

std::vector<std::string> split(const std::string& text, char mark) {
    std::vector<std::string> all;
    std::istringstream in(text);
    for (std::string one; std::getline(in, one, mark);) {
        all.push_back(one);
    }
    return all;
}

/// True when only unreserved characters, escapes in capitals of others, and `also` occur.
bool is_canonical(const std::string& text, const std::string& also) {
    const auto unreserved = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            const std::string digits = text.substr(i + 1, 2);
            const bool capitals =
                digits.size() == 2 && digits.find_first_not_of("0123456789ABCDEF") == std::string::npos;
            if (!capitals || unreserved(from_hex(digits)[0])) {
                return false;
            }
            i += 2;
        } else if (!unreserved(text[i]) && also.find(text[i]) == std::string::npos) {
            return false;
        }
    }
    return true;
}

std::int64_t parse_time(const std::string& text) {
    std::tm utc{};
    const char* const end = ::strptime(text.c_str(), "%Y%m%dT%H%M%SZ", &utc);
    return end != nullptr && *end == '\0' ? static_cast<std::int64_t>(::timegm(&utc)) : 0;
}

std::string after(const std::string& text, const std::string& mark) {
    const auto at = text.find(mark);
    const auto begin = at + mark.size();
    return at == std::string::npos ? "" : text.substr(begin, text.find(',', begin) - begin);
}

}  // namespace

std::string from_hex(const std::string& text) {
    std::string bytes;
    for (std::size_t i = 0; i + 2 <= text.size(); i += 2) {
        bytes.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

std::string percent_decode(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape =
            text[i] == '%' && i + 2 < text.size() && std::isxdigit(text[i + 1]) && std::isxdigit(text[i + 2]);
        out += escape ? from_hex(text.substr(i + 1, 2)) : std::string(1, text[i]);
        i += escape ? 2 : 0;
    }
    return out;
}

bool s3_signature::take_scope(const std::string& credential) {
    const std::vector<std::string> scope = split(credential, '/');
    if (scope.size() != 5 || scope[4] != "aws4_request") {
        return false;
    }
    access_key_ = scope[0];
    day_ = scope[1];
    region_ = scope[2];
    service_ = scope[3];
    return true;
}

bool s3_signature::parse_query(const std::vector<std::string>& query) {
    std::map<std::string, std::string> said;
    for (const std::string& one : query) {
        said[one.substr(0, one.find('='))] = percent_decode(one.substr(one.find('=') + 1));
    }
    names_ = said["X-Amz-SignedHeaders"];
    signature_ = said["X-Amz-Signature"];
    date_ = said["X-Amz-Date"];
    valid_ = static_cast<std::int64_t>(parse_decimal(said["X-Amz-Expires"]).value_or(0));
    return take_scope(said["X-Amz-Credential"]) && said["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256" && valid_ >= 1 &&
           valid_ <= 604'800 && !names_.empty();
}

bool s3_signature::parse_authorization(const std::string& text) {
    names_ = after(text, "SignedHeaders=");
    signature_ = after(text, "Signature=");
    return text.rfind("AWS4-HMAC-SHA256 ", 0) == 0 && take_scope(after(text, "Credential=")) && !names_.empty() &&
           signature_.size() == 64;
}

void s3_signature::check_headers(const received_request& r) {
    const std::vector<std::string> names = split(names_, ';');
    const auto is_signed = [&](const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (!is_signed("host") || !std::is_sorted(names.begin(), names.end())) {
        flaw_ = "Host is not signed, or the list is not sorted: " + names_;
    }
    for (const header_field& h : r.headers) {
        const std::string name = lower(h.name);
        if ((name.rfind("x-amz-", 0) == 0 || name == "content-md5") && !is_signed(name)) {
            flaw_ = name + " is not signed";
        }
    }
    if (valid_ == 0 && !r.has_header("x-amz-content-sha256")) {
        flaw_ = "no x-amz-content-sha256";
    }
}

std::string s3_signature::header_lines(const received_request& r) const {
    std::string lines;
    for (const std::string& name : split(names_, ';')) {
        std::string value;
        for (const std::string& word : split(r.header(name), ' ')) {
            value += (word.empty() || value.empty() ? "" : " ") + word;
        }
        lines += name + ":" + value + "\n";
    }
    return lines;
}

s3_signature::s3_signature(const received_request& r, const std::string& secret_key) {
    const auto mark = r.target.find('?');
    const std::string path = r.target.substr(0, mark);
    std::vector<std::string> query = split(mark == std::string::npos ? "" : r.target.substr(mark + 1), '&');
    const bool in_url = r.target.find("X-Amz-Signature=") != std::string::npos;
    if (in_url ? !parse_query(query) : !parse_authorization(r.header("Authorization"))) {
        flaw_ = "no signature: " + r.header("Authorization").substr(0, 20);
        return;
    }
    date_ = in_url ? date_ : r.header("x-amz-date");
    check_headers(r);
    query.erase(std::remove_if(query.begin(), query.end(),
                               [](const std::string& one) { return one.rfind("X-Amz-Signature=", 0) == 0; }),
                query.end());
    std::sort(query.begin(), query.end());
    std::string sorted;
    for (const std::string& one : query) {
        const bool valued = std::count(one.begin(), one.end(), '=') == 1;
        sorted += (sorted.empty() ? "" : "&") + one;
        if (!valued || !is_canonical(one, "=")) {
            flaw_ = "not in canonical form: " + one;
        }
    }
    if (!is_canonical(path, "/")) {
        flaw_ = "not in canonical form: " + path;
    }
    time_ = parse_time(date_);
    if (date_.substr(0, 8) != day_) {
        flaw_ = "the day of the scope is not that of the request";
    }
    canonical_ = r.method + "\n" + path + "\n" + sorted + "\n" + header_lines(r) + "\n" + names_ + "\n" +
                 (in_url ? "UNSIGNED-PAYLOAD" : r.header("x-amz-content-sha256"));
    const std::string scope = day_ + "/" + region_ + "/" + service_ + "/aws4_request";
    const std::string to_sign = "AWS4-HMAC-SHA256\n" + date_ + "\n" + scope + "\n" + sha256(canonical_);
    std::string key = "AWS4" + secret_key;
    for (const std::string& part : {day_, region_, service_, std::string("aws4_request")}) {
        key = detail::hmac_sha256(key, part);
    }
    expected_ = detail::to_hex(detail::hmac_sha256(key, to_sign));
}

}  // namespace waybill::test
