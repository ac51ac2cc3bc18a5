// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/digest.hpp>
#include <waybill/protocol/http_rules.hpp>

#include "support/s3_documents.hpp"
#include "support/s3_server.hpp"
#include "support/s3_signature.hpp"

#include <algorithm>
#include <pugixml.hpp>

// What an S3 server does when it is asked.
namespace waybill::test {
namespace {

/// What makes the object what it is, of the request that creates it.
header_list object_headers(const received_request& r) {
    header_list kept;
    for (const header_field& h : r.headers) {
        std::string name = h.name;
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
        if (name.rfind("x-amz-meta-", 0) == 0 || name.rfind("x-amz-storage", 0) == 0 || name == "content-type" ||
            name == "cache-control" || name == "x-amz-acl" || name == "x-amz-tagging" ||
            name == "content-disposition" || name == "content-encoding" || name.rfind("x-amz-object-lock-", 0) == 0 ||
            name.rfind("x-amz-server-side-encryption", 0) == 0) {
            kept.push_back({name, h.value});
        }
    }
    return kept;
}

}  // namespace

/// True when the checksum header is what the bytes come to, or there is none and none is wanted.
bool s3_server::checksum_holds(const received_request& r, const taken_body& body, const std::string& algorithm) {
    const std::string raw = algorithm == "SHA256" ? detail::to_base64(from_hex(body.sha256)) : body.crc32c;
    const std::string name = algorithm == "SHA256" ? "x-amz-checksum-sha256" : "x-amz-checksum-crc32c";
    return algorithm.empty() ? true : r.header(name) == raw;
}

/// An MD5 that is there is compared, and one that is wanted is missed.
bool s3_server::has_md5_if_wanted(exchange& x, const received_request& r, const s3_behaviour& how) {
    const bool checked =
        r.has_header("Content-MD5") || r.has_header("x-amz-checksum-crc32c") || r.has_header("x-amz-checksum-sha256");
    if (how.wants_md5 && !checked) {
        x.answer({400, dated({{"Connection", "close"}}),
                  "<Error><Code>InvalidRequest</Code><Message>Content-MD5 OR x-amz-checksum- HTTP header is required "
                  "for Put Object requests with Object Lock parameters</Message></Error>"});
    }
    return checked || !how.wants_md5;
}

void s3_server::create(exchange& x, const received_request& r, const target& at, const s3_behaviour& how) {
    upload made;
    made.path = at.path;
    made.headers = object_headers(r);
    made.algorithm = how.knows_checksums ? r.header("x-amz-checksum-algorithm") : "";
    made.of_whole = how.knows_checksums && r.header("x-amz-checksum-type") == "FULL_OBJECT";
    require(!made.of_whole || made.algorithm == "CRC32C", "a checksum of the whole by another algorithm");
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
        refuse(x, 404, how.gone_code);
        return;
    }
    if (how.refuses_parts_after && kept_parts() >= *how.refuses_parts_after) {
        refuse(x, 403, "AccessDenied");
        return;
    }
    const bool in_turn = how.refuses_every != 0 && count("UploadPart") % how.refuses_every == 0;
    if (use_up(&s3_behaviour::slow_downs) || in_turn) {
        refuse(x, 503, "SlowDown");
        return;
    }
    if (!has_md5_if_wanted(x, r, how)) {
        return;
    }
    std::optional<taken_body> body = take_body(x, r, how, cut);
    if (!body) {
        return;
    }
    const bool other_md5 =
        r.has_header("Content-MD5") && r.header("Content-MD5") != detail::to_base64(from_hex(body->md5));
    if (use_up(&s3_behaviour::damaged_parts) || other_md5 || !checksum_holds(r, *body, algorithm)) {
        refuse(x, 400, "BadDigest");
        return;
    }
    part kept;
    kept.size = body->size;
    kept.sum = body->sha256;
    kept.data = std::move(body->data);
    kept.checksum = r.header(algorithm == "SHA256" ? "x-amz-checksum-sha256" : "x-amz-checksum-crc32c");
    const std::string of_no_use = detail::to_hex(detail::digest_of("md5", body->sha256 + at.get("partNumber")));
    kept.etag = "\"" + (how.etags_are_md5 ? body->md5 : of_no_use) + "\"";
    header_list said = dated();
    if (!use_up(&s3_behaviour::missing_etags)) {
        said.push_back({"ETag", use_up(&s3_behaviour::wrong_etags) ? "\"" + of_no_use + "\"" : kept.etag});
    }
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
        refuse(x, 404, how.gone_code);
    } else if (use_up(&s3_behaviour::lost_part_answers)) {
        x.wire().reset();
    } else {
        x.answer({200, std::move(said)});
    }
}

void s3_server::put_object(exchange& x, const received_request& r, const target& at, const s3_behaviour& how) {
    if (r.has_header("If-None-Match") && use_up(&s3_behaviour::conflicts)) {
        refuse(x, 409, "ConditionalRequestConflict");
        return;
    }
    if (!has_md5_if_wanted(x, r, how)) {
        return;
    }
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
    if (how.makes_buckets || use_up(&s3_behaviour::lost_bodies)) {
        x.answer({200, dated({{"Location", at.path}})});
        return;
    }
    if (use_up(&s3_behaviour::emptied_bodies)) {
        *body = {"", 0, detail::to_hex(detail::digest_of("md5", "")), body->sha256, body->crc32c};
    }
    object made;
    made.size = body->size;
    made.part_sums = {body->sha256};
    made.data = std::move(body->data);
    made.etag = "\"" + body->md5 + "\"";
    made.headers = object_headers(r);
    header_list said = dated();
    if (!use_up(&s3_behaviour::missing_etags)) {
        said.push_back({"ETag", made.etag});
    }
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
    if (how.instead_of_list) {
        x.answer(*how.instead_of_list);
        return;
    }
    if (how.refuses_lists) {
        refuse(x, 403, "AccessDenied");
        return;
    }
    if (use_up(&s3_behaviour::busy_lists)) {
        refuse(x, 503, "ServiceUnavailable");
        return;
    }
    const std::uint64_t after = how.lists_loop ? 0 : parse_decimal(at.get("part-number-marker")).value_or(0);
    std::string inside;
    std::uint64_t last = 0;
    std::uint64_t count = 0;
    bool more = false;
    {
        const std::lock_guard lock(mutex_);
        const auto found = uploads_.find(at.get("uploadId"));
        if (found == uploads_.end() || found->second.path != at.path) {
            x.answer({404, {{"Connection", "close"}}, "<Error>" + element("Code", how.gone_code) + "</Error>"});
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
                      (p.checksum.empty() || !how.lists_checksums
                           ? ""
                           : element(element_of(found->second.algorithm), p.checksum)) +
                      "</Part>";
        }
        if (found->second.over && --how_.late_lists <= 0) {
            uploads_.erase(found);
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
    if (from.of_whole) {
        into.checksum = detail::to_base64(detail::digest_of("crc32c", into.data));
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
    const bool conflict = r.has_header("If-None-Match") && use_up(&s3_behaviour::conflicts);
    std::string code;
    object made;
    {
        const std::lock_guard lock(mutex_);
        const auto found = uploads_.find(at.get("uploadId"));
        if (found == uploads_.end() || found->second.over || found->second.path != at.path) {
            code = "NoSuchUpload";
        } else if (found->second.spoilt || conflict) {
            found->second.spoilt = true;
            code = "ConditionalRequestConflict";
        } else if (r.header("If-None-Match") == "*" && objects_.count(at.path) == 1) {
            code = "PreconditionFailed";
        } else {
            code = assemble(found->second, body->data, how, made);
            const std::string vouched = r.header("x-amz-checksum-crc32c");
            if (code.empty() && !vouched.empty() && vouched != made.checksum) {
                code = "BadDigest";
            }
        }
        if (code.empty() && !fails) {
            found->second.over = how_.late_lists > 0;
            if (!found->second.over) {
                uploads_.erase(found);
            }
            if (!how.moves_completed) {
                objects_[at.path] = made;
            }
        }
    }
    const std::string waiting = "\n\n  ";
    if (!code.empty()) {
        const std::map<std::string, int> statuses = {
            {"NoSuchUpload", 404}, {"PreconditionFailed", 412}, {"ConditionalRequestConflict", 409}};
        refuse(x, statuses.count(code) == 1 ? statuses.at(code) : 400, code == "NoSuchUpload" ? how.gone_code : code);
    } else if (fails) {
        x.answer({200, dated(), waiting + "<Error>" + element("Code", "InternalError") + "</Error>"});
    } else if (use_up(&s3_behaviour::lost_completions)) {
        x.wire().reset();
    } else if (use_up(&s3_behaviour::failed_after_all)) {
        refuse(x, how.failure, how.failure == 503 ? "SlowDown" : "InternalError");
    } else if (use_up(&s3_behaviour::empty_completions)) {
        x.answer({200, dated(), waiting});
    } else {
        const std::string told = how.damages_objects ? "AAAAAA==" : made.checksum;
        x.answer({200, dated(),
                  waiting + document("CompleteMultipartUploadResult",
                                     element("ETag", made.etag) +
                                         (made.checksum.empty() ? "" : element("ChecksumCRC32C", told)))});
    }
}

void s3_server::abort(exchange& x, const target& at, const s3_behaviour& how) {
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
        refuse(x, 404, how.gone_code);
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
    if (how.makes_buckets) {
        x.answer({200, dated({{"Content-Length", "0"}, {"x-amz-bucket-region", how.region}})});
        return;
    }
    if (how.hides || !found) {
        x.answer({how.hides ? 403 : 404, dated({{"Content-Length", "0"}})});
        return;
    }
    header_list said = dated({{"Content-Length", std::to_string(found->size)}, {"ETag", found->etag}});
    said.insert(said.end(), found->headers.begin(), found->headers.end());
    if (!found->checksum.empty()) {
        said.push_back({"x-amz-checksum-crc32c", how.damages_objects ? "AAAAAA==" : found->checksum});
    }
    x.answer({200, std::move(said)});
}

}  // namespace waybill::test
