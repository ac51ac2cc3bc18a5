// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the other side knows: the truth the promises are checked against.

#include <waybill/testing/fake_transport.hpp>
#include <waybill/testing/memory_sources.hpp>
#include <waybill/testing/seeded_random.hpp>
#include <waybill/waybill.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace waybill::simulation {

/// A broken promise; its text says which.
struct broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A job as the app and its server know it.
struct posted_job {
    std::string id;
    bool form = false;
    on_unknown policy = on_unknown::park;
    bool verified = false;
    std::vector<std::string> paths;
    std::string batch;

    bool accepted = false;          ///< `async_enqueue` has completed
    bool cancel_confirmed = false;  ///< `async_cancel` has completed, and nothing else was asked since
    bool said_completed = false;    ///< the app has said so itself
    int retries = 0;                ///< times the app has asked to send it again
    int unanswered = 0;             ///< retries asked whose end is not known

    int finalised = 0;  ///< times the server made a form post visible
    std::set<std::string> keys;

    [[nodiscard]] std::string url() const {
        const std::string server = "http://server.test/";
        if (!form) {
            return server + id + "/";
        }
        return server + (policy == on_unknown::retry_same_key ? "keyed/" : "posts/") + id;
    }
};

/// Files with all the contents they ever had.
class file_history {
public:
    void write(const std::string& path, std::string content) {
        files->write(path, std::move(content));
        versions_[path].push_back(files->at(path));
    }
    [[nodiscard]] bool ever_was(const std::string& path, const std::string& content) const {
        const auto found = versions_.find(path);
        return found != versions_.end() && std::any_of(found->second.begin(), found->second.end(),
                                                       [&](const auto& v) { return v.content == content; });
    }
    [[nodiscard]] const std::string& as_pinned(const std::string& path, const file_identity& identity) const {
        for (const auto& v : versions_.at(path)) {
            if (v.identity == identity) {
                return v.content;
            }
        }
        throw broken(path + " was accepted with an identity it never had");
    }

    std::shared_ptr<testing::memory_files> files = std::make_shared<testing::memory_files>();

private:
    std::map<std::string, std::vector<testing::memory_files::entry>> versions_;
};

/// A server that keeps what it got and counts what it made visible. What breaks a promise is
/// remembered, not thrown: an exception here would look like a network error.
class server_model {
public:
    server_model(std::map<std::string, posted_job>& jobs, const file_history& files) : jobs_(jobs), files_(files) {}

    bool healed = false;
    std::string violation;

    [[nodiscard]] const std::map<std::string, std::string>& objects() const noexcept { return objects_; }

    void begins(const std::string& url) {
        if (job_of(url).cancel_confirmed) {
            violate("a request left for a job whose cancellation was confirmed");
        }
    }

    response serve(const testing::received_request& r, testing::seeded_random& random) {
        if (!r.whole) {
            return {};
        }
        posted_job& job = job_of(r.url);
        check_bytes(job, r);
        const int status = healed ? 200 : draw_status(random);
        const status_class means = classify_status(status);
        const bool applied = means == status_class::success || (means == status_class::ambiguous && random.chance(0.5));
        if (applied) {
            apply(job, r);
        }
        response answer = testing::fake_transport::answer(status);
        if (means == status_class::not_applied && random.chance(0.5)) {
            static const std::vector<std::string> values = {"0", "7", "3600", "99999999999999999999", "-1", "soon"};
            answer.headers.push_back({"Retry-After", values[random.below(values.size())]});
        }
        return answer;
    }

    void violate(const std::string& what) {
        if (violation.empty()) {
            violation = what;
        }
    }

private:
    static int draw_status(testing::seeded_random& random) {
        static const std::vector<int> transient = {500, 502, 503, 504, 429, 408, 599};
        static const std::vector<int> permanent = {400, 403, 404, 413, 301};
        const std::uint64_t dice = random.below(100);
        if (dice < 70) {
            return dice < 50 ? 200 : 201;
        }
        return dice < 97 ? transient[random.below(transient.size())] : permanent[random.below(permanent.size())];
    }

    posted_job& job_of(const std::string& url) {
        for (auto& [id, job] : jobs_) {
            const std::string mine = job.url();
            if (job.form ? url == mine : url.starts_with(mine)) {
                return job;
            }
        }
        throw std::logic_error("a request for " + url + ", which nobody ever asked for");
    }

    void check_bytes(const posted_job& job, const testing::received_request& r) {
        if (!job.form) {
            const std::string path = r.url.substr(std::string("http://server.test").size());
            if (!files_.ever_was(path, r.body)) {
                violate("PUT " + path + " brought bytes the file never had");
            }
            return;
        }
        const std::vector<std::string> parts = parts_of(r);
        bool right = parts.size() == job.paths.size();
        for (std::size_t i = 0; right && i < parts.size(); ++i) {
            right = files_.ever_was(job.paths[i], parts[i]);
        }
        if (!right) {
            violate("POST for " + job.id + " brought other bytes than its files ever had");
        }
    }

    static std::vector<std::string> parts_of(const testing::received_request& r) {
        const std::string type = r.header("Content-Type");
        const std::string mark = "boundary=";
        const auto at = type.find(mark);
        std::string boundary = at == std::string::npos ? "" : type.substr(at + mark.size());
        std::erase(boundary, '"');
        const std::string delimiter = "\r\n--" + boundary;
        const std::string body = "\r\n" + r.body;
        std::vector<std::string> parts;
        for (auto from = body.find(delimiter); from != std::string::npos;) {
            const auto head = body.find("\r\n\r\n", from);
            const auto next = body.find(delimiter, from + delimiter.size());
            if (next == std::string::npos) {
                break;
            }
            if (head == std::string::npos || head + 4 > next) {
                return {};
            }
            parts.push_back(body.substr(head + 4, next - head - 4));
            from = next;
        }
        return body.ends_with(delimiter + "--\r\n") ? parts : std::vector<std::string>{};
    }

    void apply(posted_job& job, const testing::received_request& r) {
        if (!job.form) {
            objects_[r.url] = r.body;
            return;
        }
        const bool seen = !job.keys.insert(r.header("Idempotency-Key")).second;
        if (seen && job.policy == on_unknown::retry_same_key) {
            return;  // what honouring the key means
        }
        ++job.finalised;
        if (job.policy != on_unknown::retry && job.finalised > 1 + job.retries) {
            violate(job.id + " was made visible " + std::to_string(job.finalised) +
                    " times, and sending it again was asked " + std::to_string(job.retries) + " times");
        }
    }

    std::map<std::string, posted_job>& jobs_;
    const file_history& files_;
    std::map<std::string, std::string> objects_;
};

}  // namespace waybill::simulation
