// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/digest.hpp>
#include <waybill/testing/fake_transport.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace waybill::testing {

/// A server in memory: keeps what is PUT and posted, and injects the faults it is given.
///
///     server.next(fault{fault::kind::cut, 1000});      // the next request loses its connection after 1,000 bytes
///     server.next(fake_transport::respond(503));        // the one after it gets the response 503
///     server.next(fault{fault::kind::response_lost});  // then one is accepted, and its response is lost
///
/// @par Thread safety
///   Used on one strand.
class fake_server {
public:
    /// The fault or response for the next request; in order, one for each request. Requests beyond them are accepted.
    fake_server& next(fault what) {
        script_.emplace_back(what);
        return *this;
    }
    fake_server& next(response got) {
        script_.emplace_back(std::move(got));
        return *this;
    }
    [[nodiscard]] std::size_t script_left() const noexcept { return script_.size(); }

    /// True: a second POST with the same `Idempotency-Key` gets the same response as the first, and changes nothing.
    bool honours_keys = false;
    /// Responds to every request that is neither PUT nor POST; not set: HEAD shows what was PUT, and all others get
    /// 404.
    std::function<response(const received_request&)> otherwise;

    /// Every request, in order, including interrupted and refused ones.
    [[nodiscard]] const std::vector<received_request>& requests() const noexcept { return requests_; }
    /// The objects that were PUT completely and accepted, by URL.
    [[nodiscard]] const std::map<std::string, std::string>& objects() const noexcept { return objects_; }
    /// The requests that were posted completely and accepted, in order: each has taken effect.
    [[nodiscard]] const std::vector<received_request>& posts() const noexcept { return posts_; }

    /// A transport that is connected to this server.
    [[nodiscard]] std::shared_ptr<fake_transport> connect(asio::any_io_executor executor) {
        auto way = std::make_shared<fake_transport>(std::move(executor),
                                                    [this](const received_request& r) { return serve(r); });
        way->next_fault = [this](const request&) { return take_fault(); };
        return way;
    }

private:
    using step = std::variant<fault, response>;

    fault take_fault() {
        if (script_.empty() || !std::holds_alternative<fault>(script_.front())) {
            return {};
        }
        const fault next = std::get<fault>(script_.front());
        script_.pop_front();
        return next;
    }

    response serve(const received_request& r) {
        requests_.push_back(r);
        if (!r.whole) {
            return {};
        }
        if (!script_.empty() && std::holds_alternative<response>(script_.front())) {
            response got = std::get<response>(std::move(script_.front()));
            script_.pop_front();
            if (classify_status(got.status) == status_class::success) {
                accept(r);
            }
            return got;
        }
        return accept(r);
    }

    response accept(const received_request& r) {
        if (r.method == "PUT") {
            if (r.header("If-None-Match") == "*" && objects_.contains(r.url)) {
                return fake_transport::respond(412);
            }
            objects_[r.url] = r.body;
            return fake_transport::respond(201);
        }
        if (r.method != "POST") {
            return otherwise ? otherwise(r) : shown(r);
        }
        const std::string key = r.header("Idempotency-Key");
        if (!honours_keys || key.empty() || keys_.insert(key).second) {
            posts_.push_back(r);
        }
        return fake_transport::respond(201);
    }

    [[nodiscard]] response shown(const received_request& r) const {
        const auto there = objects_.find(r.url);
        if (r.method != "HEAD" || there == objects_.end()) {
            return fake_transport::respond(404);
        }
        response got = fake_transport::respond(200);
        got.headers.push_back({"Content-Length", std::to_string(there->second.size())});
        got.headers.push_back({"ETag", "\"" + detail::to_hex(detail::digest_of("md5", there->second)) + "\""});
        return got;
    }

    std::deque<step> script_;
    std::vector<received_request> requests_;
    std::map<std::string, std::string> objects_;
    std::vector<received_request> posts_;
    std::set<std::string> keys_;
};

}  // namespace waybill::testing
