// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/resumable_server.hpp"
#include "support/s3_server.hpp"
#include "support/tus_server.hpp"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

/// Where uploads go: a strict server on a slow network.
class destination {
public:
    virtual ~destination() = default;
    [[nodiscard]] virtual std::string url() const = 0;
    /// What `waybill add` is told besides.
    [[nodiscard]] virtual std::vector<std::string> arguments() const { return {}; }
    /// What one kill may cost: the piece the server was about to keep, each 64 KiB, what its kernel held
    /// unread, and the headers of the requests that follow.
    [[nodiscard]] virtual std::uint64_t interval() const { return 256 << 10; }
    [[nodiscard]] virtual const http_server& http() = 0;
    /// Bytes of bodies so far.
    [[nodiscard]] virtual std::uint64_t bytes_taken() const = 0;
    /// What is there whole, in the order in which it was begun.
    [[nodiscard]] virtual std::vector<std::string> arrived() const = 0;
    [[nodiscard]] virtual std::size_t count_arrived() const { return arrived().size(); }
    /// What a client must not do and this one did.
    [[nodiscard]] virtual std::vector<std::string> violations() const = 0;
    virtual void hurry() = 0;
};

class resumable_destination final : public destination {
public:
    [[nodiscard]] std::string url() const override { return server_.url("/posts"); }
    [[nodiscard]] const http_server& http() override { return server_.http(); }
    [[nodiscard]] std::uint64_t bytes_taken() const override { return server_.bytes_taken(); }
    [[nodiscard]] std::vector<std::string> arrived() const override {
        std::vector<std::string> all;
        for (auto& one : server_.arrived()) {
            all.push_back(std::move(one.body));
        }
        return all;
    }
    [[nodiscard]] std::vector<std::string> violations() const override { return server_.violations(); }
    void hurry() override {
        server_.behave([](resumable_behaviour& b) { b.rate = 0; });
    }

private:
    static resumable_behaviour slow_network() {
        resumable_behaviour how;
        how.rate = 4e6;
        how.progress_every = 64 << 10;
        return how;
    }
    resumable_server server_{slow_network(), reads_little()};
};

class tus_destination final : public destination {
public:
    tus_destination() { server_.rate = 4e6; }
    [[nodiscard]] std::string url() const override { return server_.url(); }
    [[nodiscard]] const http_server& http() override { return server_.http; }
    [[nodiscard]] std::uint64_t bytes_taken() const override { return server_.taken(); }
    [[nodiscard]] std::vector<std::string> arrived() const override {
        std::vector<std::string> all;
        const auto uploads = server_.uploads();
        for (std::size_t i = 1; i <= uploads.size(); ++i) {
            const tus_server::upload& one = uploads.at("/files/" + std::to_string(i));
            if (one.length == one.data.size()) {
                all.push_back(one.data);
            }
        }
        return all;
    }
    [[nodiscard]] std::vector<std::string> violations() const override { return server_.violations(); }
    void hurry() override { server_.rate = 1e9; }

private:
    tus_server server_{reads_little()};
};

/// Objects in parts of 5 MiB, two at once. What cannot be continued is a part.
class s3_destination final : public destination {
public:
    // The command finds its keys as it does outside of tests: in the environment.
    s3_destination() {
        ::setenv("AWS_ACCESS_KEY_ID", s3_server::access_key, 1);
        ::setenv("AWS_SECRET_ACCESS_KEY", s3_server::secret_key, 1);
        ::unsetenv("AWS_SESSION_TOKEN");
    }
    [[nodiscard]] std::string url() const override { return server_.url("/bucket/"); }
    [[nodiscard]] std::vector<std::string> arguments() const override {
        return {"--part-size", std::to_string(part), "--parallel", std::to_string(parts_at_once)};
    }
    [[nodiscard]] std::uint64_t interval() const override { return parts_at_once * part + (64 << 10); }
    [[nodiscard]] const http_server& http() override { return server_.http(); }
    [[nodiscard]] std::uint64_t bytes_taken() const override { return server_.bytes_taken(); }
    [[nodiscard]] std::size_t count_arrived() const override { return server_.object_count(); }
    [[nodiscard]] std::vector<std::string> arrived() const override {
        std::map<std::pair<std::size_t, std::string>, std::string> in_order;  // a number more is a digit more
        for (auto& [key, object] : server_.objects()) {
            in_order[{key.size(), key}] = object.data;
        }
        std::vector<std::string> all;
        for (auto& [key, data] : in_order) {
            all.push_back(std::move(data));
        }
        return all;
    }
    [[nodiscard]] std::vector<std::string> violations() const override { return server_.violations(); }
    void hurry() override {
        server_.behave([](s3_behaviour& b) { b.rate = 0; });
    }

private:
    static constexpr std::uint64_t part = 5 << 20;
    static constexpr std::uint64_t parts_at_once = 2;

    static s3_behaviour slow_network() {
        s3_behaviour how;
        how.rate = 40e6;  // a part takes about as long as half a life
        how.logs_bodies = false;
        return how;
    }
    s3_server server_{slow_network(), reads_little()};
};

}  // namespace waybill::test
