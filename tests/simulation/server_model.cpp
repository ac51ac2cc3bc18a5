// SPDX-License-Identifier: BSL-1.0

#include "simulation/server_model.hpp"

#include <waybill/detail/digest.hpp>
#include <waybill/testing/fake_transport.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace waybill::simulation {
namespace {

std::string header_of(const request& what, std::string_view name) {
    return std::string(single_header(what.headers, name).value_or(""));
}

std::size_t item_in(const std::string& url) {
    return std::stoul(url.substr(url.rfind('/') + 1));
}

/// A PUT, a POST of an item, or a form in one request: it counts when all of it is there.
class whole_request final : public arrival {
public:
    whole_request(const request& what, posted_job& job, server_model& server, testing::seeded_random& random)
        : arrival(what), job_(job), server_(server), random_(random), content_type_(header_of(what, "Content-Type")),
          key_(header_of(what, "Idempotency-Key")), conditional_(header_of(what, "If-None-Match") == "*"),
          item_(item_of(what, job)) {}

private:
    void take(std::span<const char> bytes) override { body_.append(bytes.data(), bytes.size()); }

    void finish() override {
        if (job_.is_post() || conditional_) {
            server_.require_marked(job_, item_);
        }
        status_ = server_.draw_status(false);
        const bool answered_before = job_.policy == on_unknown::retry_same_key && job_.keys.contains(key_);
        if (conditional_ && job_.is_there(item_) && !answered_before &&
            classify_status(status_) == status_class::success) {
            status_ = 412;
        }
        const status_class means = classify_status(status_);
        if (means == status_class::success || (means == status_class::ambiguous && random_.chance(0.5))) {
            apply();
        }
        if (means == status_class::success && random_.chance(0.1)) {
            status_ = 303;  // done, and what came of it is elsewhere
        }
    }

    void apply() {
        if (conditional_ && job_.is_there(item_)) {
            return;
        }
        if (!job_.is_post()) {
            if (conditional_) {
                job_.arrived.insert(item_);
            } else {
                job_.copies[item_].clear();
            }
            server_.show(job_, item_, std::move(body_));
            return;
        }
        const bool seen = !job_.keys.insert(key_).second;
        if (seen && job_.policy == on_unknown::retry_same_key) {
            return;  // what honouring the key means
        }
        if (job_.is_form()) {
            server_.show_form(job_, content_type_, body_);
            return;
        }
        job_.arrived.insert(item_);
        server_.show(job_, item_, std::move(body_));
    }

    /// By its name: that of a PUT's or PATCH's target, and what a POST says. Of a form it is all of them.
    static std::size_t item_of(const request& what, const posted_job& job) {
        if (job.is_form()) {
            return 0;
        }
        if (what.method != "POST") {
            return item_in(what.url);
        }
        const std::string mark = "filename=\"";
        const std::string disposition = header_of(what, "Content-Disposition");
        return std::stoul(disposition.substr(disposition.find(mark) + mark.size()));
    }

    response reply() override {
        response answer = testing::fake_transport::respond(status_);
        if (classify_status(status_) == status_class::not_applied && random_.chance(0.5)) {
            static const std::vector<std::string> values = {"0", "7", "3600", "99999999999999999999", "-1", "soon"};
            const std::string& value = values[random_.below(values.size())];
            answer.headers.push_back({"Retry-After", server_.prompt ? "7" : value});
        }
        return answer;
    }

    posted_job& job_;
    server_model& server_;
    testing::seeded_random& random_;
    std::string content_type_;
    std::string key_;
    bool conditional_;
    std::size_t item_;
    std::string body_;
    int status_ = 0;
};

/// What is at the target of a PUT?
class target_question final : public arrival {
public:
    target_question(const request& what, posted_job& job, server_model& server)
        : arrival(what), job_(job), item_(item_in(what.url)), status_(server.draw_status(false)) {}

private:
    void take(std::span<const char> /*bytes*/) override {}
    void finish() override {}
    response reply() override {
        if (status_ / 100 != 2 || !job_.is_there(item_)) {
            const status_class means = classify_status(status_);
            const bool refuses = means == status_class::permanent || means == status_class::redirect;
            job_.untold += refuses ? 1 : 0;  // it cannot be looked at
            return testing::fake_transport::respond(status_ / 100 == 2 ? 404 : status_);
        }
        response answer = testing::fake_transport::respond(200);
        const std::string& content = job_.copies.at(item_).back();
        answer.headers.push_back({"Content-Length", std::to_string(content.size())});
        if (job_.shows == 0) {
            answer.headers.push_back({"ETag", "\"" + detail::to_hex(detail::digest_of("md5", content)) + "\""});
        } else if (job_.shows == 1) {
            answer.headers.push_back(
                {"Repr-Digest", "sha-256=:" + detail::to_base64(detail::digest_of("sha-256", content)) + ":"});
        } else {
            ++job_.untold;
        }
        return answer;
    }

    posted_job& job_;
    std::size_t item_;
    int status_;
};

/// What is offered here?
class offer_request final : public arrival {
public:
    offer_request(const request& what, int status, bool resumable)
        : arrival(what), answer_(testing::fake_transport::respond(status)) {
        if (resumable && status / 100 == 2) {
            answer_.headers.push_back({"Upload-Limit", "max-age=86400"});
        }
    }

private:
    void take(std::span<const char> /*bytes*/) override {}
    void finish() override {}
    response reply() override { return answer_; }

    response answer_;
};

}  // namespace

void server_model::asked(const request& what) {
    posted_job& job = jobs_.at(job_in(what.url));
    job.tried = true;
    const bool asks_whether_gone = what.method == "GET" && what.url.find("?max-parts=1&") != std::string::npos;
    if (job.is_upload() && (what.method == "DELETE" || asks_whether_gone)) {
        return;  // cleaning up
    }
    const bool of_target = what.method == "PUT" || what.method == "POST" || job.is_post();
    if (!of_target && !what.sealed && !header_of(what, "If-None-Match").empty()) {
        violate(what.method + " left for " + job.id + " with a condition that is about something else");
    }
    if (job.cancel_confirmed) {
        violate(what.method + " left for " + job.id + ", whose cancellation was confirmed");
    }
    if (job.pause_confirmed) {
        violate(what.method + " left for " + job.id + ", whose pause was confirmed");
    }
    const auto held =
        std::find_if(paused.begin(), paused.end(), [&](const selection& one) { return one.includes_lane(job.lane()); });
    if (held != paused.end()) {
        violate(what.method + " left for " + job.id + ", whose lane was paused");
    }
    const loaded_job* const whole = stored(job.id);
    const status now = whole == nullptr ? status::failed : whole->job.state.status;
    if (now != status::uploading && now != status::finalizing) {
        violate(what.method + " left for " + job.id + ", which is " + std::string(to_string(now)) + " on the disk");
    }
}

std::unique_ptr<arrival> server_model::accept(const request& what) {
    posted_job& job = jobs_.at(job_in(what.url));
    if (what.method == "OPTIONS" && (job.via != way::tus || job.deaf != 0)) {
        return std::make_unique<offer_request>(what, job.deaf != 0 ? 500 : draw_status(true),
                                               job.via == way::resumable);
    }
    if (what.method == "HEAD" && job.via != way::s3 && uploads_.find(what.url) == nullptr) {
        return std::make_unique<target_question>(what, job, *this);
    }
    // Where the question was refused, what can be sent any way is sent the plain way.
    const bool plain = job.automatic && what.method == "PUT" && header_of(what, "Upload-Complete").empty();
    if (job.is_upload() && !plain) {
        return uploads_.accept(what, job);
    }
    return std::make_unique<whole_request>(what, job, *this, random_);
}

void server_model::may_arrive(const request& what) {
    posted_job& job = jobs_.at(job_in(what.url));
    const loaded_job* const whole = stored(job.id);
    if (whole != nullptr && whole->job.state.intent.stands()) {
        job.left.insert(job.is_form() ? 0 : whole->job.state.intent.item());
    }
}

void server_model::note_answer(const request& what, const response& answer) {
    constexpr int while_it_matters = 60;
    const loaded_job* const whole = stored(job_in(what.url));
    if (!healed && whole != nullptr && whole->job.state.intent.stands() && answer.status / 100 == 2) {
        tense = while_it_matters;
    }
}

bool server_model::breaks_over(const request& what) const {
    return what.method == "OPTIONS" && jobs_.at(job_in(what.url)).deaf == 2;
}

verification server_model::verify(const std::string& id, std::size_t item) const {
    posted_job& job = jobs_.at(id);
    job.tried = true;
    const loaded_job* const whole = stored(id);
    if (whole == nullptr || !(healed || random_.chance(0.6))) {
        return verification::unknown;
    }
    for (std::size_t i = 0; i < whole->items.size(); ++i) {
        if (item < whole->items.size() && item != i) {
            continue;
        }
        const item_spec& spec = whole->items[i].spec;
        const std::vector<std::string>& there = job.copies[i];
        if (std::find(there.begin(), there.end(), files_.as_pinned(spec.path, spec.identity)) == there.end()) {
            return verification::not_delivered;
        }
    }
    job.said_by_backend = true;
    return verification::delivered;
}

void server_model::violate(const std::string& what) {
    if (violation.empty()) {
        violation = what;
    }
}

int server_model::draw_status(bool of_upload) {
    static const std::vector<int> transient = {500, 502, 503, 504, 429, 408, 599};
    static const std::vector<int> permanent = {400, 403, 413, 301, 404};
    const std::uint64_t dice = random_.below(100);
    if (healed || dice < 70) {
        return dice < 50 ? 200 : 201;
    }
    // 404 says of an upload that it is gone: a server that tells the truth says it when it is.
    const std::size_t refusals = permanent.size() - (of_upload ? 1 : 0);
    return dice < 97 ? transient[random_.below(transient.size())] : permanent[random_.below(refusals)];
}

const loaded_job* server_model::stored(const std::string& id) const {
    for (const auto& [seq, whole] : disk_.jobs) {
        if (whole.job.spec.id.str() == id) {
            return &whole;
        }
    }
    return nullptr;
}

bool server_model::is_given_up(const std::string& url) const {
    return std::any_of(disk_.leftovers.begin(), disk_.leftovers.end(),
                       [&](const auto& one) { return one.second.reached.resource == url; });
}

void server_model::require_marked(posted_job& job, std::size_t item) {
    job.left.insert(item);
    const loaded_job* const whole = stored(job.id);
    const bool of_item = !job.is_form() && whole != nullptr && whole->items.size() > 1;
    if (whole == nullptr || !whole->job.state.intent.stands() || (of_item && !whole->job.state.intent.about(item))) {
        violate("the last byte of " + job.id + " is here, and no mark of that is on the disk");
    }
}

void server_model::show(posted_job& job, std::size_t item, std::string content) {
    if (!files_.ever_was(job.paths[item], content)) {
        violate(job.paths[item] + " arrived with bytes it never had");
    }
    std::vector<std::string>& there = job.copies[item];
    there.push_back(std::move(content));
    if (there.size() > job.most_copies()) {
        violate(job.id + " was made visible " + std::to_string(there.size()) + " times, and it began anew " +
                std::to_string(job.granted) + " times because it was asked to");
    }
}

void server_model::show_form(posted_job& job, const std::string& content_type, const std::string& body) {
    std::vector<std::string> parts = parts_of(job, content_type, body);
    if (parts.empty()) {
        violate("the form of " + job.id + " arrived with other parts than it has");
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        job.arrived.insert(i);
        show(job, i, std::move(parts[i]));
    }
}

std::vector<std::string> server_model::parts_of(const posted_job& job, const std::string& content_type,
                                                const std::string& body) {
    const std::string mark = "boundary=";
    const auto at = content_type.find(mark);
    std::string boundary = at == std::string::npos ? "" : content_type.substr(at + mark.size());
    std::erase(boundary, '"');
    const std::string delimiter = "\r\n--" + boundary;
    const std::string text = "\r\n" + body;
    std::vector<std::string> parts;
    for (auto from = text.find(delimiter); from != std::string::npos;) {
        const auto head = text.find("\r\n\r\n", from);
        const auto next = text.find(delimiter, from + delimiter.size());
        if (next == std::string::npos) {
            break;
        }
        if (head == std::string::npos || head + 4 > next) {
            return {};
        }
        parts.push_back(text.substr(head + 4, next - head - 4));
        from = next;
    }
    const bool whole = text.ends_with(delimiter + "--\r\n") && parts.size() == job.paths.size();
    return whole ? parts : std::vector<std::string>{};
}

}  // namespace waybill::simulation
