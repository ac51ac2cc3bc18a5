// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/temp_dir.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace waybill::test {

/// A server's certificate and key, as PEM files.
struct server_identity {
    std::string certificate_file;
    std::string key_file;
};

/// A certificate authority of the test's own, made at run time: nothing of it is ever stored in
/// the sources, and nothing expires there.
class certificate_authority {
public:
    certificate_authority();
    ~certificate_authority();
    certificate_authority(const certificate_authority&) = delete;
    certificate_authority& operator=(const certificate_authority&) = delete;

    /// The PEM file a client must trust.
    [[nodiscard]] std::string ca_file() const { return dir_ / "ca.pem"; }

    /// Issues a certificate for DNS names and IPv4 addresses.
    /// @param valid_for counted from now; negative: it has expired already.
    [[nodiscard]] server_identity issue(const std::vector<std::string>& names = {"localhost", "127.0.0.1"},
                                        std::chrono::seconds valid_for = std::chrono::hours(24));

private:
    struct keys;

    temp_dir dir_;
    std::unique_ptr<keys> keys_;
    int issued_ = 0;
};

}  // namespace waybill::test
