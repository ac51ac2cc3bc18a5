// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/digest.hpp>
#include <waybill/protocol/detail/tus_rules.hpp>

#include "support/http_server.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

/// A tus 1.0.0 server, written from its specification and strict about it: what a client must send
/// and did not is a 4xx. Keeps everything in memory.
class tus_server {
public:
    struct upload {
        std::optional<std::uint64_t> length;
        std::string data;
        std::string metadata;
        bool partial = false;
        bool final = false;
    };

    /// Asked before each request; what it returns is the answer.
    std::function<std::optional<reply>(const received_request&)> fault;
    std::string extensions =
        "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation";
    std::string expires;  ///< the `Upload-Expires` of every upload

    explicit tus_server(http_server_options how = {}) : http(std::move(how)) {
        http.otherwise([this](const received_request& r) { return serve(r); });
    }

    [[nodiscard]] std::string url() const { return http.url("/files"); }
    [[nodiscard]] std::map<std::string, upload> uploads() const {
        const std::scoped_lock lock(mutex_);
        return uploads_;
    }
    void remove(const std::string& path) {
        const std::scoped_lock lock(mutex_);
        uploads_.erase(path);
    }
    /// Changes what is there behind the protocol's back.
    void change(const std::string& path, const std::function<void(upload&)>& how) {
        const std::scoped_lock lock(mutex_);
        how(uploads_.at(path));
    }
    /// A script that keeps `bytes` of the next PATCH and breaks the connection.
    [[nodiscard]] script cut_after(std::uint64_t bytes) {
        return script("cut")
            .only_for("PATCH")
            .read_body(bytes)
            .then([this](exchange& e) {
                const std::scoped_lock lock(mutex_);
                const received_request r = e.seen();
                uploads_.at(r.target).data += r.body;
            })
            .reset();
    }
    /// The requests of a method so far.
    [[nodiscard]] std::vector<received_request> all(const std::string& method) const {
        std::vector<received_request> found;
        for (const received_request& r : http.requests()) {
            if (r.method == method) {
                found.push_back(r);
            }
        }
        return found;
    }

    http_server http;

private:
    static reply answer(int status, header_list more = {}) {
        reply r(status, std::move(more));
        r.headers.push_back({"Tus-Resumable", "1.0.0"});
        r.headers.push_back({"Cache-Control", "no-store"});
        return r;
    }

    reply serve(const received_request& r) {
        if (fault) {
            if (std::optional<reply> wrong = fault(r)) {
                return std::move(*wrong);
            }
        }
        const std::scoped_lock lock(mutex_);
        if (r.method == "OPTIONS") {
            return answer(204, {{"Tus-Version", "1.0.0"},
                                {"Tus-Extension", extensions},
                                {"Tus-Checksum-Algorithm", "md5,sha1,sha256"},
                                {"Tus-Max-Size", "1000000000"}});
        }
        if (r.header("Tus-Resumable") != "1.0.0") {
            return answer(412, {{"Tus-Version", "1.0.0"}});
        }
        if (r.method == "POST") {
            return r.target == "/files" ? create(r) : answer(404);
        }
        const auto found = uploads_.find(r.target);
        if (found == uploads_.end()) {
            return answer(404);
        }
        if (r.method == "DELETE") {
            uploads_.erase(found);
            return answer(204);
        }
        return r.method == "HEAD" ? head(found->second) : r.method == "PATCH" ? patch(r, found->second) : answer(405);
    }

    reply create(const received_request& r) {
        upload made;
        made.metadata = r.header("Upload-Metadata");
        const std::string concat = r.header("Upload-Concat");
        made.partial = concat == "partial";
        made.length = parse_decimal(r.header("Upload-Length"));
        if (concat.starts_with("final;")) {
            std::istringstream parts(concat.substr(6));
            for (std::string part; parts >> part;) {
                const auto found = uploads_.find(part.substr(part.find("/files/")));
                if (found == uploads_.end() || !found->second.partial ||
                    found->second.length != found->second.data.size()) {
                    return answer(400);
                }
                made.data += found->second.data;
            }
            if (r.has_header("Upload-Length")) {
                return answer(400);
            }
            made.final = true;
            made.length = made.data.size();
        } else if (made.length.has_value() == r.has_header("Upload-Defer-Length") ||
                   (made.partial && !made.metadata.empty())) {
            return answer(400);
        }
        if (r.body_bytes != 0 && r.header("Content-Type") != "application/offset+octet-stream") {
            return answer(400);
        }
        if (!made.final) {
            made.data = r.body;
        }
        const std::string path = "/files/" + std::to_string(++last_);
        const header_list headers = {{"Location", path}, {"Upload-Offset", std::to_string(made.data.size())}};
        uploads_[path] = std::move(made);
        return dated(answer(201, headers));
    }

    reply dated(reply r) const {
        if (!expires.empty()) {
            r.headers.push_back({"Upload-Expires", expires});
        }
        return r;
    }

    reply head(const upload& u) const {
        reply r = answer(200, {{"Upload-Offset", std::to_string(u.data.size())}});
        r.headers.push_back(u.length ? header_field{"Upload-Length", std::to_string(*u.length)}
                                     : header_field{"Upload-Defer-Length", "1"});
        return r;
    }

    reply patch(const received_request& r, upload& u) const {
        if (u.final) {
            return answer(403);
        }
        if (r.header("Content-Type") != "application/offset+octet-stream") {
            return answer(415);
        }
        if (parse_decimal(r.header("Upload-Offset")) != u.data.size()) {
            return answer(409);
        }
        if (r.has_header("Upload-Length")) {
            if (u.length) {
                return answer(400);
            }
            u.length = parse_decimal(r.header("Upload-Length"));
        }
        if (u.length && u.data.size() + r.body_bytes > *u.length) {
            return answer(413);
        }
        if (r.has_header("Upload-Checksum")) {
            const std::string sum = r.header("Upload-Checksum");
            const std::string name = sum.substr(0, sum.find(' '));
            if (sum != name + " " + detail::to_base64(detail::digest_of(detail::digest_for_tus(name), r.body))) {
                return answer(460);
            }
        }
        u.data += r.body;
        return dated(answer(204, {{"Upload-Offset", std::to_string(u.data.size())}}));
    }

    mutable std::mutex mutex_;
    std::map<std::string, upload> uploads_;
    int last_ = 0;
};

}  // namespace waybill::test
