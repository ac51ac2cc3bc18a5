// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

/// The real `waybill` command with a store of its own, in a directory that is gone at the end.
class command {
public:
    [[nodiscard]] const temp_dir& dir() const noexcept { return dir_; }
    [[nodiscard]] const std::string& store() const noexcept { return store_; }

    /// `waybill --store … <arguments>`.
    [[nodiscard]] command_line line(std::vector<std::string> arguments) const;
    /// Runs it to its end.
    finished_process run(std::vector<std::string> arguments) const;
    /// Starts it, with stdout going to a file or device.
    [[nodiscard]] process start(std::vector<std::string> arguments, const std::string& out_file) const;

    /// Adds a job, which must be accepted; returns its id.
    std::string add(std::vector<std::string> arguments) const;
    /// `list --json`, one object for each job.
    [[nodiscard]] std::vector<nlohmann::json> list() const;

private:
    temp_dir dir_;
    std::string store_ = dir_ / "store/uploads.db";
};

/// The demo server, receiving into a directory.
class receiver {
public:
    /// @param bytes_per_second of each request; 0: as fast as it goes.
    explicit receiver(double bytes_per_second = 0);

    [[nodiscard]] std::string url(const std::string& path) const;
    [[nodiscard]] std::string received(const std::string& name) const { return dir_ / ("in/" + name); }
    [[nodiscard]] std::vector<std::string> names() const;

private:
    temp_dir dir_;
    process server_;
    std::string port_;
};

/// The whole lines of a text; a last one without its end is left out.
[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);
/// Each of them parsed as JSON.
[[nodiscard]] std::vector<nlohmann::json> json_lines(const std::string& text);

/// Waits until `file` holds what `enough` wants. Throws when the process ends first or it takes
/// too long.
void wait_for_text(process& writer, const std::string& file, const std::function<bool(const std::string&)>& enough,
                   std::chrono::milliseconds most = std::chrono::seconds(30));

/// The path of the built command.
[[nodiscard]] const char* command_path();

}  // namespace waybill::test
