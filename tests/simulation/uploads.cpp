// SPDX-License-Identifier: BSL-1.0

#include "simulation/uploads.hpp"

#include <waybill/detail/digest.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/testing/fake_transport.hpp>

#include "simulation/server_model.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

namespace waybill::simulation {
namespace {

std::string header_of(const request& what, std::string_view name) {
    return std::string(single_header(what.headers, name).value_or(""));
}

std::string http_date(std::chrono::system_clock::time_point at) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[64];
    const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text, size};
}

}  // namespace

/// What both protocols have in common: bytes are kept as they come, as far as the server means to.
class upload_server::upload_request : public arrival {
public:
    upload_request(const request& what, posted_job& job, upload_server& home)
        : arrival(what), home_(home), job_(job), method_(what.method), url_(what.url),
          status_(home.server_.draw_status(true)), means_(classify_status(status_)) {
        const bool some = means_ == status_class::ambiguous && home.random_.chance(0.5);
        keeps_ = means_ == status_class::success ? announced() : some ? home.random_.below(announced() + 1) : 0;
        keeps_ = some && home.random_.chance(0.5) ? announced() : keeps_;
        applies_ = means_ == status_class::success || some;
        left_if_broken_ = home.random_.chance(0.7) ? announced() : home.random_.below(announced() + 1);
    }
    ~upload_request() override {
        // A server may have lost what it had not written yet, but nothing it has said it has.
        const bool mine = here_ != nullptr && appends_ && here_->generation == generation_;
        if (!answered_ && mine && !here_->complete && here_->data.size() > begin_ + left_if_broken_) {
            here_->data.resize(static_cast<std::size_t>(begin_ + left_if_broken_));
        }
    }

    void heard(const header_list& headers) override {
        if (here_ == nullptr) {
            return;
        }
        here_->heard = true;
        if (const auto offset = parse_decimal(single_header(headers, "Upload-Offset").value_or(""))) {
            here_->told = *offset;
            here_->confirmed = std::max(here_->confirmed, *offset);
        }
    }

protected:
    void create(const request& what, std::optional<std::uint64_t> length, std::size_t item) {
        if (header_of(what, "If-None-Match") == "*" && job_.is_there(item) && means_ == status_class::success) {
            status_ = 412;
            means_ = status_class::permanent;
            applies_ = false;
        }
        if (header_of(what, "Upload-Concat").empty()) {
            home_.require_none_open(job_, item);
        }
        if (!applies_) {
            return;
        }
        url_ = home_.place(job_, what);
        here_ = &home_.all_.at(url_);
        here_->item = item;
        here_->length = length;
        here_->content_type = header_of(what, "Content-Type");
        if (home_.random_.chance(0.3)) {
            here_->expires = home_.time_.steady_now() + std::chrono::minutes(30 + home_.random_.below(180));
        }
        append(true);
    }

    /// The body is to be added. At the end of it the upload is complete, or not.
    void append(bool completes) {
        appends_ = true;
        completes_ = completes;
        begin_ = here_->data.size();
        generation_ = ++here_->generation;
    }

    /// For requests about an upload that is known: false when there is an answer already.
    bool look_up(const request& what) {
        here_ = home_.find(what.url);
        if (here_ == nullptr) {
            home_.server_.violate(method_ + " to " + url_ + ", which never was an upload");
            status_ = 404;
            return false;
        }
        home_.look_whether_gone(*here_);
        if (here_->gone) {
            status_ = home_.random_.chance(0.5) ? 404 : job_.via == way::tus && method_ == "HEAD" ? 403 : 410;
            means_ = status_class::permanent;
        } else if (method_ == "HEAD") {
            home_.lose_tail(*here_);
            status_ = status_ == 403 ? 400 : status_;  // to this question it would say that there is none
        }
        return !here_->gone;
    }

    /// Whether bytes may be added at this offset.
    bool fits(std::uint64_t offset) {
        if (!here_->committed && !here_->early && announced() != 0) {
            home_.server_.violate("bytes left for " + url_ + " before its URL was on the disk");
        }
        if (offset > here_->told) {
            home_.server_.violate(url_ + " is continued at " + std::to_string(offset) + ", and the server said " +
                                  std::to_string(here_->told));
        }
        return offset == here_->data.size() && !here_->complete;
    }

    void discard() {
        if (applies_) {
            home_.remove(url_, *here_);
        }
        here_->excused = here_->excused || means_ == status_class::permanent || means_ == status_class::redirect;
    }

    void mark_complete() {
        if (here_->partial) {
            here_->complete = here_->complete || (completes_ && keeps_ == announced() && applies_);
            return;
        }
        if (completes_) {
            home_.server_.require_marked(job_, here_->item);
        }
        if (completes_ && keeps_ == announced() && applies_) {
            home_.complete(*here_, means_ != status_class::success);
        }
    }

    void take(std::span<const char> bytes) override {
        if (here_ == nullptr || !appends_ || here_->gone) {
            return;
        }
        const std::uint64_t more = std::min<std::uint64_t>(bytes.size(), begin_ + keeps_ - here_->data.size());
        here_->data.append(bytes.data(), static_cast<std::size_t>(more));
    }

    void finish() override {
        const bool sends = method_ == "POST" || method_ == "PATCH" || method_ == "PUT";
        if (sends && (here_ == nullptr || !here_->partial)) {
            job_.left.insert(here_ != nullptr ? here_->item : item_);
        }
        if (here_ != nullptr && appends_) {
            mark_complete();
        }
    }

    upload_server& home_;
    posted_job& job_;
    std::string method_;
    std::string url_;
    upload* here_ = nullptr;
    std::size_t item_ = 0;
    int status_;
    status_class means_;
    bool applies_;
    bool appends_ = false;
    bool completes_ = false;
    bool answered_ = false;
    std::uint64_t keeps_;
    std::uint64_t left_if_broken_;
    std::uint64_t begin_ = 0;
    std::uint64_t generation_ = 0;
};

/// tus 1.0.0: an upload is complete as soon as it has its length.
class upload_server::tus_request final : public upload_request {
public:
    tus_request(const request& what, posted_job& job, upload_server& home) : upload_request(what, job, home) {
        if (method_ == "OPTIONS") {
            return;
        }
        if (method_ == "POST") {
            begin(what);
        } else if (look_up(what)) {
            if (method_ == "PATCH") {
                patch(what);
            } else if (method_ == "DELETE") {
                discard();
            }
        }
    }

private:
    void begin(const request& what) {
        const std::string metadata = header_of(what, "Upload-Metadata");
        std::size_t item = 0;
        while (item < job_.paths.size() &&
               !metadata.starts_with("filename " + detail::to_base64(std::to_string(item)) + ",")) {
            ++item;
        }
        item_ = item < job_.paths.size() ? item : 0;  // a part does not say of which item it is
        const std::string concat = header_of(what, "Upload-Concat");
        if (concat.starts_with("final;")) {
            concatenate(what, concat.substr(6));
            return;
        }
        create(what, parse_decimal(header_of(what, "Upload-Length")), item_);
        if (here_ != nullptr) {
            here_->partial = concat == "partial";
            completes_ = here_->length == announced();
        }
    }

    void concatenate(const request& what, const std::string& urls) {
        std::string data;
        bool whole = true;
        for (std::size_t from = 0, end = 0; from < urls.size(); from = end + 1) {
            end = std::min(urls.find(' ', from), urls.size());
            const upload* const part = home_.find(urls.substr(from, end - from));
            whole = whole && part != nullptr && part->partial && part->complete && !part->gone;
            data += whole ? part->data : "";
        }
        if (!whole) {
            status_ = 404;
            means_ = status_class::permanent;
            return;
        }
        create(what, data.size(), item_);
        if (here_ != nullptr) {
            here_->data = std::move(data);
        }
    }

    void patch(const request& what) {
        if (const auto length = parse_decimal(header_of(what, "Upload-Length"))) {
            here_->length = length;
        }
        const std::uint64_t offset = parse_decimal(header_of(what, "Upload-Offset")).value_or(0);
        if (!fits(offset)) {
            status_ = 409;
        } else if (means_ == status_class::success || means_ == status_class::ambiguous) {
            append(offset + announced() == here_->length);
        }
    }

    response reply() override {
        answered_ = true;
        response answer = testing::fake_transport::respond(status_);
        answer.headers.push_back({"Tus-Resumable", "1.0.0"});
        if (status_ / 100 != 2) {
            return answer;
        }
        if (method_ == "OPTIONS") {
            answer.headers.push_back(
                {"Tus-Extension", "creation,creation-with-upload,creation-defer-length,termination,concatenation"});
            return answer;
        }
        if (method_ == "DELETE") {
            return answer;
        }
        if (method_ == "POST") {
            answer.headers.push_back({"Location", url_});
        }
        answer.headers.push_back({"Upload-Offset", std::to_string(here_->data.size())});
        if (method_ == "HEAD") {
            answer.headers.push_back(here_->length ? header_field{"Upload-Length", std::to_string(*here_->length)}
                                                   : header_field{"Upload-Defer-Length", "1"});
        }
        if (here_->expires != std::chrono::steady_clock::time_point::max()) {
            const auto left = here_->expires - home_.time_.steady_now();
            const auto until = home_.time_.system_now() + std::chrono::duration_cast<std::chrono::seconds>(left);
            answer.headers.push_back({"Upload-Expires", http_date(until)});
        }
        return answer;
    }
};

/// draft-ietf-httpbis-resumable-upload: an upload is complete when the client has said so.
class upload_server::resumable_request final : public upload_request {
public:
    resumable_request(const request& what, posted_job& job, upload_server& home) : upload_request(what, job, home) {
        const bool last = header_of(what, "Upload-Complete") == "?1";
        if (creates()) {
            item_ = item_of(what);
            create(what, parse_decimal(header_of(what, "Upload-Length")), item_);
            if (here_ != nullptr) {
                completes_ = last;
            }
        } else if (look_up(what)) {
            if (method_ == "PATCH") {
                patch(parse_decimal(header_of(what, "Upload-Offset")).value_or(0), last);
            } else if (method_ == "DELETE") {
                discard();
            }
        }
    }

    // Some servers say where the upload is before they have its body, and some proxies swallow it.
    header_list interim() override {
        if (!creates() || here_ == nullptr || !home_.random_.chance(0.6)) {
            return {};
        }
        // Without a body there is nothing to lose yet, and the answer says it again.
        here_->early = announced() != 0;
        here_->heard = here_->early;
        return {{"Upload-Draft-Interop-Version", "8"}, {"Location", url_}};
    }

private:
    [[nodiscard]] bool creates() const { return method_ == "POST" || method_ == "PUT"; }

    std::size_t item_of(const request& what) const {
        const std::string name = header_of(what, "Content-Disposition");
        std::size_t item = 0;
        while (item < job_.paths.size() &&
               name.find("filename=\"" + std::to_string(item) + "\"") == std::string::npos) {
            ++item;
        }
        return job_.is_form() ? 0 : item;
    }

    void patch(std::uint64_t offset, bool last) {
        if (here_->complete && offset == here_->data.size() && announced() == 0 && last) {
            return;  // what became of it is asked once more
        }
        if (!fits(offset)) {
            status_ = 409;
        } else if (means_ == status_class::success || means_ == status_class::ambiguous) {
            append(last);
        }
    }

    response reply() override {
        answered_ = true;
        response answer = testing::fake_transport::respond(status_);
        answer.headers.push_back({"Upload-Draft-Interop-Version", "8"});
        if (status_ / 100 != 2 || method_ == "DELETE") {
            return answer;
        }
        if (creates()) {
            answer.headers.push_back({"Location", url_});
        }
        if (method_ == "HEAD" && here_->length) {
            answer.headers.push_back({"Upload-Length", std::to_string(*here_->length)});
        }
        answer.headers.push_back({"Upload-Offset", std::to_string(here_->data.size())});
        answer.headers.push_back({"Upload-Complete", here_->complete ? "?1" : "?0"});
        if (here_->expires != std::chrono::steady_clock::time_point::max()) {
            const auto left =
                std::chrono::duration_cast<std::chrono::seconds>(here_->expires - home_.time_.steady_now());
            answer.headers.push_back(
                {"Upload-Limit", "max-age=" + std::to_string(std::max<std::int64_t>(left.count(), 0))});
        }
        return answer;
    }
};

std::unique_ptr<arrival> upload_server::accept(const request& what, posted_job& job) {
    if (job.via == way::tus) {
        return std::make_unique<tus_request>(what, job, *this);
    }
    return job.via == way::s3 ? accept_object(what, job) : std::make_unique<resumable_request>(what, job, *this);
}

upload* upload_server::find(const std::string& url) {
    const auto found = all_.find(url);
    return found == all_.end() ? nullptr : &found->second;
}

std::string upload_server::place(posted_job& job, const request& what) {
    const std::string url = what.url + "u" + std::to_string(all_.size());
    all_[url].job = &job;
    return url;
}

// It has expired, or the server has dropped it: servers do.
void upload_server::look_whether_gone(upload& one) {
    const bool expired = time_.steady_now() >= one.expires;
    const bool dropped = !server_.healed && random_.chance(0.02);
    one.gone = one.gone || (!one.complete && (expired || dropped));
    // What is finished may be put away at any later time.
    if (one.complete && !one.gone && !server_.healed && random_.chance(0.1)) {
        one.gone = true;
        count_untold(one);
    }
}

// A server that crashes may lose what it had not written yet, though it had said that it has it.
void upload_server::lose_tail(upload& one) {
    if (!server_.healed && !one.complete && !one.data.empty() && random_.chance(0.05)) {
        one.data.resize(random_.below(one.data.size()));
        one.cut_back = true;
        ++one.generation;
    }
}

// As long as the one that was begun is there, and can go on, another one is a waste; asked about, it would have said
// so.
void upload_server::require_none_open(const posted_job& job, std::size_t item) {
    for (const auto& [url, one] : all_) {
        const bool known = one.job == &job && one.item == item && one.heard && one.committed && !one.excused;
        const bool open =
            !one.gone && !one.complete && !one.partial && !one.cut_back && time_.steady_now() < one.expires;
        if (known && open && job.granted == 0 && !server_.is_given_up(url)) {
            server_.violate("another upload is begun for " + job.id + ", and " + url + " is still there");
        }
    }
}

void upload_server::count_untold(upload& one) {
    if (!one.untold && !one.partial) {
        one.untold = true;
        ++one.job->untold;
    }
}

void upload_server::complete(upload& one, bool denied) {
    one.complete = true;
    // Some put away what is finished: whoever asks then is told 404. Who has not heard its URL cannot ask. And who was
    // answered with an error does not know what to believe.
    one.gone = !server_.healed && random_.chance(0.15);
    if (one.gone || !one.heard || denied) {
        count_untold(one);
    }
    if (one.job->is_form()) {
        server_.show_form(*one.job, one.content_type, one.data);
    } else {
        one.job->arrived.insert(one.item);
        server_.show(*one.job, one.item, one.data);
    }
}

void upload_server::remove(const std::string& url, upload& one) {
    one.gone = true;
    const loaded_job* const whole = server_.stored(one.job->id);
    const std::string receipt = whole != nullptr ? whole->items[one.item].state.receipt : "";
    if (one.complete && (receipt == url || receipt.starts_with(url + " "))) {  // tus keeps the URL as a receipt
        server_.violate(one.job->id + ": what was delivered is deleted again");
    }
}

void upload_server::excuse_uncommitted() {
    for (auto& [url, one] : all_) {
        one.excused = one.excused || (one.heard && !one.committed);
    }
}

std::string upload_server::left_over() const {
    for (const auto& [url, one] : all_) {
        const bool expired = time_.steady_now() >= one.expires;
        if (one.heard && !one.complete && !one.gone && !one.excused && !expired && !one.job->said_completed &&
            !one.job->said_by_backend) {
            return url + (one.committed ? " is left over at the server" : " was heard of, and forgotten");
        }
    }
    return {};
}

}  // namespace waybill::simulation
