// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/certificates.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace waybill::bench {

/// A program that says "port N" in its first line and serves until it is killed.
class server_process {
public:
    explicit server_process(const std::vector<std::string>& argv,
                            const std::vector<std::pair<std::string, std::string>>& env = {});

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    test::temp_dir dir_;
    std::uint16_t port_ = 0;
    std::optional<test::process> process_;
};

/// The sink, and what it has taken since it was last asked.
class sink {
public:
    explicit sink(const std::string& program) : server_({program}) {}
    sink(const std::string& program, const test::server_identity& tls)
        : server_({program, tls.certificate_file, tls.key_file}) {}

    struct taken {
        std::uint64_t requests = 0;
        std::uint64_t bytes = 0;
    };
    [[nodiscard]] std::string url(const std::string& path = "/") const {
        return "http://127.0.0.1:" + std::to_string(server_.port()) + path;
    }
    [[nodiscard]] std::string tls_url(const std::string& path = "/") const {
        return "https://127.0.0.1:" + std::to_string(server_.port()) + path;
    }
    /// Throws unless exactly so much has come since the last call. Plain sinks only.
    void expect(std::uint64_t bytes);

private:
    server_process server_;
    std::uint64_t before_ = 0;
};

/// Files to send, and lists of them for the clients. Made once for all scenarios, gone at the end.
class workspace {
public:
    /// A file of `size` random bytes.
    [[nodiscard]] std::string file(const std::string& name, std::uint64_t size);
    /// `count` files of `size` bytes each, in a directory of their own.
    [[nodiscard]] std::vector<std::string> files(std::size_t count, std::uint64_t size);
    /// A file with one path in each line.
    [[nodiscard]] std::string list(const std::string& name, const std::vector<std::string>& paths) const;
    /// A configuration that has curl send each file to `url`.
    [[nodiscard]] std::string curl_config(const std::string& name, const std::vector<std::string>& paths,
                                          const std::string& url, const std::string& more = "") const;
    /// Where a store may be; whatever was there is removed.
    [[nodiscard]] std::string store(const std::string& name) const { return dir_ / (name + "/jobs.db"); }
    void remove_store(const std::string& name) const;

    [[nodiscard]] std::string path(const std::string& name) const { return dir_ / name; }

private:
    test::temp_dir dir_;
};

}  // namespace waybill::bench
