// SPDX-License-Identifier: BSL-1.0
#include "support/s3_server.hpp"

#include <waybill/detail/digest.hpp>
#include <waybill/protocol/http_rules.hpp>

#include "support/s3_documents.hpp"
#include "support/s3_signature.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
namespace waybill::test {
namespace {

std::int64_t machine_time() {
    return unix_seconds(std::chrono::system_clock::now());
}

std::string http_date(std::int64_t at) {
    const auto seconds = static_cast<std::time_t>(at);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char text[64];
    return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

}  // namespace

s3_server::s3_server(s3_behaviour how, http_server_options options)
    : how_(std::move(how)), server_(std::move(options)) {
    server_.always(script("s3").then([this](exchange& x) { serve(x); }));
}

void s3_server::behave(const std::function<void(s3_behaviour&)>& change) {
    const std::lock_guard lock(mutex_);
    change(how_);
}

void s3_server::abort_all() {
    const std::lock_guard lock(mutex_);
    uploads_.clear();
}

void s3_server::replace_part(int number, const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    part& p = uploads_.begin()->second.parts.at(number);
    p.data = bytes;
    p.size = bytes.size();
    p.etag = '"';  // not "\"" + …, of which GCC 12 warns without cause
    p.etag.append(detail::to_hex(detail::digest_of("md5", bytes))).append(1, '"');
}

std::map<std::string, s3_server::object> s3_server::objects() const {
    const std::lock_guard lock(mutex_);
    return objects_;
}

std::size_t s3_server::object_count() const {
    const std::lock_guard lock(mutex_);
    return objects_.size();
}

std::size_t s3_server::open_uploads() const {
    const std::lock_guard lock(mutex_);
    return uploads_.size();
}

std::size_t s3_server::kept_parts() const {
    const std::lock_guard lock(mutex_);
    std::size_t sum = 0;
    for (const auto& [id, u] : uploads_) {
        sum += u.parts.size();
    }
    return sum;
}

std::vector<std::string> s3_server::violations() const {
    const std::lock_guard lock(mutex_);
    return violations_;
}

std::uint64_t s3_server::bytes_taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
}

int s3_server::count(const std::string& operation) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(operation);
    return found == counts_.end() ? 0 : found->second;
}

s3_behaviour s3_server::behaviour() const {
    const std::lock_guard lock(mutex_);
    return how_;
}

bool s3_server::use_up(int s3_behaviour::*fault) {
    const std::lock_guard lock(mutex_);
    return how_.*fault > 0 && (how_.*fault)-- > 0;
}

bool s3_server::require(bool kept, const std::string& otherwise) {
    if (!kept) {
        const std::lock_guard lock(mutex_);
        violations_.push_back(otherwise);
    }
    return kept;
}

header_list s3_server::dated(header_list more) const {
    more.push_back({"Date", http_date(machine_time() + behaviour().clock_ahead)});
    return more;
}

// The connection is not kept: the body may not have been read.
void s3_server::refuse(exchange& x, int status, const std::string& code, const std::string& more) const {
    header_list headers = dated({{"Content-Type", "application/xml"}, {"Connection", "close"}});
    x.answer({status, std::move(headers),
              R"(<?xml version="1.0" encoding="UTF-8"?><Error>)" + element("Code", code) +
                  element("Message", "refused") + more + "</Error>"});
}

s3_server::target s3_server::parse_target(const std::string& text) {
    target at;
    const auto mark = text.find('?');
    at.path = percent_decode(text.substr(0, mark));
    std::string query = mark == std::string::npos ? "" : text.substr(mark + 1);
    while (!query.empty()) {
        const std::string one = query.substr(0, query.find('&'));
        query.erase(0, one.size() + 1);
        if (one.rfind("X-Amz-", 0) == 0) {
            continue;  // a signature, which is looked at elsewhere
        }
        const auto equals = one.find('=');
        at.query[percent_decode(one.substr(0, equals))] =
            equals == std::string::npos ? "" : percent_decode(one.substr(equals + 1));
    }
    return at;
}

std::string s3_server::operation_of(const std::string& method, const target& at) {
    const bool of_upload = at.has("uploadId");
    if (method == "POST") {
        return at.has("uploads") ? "CreateMultipartUpload" : of_upload ? "CompleteMultipartUpload" : "";
    }
    if (method == "PUT") {
        return at.has("partNumber") && of_upload ? "UploadPart" : at.query.empty() ? "PutObject" : "";
    }
    if (method == "HEAD") {
        return "HeadObject";
    }
    return !of_upload ? "" : method == "GET" ? "ListParts" : method == "DELETE" ? "AbortMultipartUpload" : "";
}

void s3_server::serve(exchange& x) {
    x.read_head();
    const received_request r = x.seen();
    const s3_behaviour how = behaviour();
    const target at = parse_target(r.target);
    const std::string operation = operation_of(r.method, at);
    {
        const std::lock_guard lock(mutex_);
        ++counts_[operation];
    }
    x.pass_body_to([this](std::string_view bytes) {
        const std::lock_guard lock(mutex_);
        taken_ += bytes.size();
    });
    if (!authorize(x, r, how)) {
        return;
    }
    if (operation == "CreateMultipartUpload") {
        create(x, r, at, how);
    } else if (operation == "CompleteMultipartUpload") {
        complete(x, r, at, how);
    } else if (operation == "UploadPart") {
        put_part(x, r, at, how);
    } else if (operation == "PutObject") {
        put_object(x, r, at, how);
    } else if (operation == "ListParts") {
        list_parts(x, at, how);
    } else if (operation == "AbortMultipartUpload") {
        abort(x, at, how);
    } else if (operation == "HeadObject") {
        head(x, at, how);
    } else {
        require(false, r.method + " " + r.target + " is no operation");
        refuse(x, 405, "MethodNotAllowed");
    }
}

bool s3_server::authorize(exchange& x, const received_request& r, const s3_behaviour& how) {
    const s3_signature signature(r, secret_key);
    if (!require(signature.flaw().empty(), signature.flaw())) {
        refuse(x, 400, "InvalidRequest");
    } else if (signature.access_key() != access_key) {
        refuse(x, 403, "InvalidAccessKeyId");
    } else if (signature.region() != how.region) {
        refuse(x, 400, "AuthorizationHeaderMalformed", element("Region", how.region));
    } else if (signature.valid() != 0 && machine_time() > signature.time() + signature.valid()) {
        refuse(x, 403, "AccessDenied", element("Expires", r.target));
    } else if (signature.valid() == 0 && std::abs(signature.time() - (machine_time() + how.clock_ahead)) > 900) {
        refuse(x, 403, "RequestTimeTooSkewed");
    } else if (!signature.holds()) {
        require(false, "a wrong signature of " + r.method + " " + r.target);
        refuse(x, 403, "SignatureDoesNotMatch", element("CanonicalRequest", signature.canonical()));
    } else if (r.header("x-amz-security-token") != how.session_token) {
        refuse(x, 400, how.token_code);
    } else {
        return true;
    }
    return false;
}

std::optional<s3_server::taken_body> s3_server::take_body(exchange& x, const received_request& r,
                                                          const s3_behaviour& how, std::uint64_t cut) {
    if (!r.body_length && r.method != "POST") {
        refuse(x, 411, "MissingContentLength");
        return std::nullopt;
    }
    taken_body body;
    const auto md5 = detail::digest::make("md5");
    const auto crc = detail::digest::make("crc32c");
    sha256_sum sha;
    if (!how.keeps_bytes || !how.logs_bodies) {
        x.log_no_body();
    }
    x.pass_body_to([&](std::string_view bytes) {
        if (how.etags_are_md5) {
            md5->update(bytes);
        }
        if (r.has_header("x-amz-checksum-crc32c")) {
            crc->update(bytes);
        }
        sha.add(bytes);
        body.size += bytes.size();
        if (how.keeps_bytes) {
            body.data.append(bytes);
        }
        const std::lock_guard lock(mutex_);
        taken_ += bytes.size();
    });
    constexpr std::uint64_t piece = 64 << 10;
    while (!x.complete() && x.taken() < cut) {
        x.read_body(std::min(cut, x.taken() + piece));
        if (how.rate > 0) {
            x.wire().pause(std::chrono::milliseconds(static_cast<int>(1000.0 * static_cast<double>(piece) / how.rate)));
        }
    }
    if (!x.complete()) {
        x.wire().reset();
        return std::nullopt;
    }
    body.md5 = detail::to_hex(md5->value());
    body.crc32c = detail::to_base64(crc->value());
    body.sha256 = sha.finish();
    const std::string vouched = r.header("x-amz-content-sha256");
    const bool vouches = !vouched.empty() && vouched != "UNSIGNED-PAYLOAD";
    if (vouches && vouched != body.sha256) {
        require(false, "a body of another digest than was signed");
        refuse(x, 400, "XAmzContentSHA256Mismatch");
        return std::nullopt;
    }
    return body;
}

}  // namespace waybill::test
