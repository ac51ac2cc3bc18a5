// SPDX-License-Identifier: BSL-1.0
#include "support/s3_server.hpp"

#include <waybill/detail/digest.hpp>
#include <waybill/protocol/http_rules.hpp>

#include "support/s3_signature.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <pugixml.hpp>

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

std::string element(const std::string& name, const std::string& value) {
    std::string escaped;
    for (const char c : value) {
        escaped += c == '"' ? "&quot;" : c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
    }
    return "<" + name + ">" + escaped + "</" + name + ">";
}

std::string document(const std::string& root, const std::string& inside) {
    return R"(<?xml version="1.0" encoding="UTF-8"?>)"
           "\n<" +
           root + R"( xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)" + inside + "</" + root + ">";
}

const char* element_of(const std::string& algorithm) {
    return algorithm == "SHA256" ? "ChecksumSHA256" : "ChecksumCRC32C";
}

/// What makes the object what it is, of the request that creates it.
header_list object_headers(const received_request& r) {
    header_list kept;
    for (const header_field& h : r.headers) {
        std::string name = h.name;
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
        if (name.rfind("x-amz-meta-", 0) == 0 || name.rfind("x-amz-storage", 0) == 0 || name == "content-type" ||
            name == "cache-control" || name == "x-amz-acl") {
            kept.push_back({name, h.value});
        }
    }
    return kept;
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
    p.etag = "\"" + detail::to_hex(detail::digest_of("md5", bytes)) + "\"";
}

std::map<std::string, s3_server::object> s3_server::objects() const {
    const std::lock_guard lock(mutex_);
    return objects_;
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
        abort(x, at);
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
    } else if (std::abs(signature.time() - (machine_time() + how.clock_ahead)) > 900) {
        refuse(x, 403, "RequestTimeTooSkewed");
    } else if (!signature.holds()) {
        require(false, "a wrong signature of " + r.method + " " + r.target);
        refuse(x, 403, "SignatureDoesNotMatch", element("CanonicalRequest", signature.canonical()));
    } else if (r.header("x-amz-security-token") != how.session_token) {
        refuse(x, 400, "InvalidToken");
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
    if (!how.keeps_bytes) {
        x.log_no_body();
    }
    x.pass_body_to([&](std::string_view bytes) {
        md5->update(bytes);
        crc->update(bytes);
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
    if (vouched != "UNSIGNED-PAYLOAD" && vouched != body.sha256) {
        require(false, "a body of another digest than was signed");
        refuse(x, 400, "XAmzContentSHA256Mismatch");
        return std::nullopt;
    }
    return body;
}

/// True when the checksum header is what the bytes come to, or there is none and none is wanted.
bool s3_server::checksum_holds(const received_request& r, const taken_body& body, const std::string& algorithm) {
    const std::string raw = algorithm == "SHA256" ? detail::to_base64(from_hex(body.sha256)) : body.crc32c;
    const std::string name = algorithm == "SHA256" ? "x-amz-checksum-sha256" : "x-amz-checksum-crc32c";
    return algorithm.empty() ? true : r.header(name) == raw;
}

void s3_server::create(exchange& x, const received_request& r, const target& at, const s3_behaviour& how) {
    upload made;
    made.path = at.path;
    made.headers = object_headers(r);
    made.algorithm = how.knows_checksums ? r.header("x-amz-checksum-algorithm") : "";
    std::string id;
    {
        const std::lock_guard lock(mutex_);
        id = "2~" + std::to_string(next_++) + "/a+b=&c";  // what ids may look like
        uploads_[id] = std::move(made);
    }
    x.answer({200, dated(), document("InitiateMultipartUploadResult", element("UploadId", id))});
}

void s3_server::put_part(exchange& x, const received_request& r, const target& at, const s3_behaviour& how) {
    std::uint64_t cut = exchange::everything;
    std::string algorithm;
    bool known = false;
    {
        const std::lock_guard lock(mutex_);
        if (!how_.cuts.empty()) {
            cut = how_.cuts.front();
            how_.cuts.pop_front();
        }
        const auto found = uploads_.find(at.get("uploadId"));
        known = found != uploads_.end() && found->second.path == at.path;
        algorithm = known ? found->second.algorithm : "";
    }
    const auto number = parse_decimal(at.get("partNumber"));
    if (!require(number && *number >= 1 && *number <= 10'000, "a part's number out of range")) {
        refuse(x, 400, "InvalidArgument");
        return;
    }
    for (const header_field& h : r.headers) {
        require(!same_header(h.name.substr(0, 11), "x-amz-meta-"), "metadata with a part");
    }
    if (!known) {
        refuse(x, 404, "NoSuchUpload");
        return;
    }
    if (use_up(&s3_behaviour::slow_downs)) {
        refuse(x, 503, "SlowDown");
        return;
    }
    std::optional<taken_body> body = take_body(x, r, how, cut);
    if (!body) {
        return;
    }
    if (use_up(&s3_behaviour::damaged_parts) || !checksum_holds(r, *body, algorithm)) {
        refuse(x, 400, "BadDigest");
        return;
    }
    part kept;
    kept.size = body->size;
    kept.sum = body->sha256;
    kept.data = std::move(body->data);
    kept.checksum = r.header(algorithm == "SHA256" ? "x-amz-checksum-sha256" : "x-amz-checksum-crc32c");
    const std::string of_no_use = detail::to_hex(detail::digest_of("md5", body->md5 + at.get("partNumber")));
    kept.etag = "\"" + (how.etags_are_md5 ? body->md5 : of_no_use) + "\"";
    header_list said = dated({{"ETag", use_up(&s3_behaviour::wrong_etags) ? "\"" + of_no_use + "\"" : kept.etag}});
    if (!algorithm.empty()) {
        said.push_back({algorithm == "SHA256" ? "x-amz-checksum-sha256" : "x-amz-checksum-crc32c", kept.checksum});
    }
    {
        const std::lock_guard lock(mutex_);
        const auto found = uploads_.find(at.get("uploadId"));
        known = found != uploads_.end();
        if (known) {
            found->second.parts[static_cast<int>(*number)] = std::move(kept);
        }
    }
    if (!known) {
        refuse(x, 404, "NoSuchUpload");
    } else if (use_up(&s3_behaviour::lost_part_answers)) {
        x.wire().reset();
    } else {
        x.answer({200, std::move(said)});
    }
}

void s3_server::put_object(exchange& x, const received_request& r, const target& at, const s3_behaviour& how) {
    {
        const std::lock_guard lock(mutex_);
        if (r.header("If-None-Match") == "*" && objects_.count(at.path) == 1) {
            x.answer({412, {{"Connection", "close"}}, "<Error><Code>PreconditionFailed</Code></Error>"});
            return;
        }
    }
    std::optional<taken_body> body = take_body(x, r, how, exchange::everything);
    if (!body) {
        return;
    }
    object made;
    made.size = body->size;
    made.part_sums = {body->sha256};
    made.data = std::move(body->data);
    made.etag = "\"" + body->md5 + "\"";
    made.headers = object_headers(r);
    header_list said = dated({{"ETag", made.etag}});
    for (const char* const name : {"x-amz-checksum-sha256", "x-amz-checksum-crc32c"}) {
        if (how.knows_checksums && r.has_header(name)) {
            said.push_back({name, r.header(name)});
        }
    }
    {
        const std::lock_guard lock(mutex_);
        objects_[at.path] = std::move(made);
    }
    if (use_up(&s3_behaviour::lost_completions)) {
        x.wire().reset();
    } else {
        x.answer({200, std::move(said)});
    }
}

void s3_server::list_parts(exchange& x, const target& at, const s3_behaviour& how) {
    if (use_up(&s3_behaviour::busy_lists)) {
        refuse(x, 503, "ServiceUnavailable");
        return;
    }
    const std::uint64_t after = parse_decimal(at.get("part-number-marker")).value_or(0);
    std::string inside;
    std::uint64_t last = 0;
    std::uint64_t count = 0;
    bool more = false;
    {
        const std::lock_guard lock(mutex_);
        const auto found = uploads_.find(at.get("uploadId"));
        if (found == uploads_.end() || found->second.path != at.path) {
            x.answer({404, {{"Connection", "close"}}, "<Error><Code>NoSuchUpload</Code></Error>"});
            return;
        }
        for (const auto& [number, p] : found->second.parts) {
            if (static_cast<std::uint64_t>(number) <= after) {
                continue;
            }
            if (count == how.list_page) {
                more = true;
                break;
            }
            ++count;
            last = static_cast<std::uint64_t>(number);
            inside += "<Part>" + element("PartNumber", std::to_string(number)) + element("ETag", p.etag) +
                      element("Size", std::to_string(p.size)) +
                      (p.checksum.empty() ? "" : element(element_of(found->second.algorithm), p.checksum)) + "</Part>";
        }
    }
    std::string text = document("ListPartsResult", element("IsTruncated", more ? "true" : "false") +
                                                       element("NextPartNumberMarker", std::to_string(last)) + inside);
    if (use_up(&s3_behaviour::cut_lists)) {
        text.resize(text.size() - 40);
    }
    x.answer({200, dated(), std::move(text)});
}

/// The object that a completion makes; or the code it is refused with.
std::string s3_server::assemble(const upload& from, const std::string& text, const s3_behaviour& how,
                                object& into) const {
    pugi::xml_document parsed;
    if (!parsed.load_string(text.c_str()) ||
        std::string(parsed.document_element().name()) != "CompleteMultipartUpload") {
        return "MalformedXML";
    }
    int before = 0;
    const part* previous = nullptr;
    std::string sums;
    for (const pugi::xml_node node : parsed.document_element().children("Part")) {
        const int number = node.child("PartNumber").text().as_int();
        const auto found = from.parts.find(number);
        if (number <= before) {
            return "InvalidPartOrder";
        }
        if (found == from.parts.end() || found->second.etag != node.child("ETag").text().get() ||
            (!from.algorithm.empty() &&
             found->second.checksum != node.child(element_of(from.algorithm)).text().get())) {
            return "InvalidPart";
        }
        if (previous != nullptr && previous->size < how.least_part) {
            return "EntityTooSmall";
        }
        before = number;
        previous = &found->second;
        into.data += previous->data;
        into.size += previous->size;
        into.part_sums.push_back(previous->sum);
        sums += previous->etag;
    }
    into.headers = from.headers;
    into.etag =
        "\"" + detail::to_hex(detail::digest_of("md5", sums)) + "-" + std::to_string(into.part_sums.size()) + "\"";
    return previous == nullptr ? "MalformedXML" : "";
}

void s3_server::complete(exchange& x, const received_request& r, const target& at, const s3_behaviour& how) {
    s3_behaviour keeping = how;
    keeping.keeps_bytes = true;
    keeping.rate = 0;
    const std::optional<taken_body> body = take_body(x, r, keeping, exchange::everything);
    if (!body) {
        return;
    }
    const bool fails = use_up(&s3_behaviour::failed_completions);
    std::string code;
    object made;
    {
        const std::lock_guard lock(mutex_);
        const auto found = uploads_.find(at.get("uploadId"));
        if (found == uploads_.end() || found->second.path != at.path) {
            code = "NoSuchUpload";
        } else if (r.header("If-None-Match") == "*" && objects_.count(at.path) == 1) {
            code = "PreconditionFailed";
        } else {
            code = assemble(found->second, body->data, how, made);
        }
        if (code.empty() && !fails) {
            uploads_.erase(found);
            if (!how.moves_completed) {
                objects_[at.path] = made;
            }
        }
    }
    const std::string waiting = "\n\n  ";
    if (!code.empty()) {
        refuse(x, code == "NoSuchUpload" ? 404 : code == "PreconditionFailed" ? 412 : 400, code);
    } else if (fails) {
        x.answer({200, dated(), waiting + "<Error>" + element("Code", "InternalError") + "</Error>"});
    } else if (use_up(&s3_behaviour::lost_completions)) {
        x.wire().reset();
    } else if (use_up(&s3_behaviour::empty_completions)) {
        x.answer({200, dated(), waiting});
    } else {
        x.answer({200, dated(), waiting + document("CompleteMultipartUploadResult", element("ETag", made.etag))});
    }
}

void s3_server::abort(exchange& x, const target& at) {
    if (use_up(&s3_behaviour::ignored_aborts)) {
        x.answer({204, dated()});
        return;
    }
    bool known = false;
    {
        const std::lock_guard lock(mutex_);
        known = uploads_.erase(at.get("uploadId")) == 1;
    }
    if (known) {
        x.answer({204, dated()});
    } else {
        refuse(x, 404, "NoSuchUpload");
    }
}

void s3_server::head(exchange& x, const target& at, const s3_behaviour& how) {
    std::optional<object> found;
    {
        const std::lock_guard lock(mutex_);
        if (const auto place = objects_.find(at.path); place != objects_.end()) {
            found = place->second;
        }
    }
    if (how.hides || !found) {
        x.answer({how.hides ? 403 : 404, dated({{"Content-Length", "0"}})});
        return;
    }
    header_list said = dated({{"Content-Length", std::to_string(found->size)}, {"ETag", found->etag}});
    said.insert(said.end(), found->headers.begin(), found->headers.end());
    x.answer({200, std::move(said)});
}

}  // namespace waybill::test
