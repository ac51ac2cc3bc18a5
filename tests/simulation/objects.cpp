// SPDX-License-Identifier: BSL-1.0
//
// The server's side of S3: objects, and uploads in parts that are to become one.

#include <waybill/detail/digest.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/testing/fake_transport.hpp>

#include "simulation/server_model.hpp"
#include "support/s3_documents.hpp"

#include <algorithm>
#include <pugixml.hpp>
#include <utility>

namespace waybill::simulation {

using test::document;
using test::element;

class upload_server::object_request final : public arrival {
public:
    object_request(const request& what, posted_job& job, upload_server& home)
        : arrival(what), home_(home), job_(job), what_(what), target_(what.url.substr(0, what.url.find('?'))),
          query_(query_of(what.url)), item_(std::stoul(target_.substr(target_.rfind('/') + 1))),
          status_(home.server_.draw_status(true)), means_(classify_status(status_)),
          applies_(means_ == status_class::success || (means_ == status_class::ambiguous && home.random_.chance(0.5))) {
        what_.body = nullptr;  // it is the client's
        // A refusal may hide an object, or be one.
        const bool refuses = means_ == status_class::redirect || (means_ == status_class::permanent && status_ != 404);
        job.untold += what.method == "HEAD" && refuses ? 1 : 0;
        if (about_upload()) {
            url_ = target_ + "?uploadId=" + parameter("uploadId");
            look_up();
        }
    }

    void heard(const header_list& /*headers*/) override {
        if (here_ == nullptr) {
            return;
        }
        here_->heard = true;
        std::uint64_t sum = 0;
        for (auto& [number, one] : here_->parts) {
            one.heard = one.heard || told_.contains(number);
            sum += one.heard ? one.data.size() : 0;
        }
        here_->confirmed = std::max(here_->confirmed, sum);
    }

private:
    // The order of its parameters is the signature's.
    [[nodiscard]] static std::string query_of(const std::string& url) {
        const auto at = url.find('?');
        return at == std::string::npos ? "" : "&" + url.substr(at + 1);
    }
    [[nodiscard]] bool about_upload() const { return !parameter("uploadId").empty(); }
    [[nodiscard]] std::string parameter(const std::string& name) const {
        const auto at = query_.find("&" + name + "=");
        const auto begin = at + name.size() + 2;
        return at == std::string::npos ? "" : query_.substr(begin, query_.find('&', begin) - begin);
    }
    [[nodiscard]] std::uint64_t number(const std::string& name) const {
        return parse_decimal(parameter(name)).value_or(0);
    }
    [[nodiscard]] std::string header(std::string_view name) const {
        return std::string(single_header(what_.headers, name).value_or(""));
    }

    void look_up() {
        here_ = home_.find(url_);
        if (here_ == nullptr) {
            home_.server_.violate(what_.method + " to " + url_ + ", which never was an upload");
            return;
        }
        home_.look_whether_gone(*here_);
        if (what_.method == "PUT" && !here_->committed) {
            home_.server_.violate("a part left for " + url_ + " before its id was on the disk");
        }
    }

    /// Nobody answers for an upload that was aborted, or has become an object.
    [[nodiscard]] bool is_known() const { return here_ != nullptr && !here_->gone && !here_->complete; }

    void take(std::span<const char> bytes) override { body_.append(bytes.data(), bytes.size()); }

    void finish() override {
        const std::string& method = what_.method;
        const bool conditional = !header("If-None-Match").empty();
        if (conditional && method != "POST") {
            home_.server_.require_marked(job_, item_);
        }
        if (method == "PUT" && means_ == status_class::success && !home_.server_.healed && home_.random_.chance(0.06)) {
            tagless_ = true;  // by whatever stands before the server, which has then perhaps not even seen it
            emptied_ = announced() != 0 && home_.random_.chance(0.2);  // of an empty object it is the right one
            applies_ = !emptied_ && home_.random_.chance(0.5);
        }
        if (conditional && applies_ && home_.objects_.contains(target_)) {
            refuse(412, "PreconditionFailed");
            applies_ = false;
        }
        if (!about_upload()) {
            if (applies_ && method == "PUT") {
                put_object();
            } else if (applies_ && method == "POST") {
                create();
            }
            return;
        }
        if (method == "POST") {
            home_.server_.require_marked(job_, item_);
        }
        if (method == "GET" && job_.list_status != 0) {
            status_ = job_.list_status;
            means_ = classify_status(status_);
            error_ = status_ == 404 ? "NoSuchKey" : "";
            return;
        }
        const bool lists = method == "GET" && here_ != nullptr && here_->complete && !home_.server_.healed &&
                           home_.random_.chance(0.1);  // from a copy that is behind
        if (!is_known() && !lists) {
            refuse(404, job_.gone_code);
        } else if (applies_ && method == "PUT") {
            put_part();
        } else if (applies_ && method == "POST") {
            complete();
        } else if (method == "DELETE") {
            abort();
        }
    }

    void refuse(int status, const std::string& code) {
        if (means_ == status_class::success || status == 404 || status == 412) {
            status_ = status;
            means_ = classify_status(status);
            error_ = code;
        }
    }

    void put_object() {
        if (!job_.conditional) {
            job_.copies[item_].clear();  // the same key, the same bytes
        }
        const bool whole = !header("x-amz-checksum-crc32c").empty();
        if (job_.conditional) {
            job_.arrived.insert(item_);
        }
        home_.objects_[target_] = {header(token_name), body_, whole, false};
        etag_ = "\"" + detail::to_hex(detail::digest_of("md5", body_)) + "\"";
        home_.server_.show(job_, item_, std::move(body_));
    }

    void create() {
        url_ = target_ + "?uploadId=u" + std::to_string(home_.all_.size());
        here_ = &home_.all_[url_];
        here_->job = &job_;
        here_->item = item_;
        here_->token = header(token_name);
        here_->algorithm = header("x-amz-checksum-algorithm");
        here_->says_md5 = home_.random_.chance(0.7);
    }

    void put_part() {
        const std::string sum = detail::to_hex(detail::digest_of("md5", body_));
        upload::part& one = here_->parts[number("partNumber")];
        one.etag = "\"" + (here_->says_md5 ? sum : home_.random_.text(12)) + "\"";
        one.checksum = header(here_->algorithm == "SHA256" ? "x-amz-checksum-sha256" : "x-amz-checksum-crc32c");
        one.data = std::move(body_);
        etag_ = one.etag;
        told_.insert(number("partNumber"));
    }

    void complete() {
        pugi::xml_document named;
        std::string data;
        std::size_t count = 0;
        bool fits = static_cast<bool>(named.load_string(body_.c_str()));
        for (const pugi::xml_node node : named.document_element().children("Part")) {
            const auto found = here_->parts.find(node.child("PartNumber").text().as_uint());
            fits = fits && found != here_->parts.end() && found->second.etag == node.child("ETag").text().get();
            data += fits ? found->second.data : "";
            ++count;
        }
        if (!fits || count == 0) {
            refuse(400, "InvalidPart");
            return;
        }
        const bool healed = home_.server_.healed;
        if (!healed && home_.random_.chance(0.1)) {
            error_ = "InternalError";  // after a status of success, which S3 has to give early
            return;
        }
        says_nothing_ = !healed && home_.random_.chance(0.05);
        if (says_nothing_ && home_.random_.chance(0.5)) {
            return;
        }
        here_->complete = true;
        // Some take objects away at once, and some do not let those see them who may write them.
        const bool hidden = !healed && home_.random_.chance(0.15);
        job_.untold += hidden ? 1 : 0;
        etag_ = "\"" + detail::to_hex(detail::digest_of("md5", data)) + "-" + std::to_string(count) + "\"";
        home_.objects_[target_] = {here_->token, data, here_->algorithm == "CRC32C", hidden};
        job_.arrived.insert(item_);
        home_.server_.show(job_, item_, std::move(data));
    }

    void abort() {
        here_->gone = here_->gone || applies_;
        here_->excused = here_->excused || means_ == status_class::permanent || means_ == status_class::redirect;
    }

    response reply() override {
        if (means_ != status_class::success || !error_.empty()) {
            response answer = testing::fake_transport::respond(status_);
            const std::string code = !error_.empty()  ? error_
                                     : status_ == 503 ? "SlowDown"
                                     : status_ == 500 ? "InternalError"
                                     : status_ == 403 ? "AccessDenied"
                                                      : "";
            answer.body = code.empty() ? "" : "\n<Error>" + element("Code", code) + "</Error>";
            return answer;
        }
        const std::string& method = what_.method;
        if (method == "HEAD") {
            return tell_object();
        }
        response answer = testing::fake_transport::respond(status_);
        if (method == "POST" && !about_upload()) {
            const std::string id = url_.substr(url_.find('=') + 1);
            answer.body = document("InitiateMultipartUploadResult", element("UploadId", id));
        } else if (method == "GET") {
            answer.body = job_.list_status == 0 ? list() : "<html>Welcome</html>";
        } else if (method == "POST") {
            answer.body = says_nothing_ ? "\n" : "\n\n" + document("CompleteMultipartUploadResult", completed());
        } else if (method == "PUT") {
            if (emptied_) {
                answer.headers.push_back({"ETag", "\"" + detail::to_hex(detail::digest_of("md5", "")) + "\""});
            } else if (!tagless_) {
                answer.headers.push_back({"ETag", etag_});
            }
            for (const char* const name : {"x-amz-checksum-sha256", "x-amz-checksum-crc32c"}) {
                if (!header(name).empty()) {
                    answer.headers.push_back({name, header(name)});
                }
            }
        }
        return answer;
    }

    [[nodiscard]] std::string completed() const {
        const object& made = home_.objects_.at(target_);
        return element("ETag", etag_) + (made.summed ? element("ChecksumCRC32C", crc32c_of(made.data)) : "");
    }

    response tell_object() {
        const auto found = home_.objects_.find(target_);
        if (found == home_.objects_.end() || found->second.hidden) {
            return testing::fake_transport::respond(home_.random_.chance(0.5) ? 403 : 404);
        }
        const object& there = found->second;
        response answer = testing::fake_transport::respond(200);
        answer.headers = {{"Content-Length", std::to_string(there.data.size())},
                          {"ETag", "\"seen\""},
                          {std::string(token_name), there.token}};
        if (there.summed) {
            answer.headers.push_back({"x-amz-checksum-crc32c", crc32c_of(there.data)});
        }
        return answer;
    }

    std::string list() {
        const std::uint64_t page = home_.random_.chance(0.3) ? 1 + home_.random_.below(3) : 1000;
        const std::uint64_t after = number("part-number-marker");
        std::string inside;
        std::uint64_t last = 0;
        std::uint64_t count = 0;
        bool more = false;
        for (const auto& [n, one] : here_->parts) {
            more = n > after && count == page;
            if (more) {
                break;
            }
            if (n > after) {
                ++count;
                last = n;
                told_.insert(n);
                inside += "<Part>" + element("PartNumber", std::to_string(n)) + element("ETag", one.etag) +
                          element("Size", std::to_string(one.data.size())) +
                          (one.checksum.empty() ? "" : element(test::element_of(here_->algorithm), one.checksum)) +
                          "</Part>";
            }
        }
        return document("ListPartsResult", element("IsTruncated", more ? "true" : "false") +
                                               element("NextPartNumberMarker", std::to_string(last)) + inside);
    }

    [[nodiscard]] static std::string crc32c_of(const std::string& data) {
        return detail::to_base64(detail::digest_of("crc32c", data));
    }

    static constexpr std::string_view token_name = "x-amz-meta-waybill-upload";

    upload_server& home_;
    posted_job& job_;
    request what_;
    std::string target_;
    std::string query_;
    std::string url_;  ///< the upload's
    std::size_t item_;
    int status_;
    status_class means_;
    bool applies_;
    upload* here_ = nullptr;
    std::string body_;
    std::string error_;
    std::string etag_;
    std::set<std::uint64_t> told_;  ///< parts
    bool says_nothing_ = false;
    bool tagless_ = false;  ///< answered as a success, and without an ETag
    bool emptied_ = false;  ///< the same, with the ETag of no bytes
};

std::unique_ptr<arrival> upload_server::accept_object(const request& what, posted_job& job) {
    return std::make_unique<object_request>(what, job, *this);
}

}  // namespace waybill::simulation
