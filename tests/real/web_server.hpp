// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/certificates.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace waybill::test {

/// nginx or Apache as Debian ships them, run by this user from a directory of its own, with WebDAV.
///
/// Paths on both:
/// - `/dav/` takes PUT. When the folder is missing Apache answers 409, and nginx 500.
/// - `/denied/` answers 403.
/// - `/small/` takes up to 1 MiB and answers 413 to more.
class web_server {
public:
    enum class kind { nginx, apache };

    /// @param tls with it, the server speaks TLS only.
    /// @param locations more of nginx's `location` blocks.
    /// Throws `std::runtime_error` with the server's words when it does not come up.
    explicit web_server(kind which, std::optional<server_identity> tls = std::nullopt, std::string locations = {});

    [[nodiscard]] std::string url(const std::string& path, const std::string& host = "127.0.0.1") const;

    /// Where a path's file lies on this machine.
    [[nodiscard]] std::filesystem::path file(const std::string& path) const { return dir_.path() / "root" / path; }

    /// One line for each request, in the order of their ends: `METHOD target status bytes`.
    [[nodiscard]] std::string access_log() const { return read_file(dir_ / "access.log"); }
    [[nodiscard]] std::string words() const { return read_file(dir_ / "error.log"); }

    /// Kills it and its workers.
    void stop() { process_.reset(); }
    /// Starts it on the same port as before.
    void start();

private:
    [[nodiscard]] std::string nginx_configuration(const std::string& locations) const;
    [[nodiscard]] std::string apache_configuration() const;

    temp_dir dir_;
    kind kind_;
    std::optional<server_identity> tls_;
    std::uint16_t port_;
    std::optional<process> process_;
};

}  // namespace waybill::test
