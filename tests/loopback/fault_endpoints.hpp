// SPDX-License-Identifier: BSL-1.0
#pragma once

// Servers of each protocol for the matrix of faults, and what each has made visible.

#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/put.hpp>
#include <waybill/protocol/resumable.hpp>
#include <waybill/protocol/tus.hpp>

#include "support/fault_scripts.hpp"
#include "support/http_server.hpp"
#include "support/resumable_server.hpp"
#if defined(WAYBILL_HAS_S3)
#include <waybill/protocol/s3.hpp>

#include "support/s3_server.hpp"
#endif
#include "support/temp_dir.hpp"
#include "support/tus_server.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace waybill::test {

/// Of a body that fits into the kernel's buffers the client cannot know what the server has read: against
/// a success that comes too early only a longer one helps, unless the protocol has a way to ask.
inline const std::string& content(bool beyond = false) {
    static const std::string usual = random_bytes(300'000);
    static const std::string longer = random_bytes(beyond_buffers);
    return beyond ? longer : usual;
}

/// A server that speaks one protocol, and what it has made visible.
class endpoint {
public:
    virtual ~endpoint() = default;
    [[nodiscard]] virtual http_server& http() = 0;
    /// The job that brings it `file`.
    [[nodiscard]] virtual job make(const std::string& file) const = 0;
    /// Copies with the right bytes that the server has accepted, `fault` being the script that met them.
    [[nodiscard]] virtual std::size_t copies(const fault& f) const = 0;
    /// Things it has accepted that are not the file.
    [[nodiscard]] virtual std::size_t wrong() const { return 0; }
};

class plain_endpoint : public endpoint {
public:
    /// What it is sent in one request for the whole file.
    enum class kind { put, post, form };

    plain_endpoint(http_server_options how, kind what)
        : content_(content(how.receive_buffer != 0)), server_(std::move(how)), kind_(what) {}
    http_server& http() override { return server_; }
    job make(const std::string& file) const override {
        job one(server_.url("/x"));
        one.file(file);
        if (kind_ == kind::form) {
            one.via(multipart{}).field("title", "x");
        } else if (kind_ == kind::post) {
            one.via(put{}.method("POST"));
        }
        return one;
    }
    std::size_t copies(const fault& f) const override {
        return count([&](const received_request& r) { return is_right(r) && is_accepted(r, f); });
    }
    std::size_t wrong() const override {
        return count([&](const received_request& r) { return r.script.empty() && r.complete && !is_right(r); });
    }

private:
    std::size_t count(const std::function<bool(const received_request&)>& which) const {
        std::size_t found = 0;
        for (const received_request& r : server_.requests()) {
            found += r.target == "/x" && r.well_formed && which(r) ? 1 : 0;
        }
        return found;
    }
    bool is_right(const received_request& r) const {
        const bool form = kind_ == kind::form;
        return r.complete && (form ? r.body.find(content_) != std::string::npos : r.body == content_);
    }
    static bool is_accepted(const received_request& r, const fault& f) {
        return r.script.empty() || f.after == aftermath::delivered || f.after == aftermath::open;
    }

    const std::string& content_;
    http_server server_;
    kind kind_;
};

class tus_endpoint : public endpoint {
public:
    tus_endpoint(http_server_options how, std::uint64_t chunk) : server_(std::move(how)), chunk_(chunk) {
        server_.fault = [](const received_request& r) {
            return r.target == "/warm" ? std::optional<reply>(201) : std::nullopt;
        };
    }
    http_server& http() override { return server_.http; }
    job make(const std::string& file) const override {
        job one(server_.url());
        one.via(tus{}.chunk_size(chunk_)).file(file);
        return one;
    }
    std::size_t copies(const fault& /*f*/) const override {
        std::size_t found = 0;
        for (const auto& [path, upload] : server_.uploads()) {
            found += upload.data == content() ? 1 : 0;
        }
        return found;
    }
    std::size_t wrong() const override {
        std::size_t found = 0;
        for (const auto& [path, upload] : server_.uploads()) {
            found += upload.data.size() == upload.length && upload.data != content() ? 1 : 0;
        }
        return found;
    }

private:
    tus_server server_;
    std::uint64_t chunk_;
};

class resumable_endpoint : public endpoint {
public:
    resumable_endpoint(http_server_options how, bool form)
        : content_(content(how.receive_buffer != 0)), server_({}, std::move(how)), form_(form) {}
    http_server& http() override { return server_.http(); }
    job make(const std::string& file) const override {
        job one(server_.url("/x"));
        one.via(form_ ? resumable{}.as_form() : resumable{}).file(file);
        return one;
    }
    std::size_t copies(const fault& /*f*/) const override { return count(true); }
    std::size_t wrong() const override { return count(false); }

private:
    std::size_t count(bool right) const {
        std::size_t found = 0;
        for (const auto& one : server_.arrived()) {
            const bool has = form_ ? one.body.find(content_) != std::string::npos : one.body == content_;
            found += one.target == "/x" && has == right ? 1 : 0;
        }
        return found;
    }

    const std::string& content_;
    resumable_server server_;
    bool form_;
};

#if defined(WAYBILL_HAS_S3)
/// An object of one PUT, or, being longer than a part, of two.
class s3_endpoint final : public endpoint {
public:
    explicit s3_endpoint(http_server_options how)
        : content_(content(how.receive_buffer != 0)), server_({}, std::move(how)) {}
    http_server& http() override { return server_.http(); }
    job make(const std::string& file) const override {
        job one(server_.url("/bucket/x"));
        one.via(s3{}.part_size(5 << 20).parallel(1)).file(file);
        return one;
    }
    std::size_t copies(const fault& /*f*/) const override { return count(true); }
    std::size_t wrong() const override { return count(false); }

private:
    std::size_t count(bool right) const {
        std::size_t found = 0;
        for (const auto& [path, object] : server_.objects()) {
            found += (object.data == content_) == right ? 1 : 0;
        }
        return found;
    }

    const std::string& content_;
    s3_server server_;
};
#endif

}  // namespace waybill::test
