// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace waybill::test {

/// OpenStack Swift with its S3 API, as Debian ships it: four servers and memcached on 127.0.0.1, with
/// their objects in a directory of their own, until the object dies.
///
/// It has one bucket, `bucket`, in the region `us-east-1`.
class swift_server {
public:
    static constexpr const char* access_key = "test:tester";
    static constexpr const char* secret_key = "testing";

    /// Throws `std::runtime_error` with the servers' words when they do not come up.
    swift_server();

    [[nodiscard]] std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }

    /// Runs `s3cmd` against it, which must succeed; returns what it wrote.
    std::string s3cmd(std::vector<std::string> arguments) const;
    /// An object's bytes, read by `s3cmd`.
    [[nodiscard]] std::string read(const std::string& key) const;

private:
    void make_ring(const std::string& name, std::uint16_t port) const;
    void write_storage_server(const std::string& name, std::uint16_t port) const;
    void write_proxy(std::uint16_t memcached) const;
    void start(std::vector<std::string> argv);

    temp_dir dir_;
    std::uint16_t port_;
    std::vector<process> processes_;
};

}  // namespace waybill::test
