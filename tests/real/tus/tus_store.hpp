// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/node_server.hpp"
#include "support/temp_dir.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

/// A tus server that others wrote, and the directory where it keeps what arrives: for each upload a
/// file of its name, and beside it one that tells of it (`.json`, `.META`).
class tus_store {
public:
    /// @param env see the script in `tests/servers`.
    explicit tus_store(const std::string& script = "tus.mjs", node_server::environment env = {})
        : server(script, with_directory(std::move(env))) {}

    [[nodiscard]] std::string url() const { return server.url("/files"); }

    [[nodiscard]] std::filesystem::path file(const std::string& name) const { return dir_.path() / name; }

    /// What it has of each upload, by the upload's name.
    [[nodiscard]] std::map<std::string, std::string> uploads() const {
        std::map<std::string, std::string> all;
        for (const std::filesystem::path& file : files()) {
            all[file.filename()] = read_file(file);
        }
        return all;
    }
    /// How many bytes it has in all.
    [[nodiscard]] std::uint64_t bytes() const {
        std::uint64_t sum = 0;
        for (const std::filesystem::path& file : files()) {
            std::error_code gone;
            const std::uintmax_t size = std::filesystem::file_size(file, gone);
            sum += gone ? 0 : size;
        }
        return sum;
    }
    /// What @tus/file-store tells of an upload.
    [[nodiscard]] nlohmann::json about(const std::string& name) const {
        return nlohmann::json::parse(read_file(dir_ / (name + ".json")));
    }

    /// The requests of a method that were answered, or have ended without an answer (status 0), in that order.
    [[nodiscard]] std::vector<nlohmann::json> requests(const std::string& method) const {
        return lines([&](const nlohmann::json& line) { return line.value("method", "") == method; });
    }
    /// Bytes of all connections that have ended, headers included, as far as the server has read them.
    [[nodiscard]] std::uint64_t bytes_read() const {
        std::uint64_t sum = 0;
        for (const nlohmann::json& line : lines([](const nlohmann::json& l) { return l.contains("bytes"); })) {
            sum += line.at("bytes").get<std::uint64_t>();
        }
        return sum;
    }

private:
    [[nodiscard]] node_server::environment with_directory(node_server::environment env) const {
        env.emplace_back("DIR", dir_.path().string());
        return env;
    }
    [[nodiscard]] std::vector<std::filesystem::path> files() const {
        std::vector<std::filesystem::path> all;
        for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
            if (!entry.path().has_extension()) {
                all.push_back(entry.path());
            }
        }
        return all;
    }
    template <class Wanted>
    [[nodiscard]] std::vector<nlohmann::json> lines(const Wanted& wanted) const {
        std::vector<nlohmann::json> all;
        const std::string log = server.log();
        for (std::size_t at = 0, end = 0; (end = log.find('\n', at)) != std::string::npos; at = end + 1) {
            nlohmann::json line = nlohmann::json::parse(log.substr(at, end - at));
            if (wanted(line)) {
                all.push_back(std::move(line));
            }
        }
        return all;
    }

    temp_dir dir_;

public:
    node_server server;
};

}  // namespace waybill::test
