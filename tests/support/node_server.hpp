// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

/// A script of `tests/servers` as it is run by Node.
[[nodiscard]] command_line node_script(const std::string& script);

/// A server of `tests/servers`, run by Node on 127.0.0.1 until the object dies.
///
/// It writes `port N` to its stdout once it listens (see `listen.mjs`), and is waited for until then.
/// $LOG is a file for what it received: `log()` reads it.
class node_server {
public:
    using environment = std::vector<std::pair<std::string, std::string>>;

    /// @param script a file of `tests/servers`, such as `forms.mjs`.
    /// Throws `std::runtime_error` with the server's words when it does not come up.
    explicit node_server(std::string script, environment env = {});

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::string url(const std::string& path = "/") const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }

    /// What the server wrote to $LOG so far.
    [[nodiscard]] std::string log() const { return read_file(dir_ / "log"); }
    /// What it wrote to stderr, for a failure's text.
    [[nodiscard]] std::string words() const { return read_file(dir_ / "err"); }

    /// Kills it as `kill -9` does; open connections are reset.
    void stop() { process_.reset(); }
    /// Starts it on the same port as before.
    void start();

private:
    temp_dir dir_;
    std::string script_;
    environment env_;
    std::uint16_t port_ = 0;
    std::optional<process> process_;
};

}  // namespace waybill::test
