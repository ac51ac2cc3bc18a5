// SPDX-License-Identifier: BSL-1.0
#pragma once

// The servers of the built-in protocols, as the contract test drives them. All read little ahead, so that a body of
// `beyond_buffers` cannot have left before they have read most of it.

#include <waybill/detail/digest.hpp>
#include <waybill/protocol/s3.hpp>

#include "loopback/contract/protocol_under_contract.hpp"
#include "support/resumable_server.hpp"
#include "support/s3_server.hpp"
#include "support/tus_server.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

/// True of one request: number `index`, from 0, of those that carry bytes.
inline std::function<bool(const received_request&)> is_carrier(const contract_server& server, std::size_t index) {
    return [&server, index, seen = std::make_shared<std::size_t>(0)](const received_request& r) {
        return server.carries(r) && (*seen)++ == index;
    };
}

/// Each request is the whole of an item, or of the job, and what it brings is there when it is answered.
class plain_contract_server final : public contract_server {
public:
    /// `base`: a job for this server, but for its URL, which is `path`.
    plain_contract_server(std::string method, std::string path, std::function<void(job&)> choose)
        : method_(std::move(method)), path_(std::move(path)), choose_(std::move(choose)), server_(reads_little()) {
        server_.always(script("").then([this](exchange& x) { serve(x); }));
    }

    http_server& http() override { return server_; }
    job make_job() const override {
        job one(server_.url(path_));
        choose_(one);
        return one;
    }
    bool carries(const received_request& r) const override { return r.method == method_; }
    void serve(exchange& x) override {
        take(x);
        const std::lock_guard lock(mutex_);
        x.answer({carries(x.seen()) ? 201 : 405, place_.empty() ? header_list() : header_list{{"Location", place_}}});
    }
    std::vector<std::string> arrived() const override {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> all;
        for (const auto& [target, bodies] : bodies_) {
            all.insert(all.end(), bodies.begin(), bodies.end());
        }
        return all;
    }
    void cut(std::size_t item, std::uint64_t bytes, std::uint64_t earlier_items) override {
        const bool form = path_ == "/form";
        const std::uint64_t most = form ? earlier_items + bytes : bytes;
        break_once(is_carrier(*this, form ? 0 : item), [most](exchange& x) { x.read_body(most); });
    }
    void lose_answer() override {
        script lost("lost");
        lost.only_if(is_carrier(*this, 0)).then([this](exchange& x) { take(x); });
        server_.next(lost.reset());
    }
    void name_place(const std::string& url) override {
        const std::lock_guard lock(mutex_);
        place_ = url;
    }

private:
    /// A PUT takes the place of an earlier one.
    void take(exchange& x) {
        x.read_body();
        const received_request r = x.seen();
        const std::lock_guard lock(mutex_);
        std::vector<std::string>& there = bodies_[r.target];
        if (r.method == "PUT") {
            there.clear();
        }
        if (carries(r)) {
            there.push_back(r.body);
        }
    }

    std::string method_;
    std::string path_;
    std::function<void(job&)> choose_;
    mutable std::mutex mutex_;
    std::map<std::string, std::vector<std::string>> bodies_;
    std::string place_;
    http_server server_;  // last: its threads use the rest
};

class tus_contract_server final : public contract_server {
public:
    explicit tus_contract_server(std::function<void(job&)> choose)
        : choose_(std::move(choose)), server_(reads_little()) {
        server_.loses = [this](const received_request& r) { return carries(r) && use_up(losses_); };
        server_.fault = [this](const received_request& r) {
            return r.method == "HEAD" && use_up(busy_) ? std::optional(reply(503)) : std::nullopt;
        };
        server_.afterthought = [this](const received_request& r) { return placed(r); };
    }

    http_server& http() override { return server_.http; }
    job make_job() const override {
        job one(server_.url());
        choose_(one);
        return one;
    }
    bool carries(const received_request& r) const override { return r.method == "PATCH"; }
    void serve(exchange& x) override { server_.serve_one(x); }
    std::vector<std::string> arrived() const override {
        std::vector<std::string> all;
        for (const auto& [path, one] : server_.uploads()) {
            if (one.data.size() == one.length) {
                all.push_back(one.data);
            }
        }
        return all;
    }
    std::size_t unfinished() const override { return server_.uploads().size() - arrived().size(); }
    std::vector<std::string> violations() const override { return server_.violations(); }
    void cut(std::size_t item, std::uint64_t bytes, std::uint64_t /*earlier_items*/) override {
        break_once(is_carrier(*this, item), [this, bytes](exchange& x) {
            x.read_body(bytes);
            const received_request r = x.seen();
            server_.change(r.target, [&](tus_server::upload& u) { u.data += r.body; });
        });
    }
    void lose_answer() override { losses_ = busy_ = 1; }
    void name_place(const std::string& url) override {
        const std::lock_guard lock(mutex_);
        place_ = url;
    }

private:
    static bool use_up(std::atomic<int>& left) { return left > 0 && left-- > 0; }

    std::optional<reply> placed(const received_request& r) const {
        const std::lock_guard lock(mutex_);
        if (place_.empty() || r.method != "POST") {
            return std::nullopt;
        }
        return reply(201, {{"Tus-Resumable", "1.0.0"}, {"Location", place_}});
    }

    std::function<void(job&)> choose_;
    mutable std::mutex mutex_;
    std::string place_;
    std::atomic<int> losses_ = 0;
    std::atomic<int> busy_ = 0;
    tus_server server_;
};

class resumable_contract_server final : public contract_server {
public:
    resumable_contract_server(bool form, std::function<void(job&)> choose)
        : form_(form), choose_(std::move(choose)), server_({}, reads_little()) {}

    http_server& http() override { return server_.http(); }
    job make_job() const override {
        job one(server_.url("/x"));
        choose_(one);
        return one;
    }
    bool carries(const received_request& r) const override { return r.method == "PATCH" && r.body_length != 0; }
    void serve(exchange& x) override { server_.serve(x); }
    std::vector<std::string> arrived() const override {
        std::vector<std::string> all;
        for (auto& one : server_.arrived()) {
            all.push_back(std::move(one.body));
        }
        return all;
    }
    std::size_t unfinished() const override { return server_.open_uploads(); }
    std::vector<std::string> violations() const override { return server_.violations(); }
    void cut(std::size_t item, std::uint64_t bytes, std::uint64_t earlier_items) override {
        const std::uint64_t most = form_ ? earlier_items + bytes : bytes;
        break_once(is_carrier(*this, form_ ? 0 : item), [this, most](exchange& x) {
            server_.behave([&](resumable_behaviour& b) { b.cuts = {most}; });
            server_.serve(x);
        });
    }
    void lose_answer() override {
        server_.behave([](resumable_behaviour& b) { b.lost_answers = 1; });
        server_.http().next(script("busy").only_for("HEAD").read_all().answer({503}));
    }
    void name_place(const std::string& url) override {
        server_.behave([&](resumable_behaviour& b) { b.location_prefix = url; });
    }

private:
    bool form_;
    std::function<void(job&)> choose_;
    resumable_server server_;
};

/// Objects of up to 5 MiB are sent by one request, larger ones in parts.
class s3_contract_server final : public contract_server {
public:
    static constexpr std::uint64_t part = 5 << 20;

    s3_contract_server() : server_({}, reads_little()) {}

    http_server& http() override { return server_.http(); }
    job make_job() const override {
        job one(server_.url("/bucket/"));
        one.via(s3{}.part_size(part).parallel(1));
        return one;
    }
    bool carries(const received_request& r) const override { return r.method == "PUT"; }
    void serve(exchange& x) override { server_.serve(x); }
    std::vector<std::string> arrived() const override {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> all = placed_;
        for (const auto& [path, one] : server_.objects()) {
            all.push_back(one.data);
        }
        return all;
    }
    std::size_t unfinished() const override { return server_.open_uploads(); }
    std::vector<std::string> violations() const override { return server_.violations(); }
    void cut(std::size_t item, std::uint64_t bytes, std::uint64_t /*earlier_items*/) override {
        const auto whole_parts = static_cast<std::size_t>(bytes / part);
        break_once(is_carrier(*this, item + whole_parts), [most = bytes % part](exchange& x) { x.read_body(most); });
    }
    void lose_answer() override {
        server_.behave([](s3_behaviour& b) { b.lost_completions = b.busy_lists = 1; });
    }
    /// S3 names no place but that of a completed object, here of a small one.
    void name_place(const std::string& url) override {
        script named("names a place");
        server_.http().next(named.only_if(is_carrier(*this, 0)).then([this, url](exchange& x) {
            x.read_body();
            const std::string body = x.seen().body;
            const std::string etag = '"' + detail::to_hex(detail::digest_of("md5", body)) + '"';
            {
                const std::lock_guard lock(mutex_);
                placed_.push_back(body);
            }
            x.answer({200, {{"ETag", etag}, {"Location", url}}});
        }));
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> placed_;
    s3_server server_;
};

}  // namespace waybill::test
