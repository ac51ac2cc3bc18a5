// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace waybill {

/// How fast bodies are sent, as rates (`512K`, `1.5M`, `off`, `stop`) or weekly timetables
/// (`08:00,512K 18:00,off`); see docs/guide/limits.md. A request obeys every limit that applies to it.
struct bandwidth_limits {
    std::string total = "off";                 ///< of everything that the uploader sends
    std::map<std::string, std::string> hosts;  ///< by host name, without a port
    std::map<std::string, std::string> lanes;  ///< by the names that jobs were given with `job::lane`
};

/// What a bandwidth limit applies to.
class limit_scope {
public:
    enum class kind : std::uint8_t { total, host, lane, job };

    /// Everything that the uploader sends.
    [[nodiscard]] static limit_scope total() { return {kind::total, {}}; }
    /// What is sent to a host, on any port.
    [[nodiscard]] static limit_scope host(std::string name) {
        for (char& c : name) {
            c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
        return {kind::host, std::move(name)};
    }
    [[nodiscard]] static limit_scope lane(std::string name) { return {kind::lane, std::move(name)}; }
    /// @param id of the job, as text.
    [[nodiscard]] static limit_scope job(std::string id) { return {kind::job, std::move(id)}; }

    [[nodiscard]] kind what() const noexcept { return what_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    auto operator<=>(const limit_scope&) const = default;

private:
    limit_scope(kind what, std::string name) : what_(what), name_(std::move(name)) {}

    kind what_;
    std::string name_;
};

}  // namespace waybill
