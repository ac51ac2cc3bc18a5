// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "real/web_server.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace waybill::test {

/// A real proxy in front of a server of this machine. It knows nothing of resumable uploads.
class proxy {
public:
    enum class kind {
        nginx,            ///< reads a whole request before it passes it on
        nginx_streaming,  ///< passes it on while it reads
        nghttpx,          ///< the same
    };

    /// @param settings more of nginx's `location`.
    proxy(kind which, std::uint16_t behind, const std::string& settings = {}) {
        if (which == kind::nghttpx) {
            start_nghttpx(behind);
            return;
        }
        nginx_.emplace(web_server::kind::nginx, std::nullopt,
                       "location / { proxy_pass http://127.0.0.1:" + std::to_string(behind) +
                           "; proxy_http_version 1.1; proxy_set_header Host $http_host; " +
                           (which == kind::nginx_streaming ? "proxy_request_buffering off; " : "") + settings + " }\n");
    }

    [[nodiscard]] std::string url(const std::string& path) const {
        return nginx_ ? nginx_->url(path) : "http://127.0.0.1:" + std::to_string(port_) + path;
    }

private:
    void start_nghttpx(std::uint16_t behind) {
        port_ = free_port();
        command_line what;
        what.argv = {"nghttpx",
                     "--conf=/dev/null",
                     "-f127.0.0.1," + std::to_string(port_) + ";no-tls",
                     "-b127.0.0.1," + std::to_string(behind),
                     "--pid-file=" + (dir_ / "pid"),
                     "--errorlog-file=" + (dir_ / "err")};
        what.out_file = dir_ / "out";
        what.err_file = dir_ / "out";
        nghttpx_.emplace(what);
        nghttpx_->wait_for_port(port_);
    }

    temp_dir dir_;
    std::optional<web_server> nginx_;
    std::optional<process> nghttpx_;
    std::uint16_t port_ = 0;
};

}  // namespace waybill::test
