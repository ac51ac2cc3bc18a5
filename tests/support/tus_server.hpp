// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/digest.hpp>
#include <waybill/protocol/tus/rules.hpp>

#include "support/http_script.hpp"
#include "support/http_server.hpp"

#include <atomic>
#include <chrono>
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
        int holder = 0;  ///< the request that may append to it, when bytes are kept as they come
    };

    /// Asked before each request; what it returns is the answer.
    std::function<std::optional<reply>(const received_request&)> fault;
    /// Asked after each request that was carried out: what it returns is the answer instead.
    std::function<std::optional<reply>(const received_request&)> afterthought;
    /// Asked after each request that was carried out: its answer is lost, and the connection with it.
    std::function<bool(const received_request&)> loses;
    std::string extensions =
        "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation";
    std::string expires;           ///< the `Upload-Expires` of every upload
    bool knows_override = false;   ///< honours `X-HTTP-Method-Override`
    std::atomic<double> rate = 0;  ///< bytes a second of a PATCH, each kept at once; 0: all at its end

    explicit tus_server(http_server_options how = {}) : http(std::move(how)) {
        http.always(script("").then([this](exchange& x) { serve(x); }));
    }

    [[nodiscard]] std::string url() const { return http.url("/files"); }
    [[nodiscard]] std::map<std::string, upload> uploads() const {
        const std::scoped_lock lock(mutex_);
        return uploads_;
    }
    /// Puts an upload there that no request has made; returns its path.
    std::string add(upload what) {
        const std::scoped_lock lock(mutex_);
        std::string path = "/files/" + std::to_string(++last_);
        uploads_[path] = std::move(what);
        return path;
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
    /// Bytes of PATCH requests that were kept so far.
    [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }
    /// What it refused as against the specification.
    [[nodiscard]] std::vector<std::string> violations() const {
        std::vector<std::string> all;
        const std::scoped_lock lock(mutex_);
        for (const auto& [status, what] : refusals_) {
            if (status == 400 || status == 412 || status == 415) {
                all.push_back(std::to_string(status) + " to " + what);
            }
        }
        return all;
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

    /// Answers one request, for scripts that stand in front.
    void serve_one(exchange& x) { serve(x); }

    http_server http;

private:
    static reply answer(int status, header_list more = {}) {
        reply r(status, std::move(more));
        r.headers.push_back({"Tus-Resumable", "1.0.0"});
        r.headers.push_back({"Cache-Control", "no-store"});
        return r;
    }

    void serve(exchange& x) {
        x.read_head();
        const received_request r = x.seen();
        if (rate > 0 && r.method == "PATCH") {
            append_slowly(x, r);
            return;
        }
        x.read_body();
        received_request whole = x.seen();
        if (knows_override && whole.method == "POST" && whole.has_header("X-HTTP-Method-Override")) {
            whole.method = whole.header("X-HTTP-Method-Override");
        }
        const std::scoped_lock one_by_one(handling_);
        reply said = serve(whole);
        if (std::optional<reply> other = afterthought ? afterthought(whole) : std::nullopt) {
            said = std::move(*other);
        }
        if (said.status >= 400) {
            const std::scoped_lock lock(mutex_);
            refusals_.emplace_back(said.status, whole.method + " " + whole.target);
        }
        if (loses && loses(whole)) {
            x.wire().reset();
            return;
        }
        x.answer(said);
    }

    /// Keeps what comes as it comes, until a later request is about the same upload.
    void append_slowly(exchange& x, const received_request& r) {
        constexpr std::size_t piece = 64 << 10;
        int me = 0;
        {
            const std::scoped_lock lock(mutex_);
            const auto found = uploads_.find(r.target);
            const bool fits = found != uploads_.end() &&
                              r.header("Content-Type") == "application/offset+octet-stream" &&
                              parse_decimal(r.header("Upload-Offset")) == found->second.data.size() &&
                              found->second.data.size() + r.body_length.value_or(0) <= found->second.length;
            if (!fits) {
                x.answer(answer(found == uploads_.end() ? 404 : 409, {{"Connection", "close"}}));
                return;
            }
            me = found->second.holder = ++last_holder_;
        }
        x.pass_body_to([&](std::string_view bytes) {
            const std::scoped_lock lock(mutex_);
            const auto found = uploads_.find(r.target);
            if (found == uploads_.end() || found->second.holder != me) {
                throw peer_gone();  // the client has come back on another connection
            }
            found->second.data += bytes;
            taken_ += bytes.size();
        });
        while (!x.complete()) {
            x.read_body(x.taken() + piece);
            const double pace = rate;
            x.wire().pause(std::chrono::milliseconds(pace > 0 ? static_cast<int>(1000.0 * piece / pace) : 0));
        }
        const std::scoped_lock lock(mutex_);
        x.answer(dated(answer(204, {{"Upload-Offset", std::to_string(uploads_.at(r.target).data.size())}})));
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
            return r.target.substr(0, r.target.find('?')) == "/files" ? create(r) : answer(404);
        }
        const auto found = uploads_.find(r.target);
        if (found == uploads_.end()) {
            return answer(404);
        }
        if (r.method == "DELETE") {
            uploads_.erase(found);
            return answer(204);
        }
        found->second.holder = ++last_holder_;  // what is still being received of an earlier request is over
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
        if (u.partial) {
            r.headers.push_back({"Upload-Concat", "partial"});
        }
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

    std::mutex handling_;  // held while a request is answered: they never overlap
    mutable std::mutex mutex_;
    std::map<std::string, upload> uploads_;
    std::vector<std::pair<int, std::string>> refusals_;
    std::atomic<std::uint64_t> taken_ = 0;
    int last_ = 0;
    int last_holder_ = 0;
};

}  // namespace waybill::test
